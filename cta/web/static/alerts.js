// The alerts in force, the newest first: the first few are said, the others counted and shown when asked for.

import { timeOf } from "./clock.js";
import { element } from "./table.js";

const FIRST = 3;
const EFFECTS = {
  NO_SERVICE: "No service", REDUCED_SERVICE: "Reduced service", SIGNIFICANT_DELAYS: "Significant delays",
  ADDITIONAL_SERVICE: "Additional service", OTHER_EFFECT: "Notice",
};

export class Alerts {
  #first = document.querySelector("#alerts > div");
  #more = document.querySelector("#alerts > details");
  #slots = null;
  #line = "";

  update(slots, names) {
    this.#slots = slots;
    if (names === null || names.has("alerts") || names.has("layout")) this.#show();
  }

  // A line's own, and those of no line at its stations.
  only(line) {
    if (line === this.#line) return;
    this.#line = line;
    if (this.#slots) this.#show();
  }

  #show() {
    const { alerts, layout } = this.#slots;
    const stations = layout.find(({ line }) => line === this.#line)?.stations.map((station) => station.station_id) ?? [];
    const rows = alerts
      .filter(({ line, station_id: station }) => ["", line].includes(this.#line) || line === null && [null, ...stations].includes(station))
      .sort((one, other) => other.active_from - one.active_from)
      .map(row);
    const more = rows.length - FIRST;
    this.#first.replaceChildren(...rows.slice(0, FIRST));
    this.#more.hidden = more <= 0;
    this.#more.firstElementChild.textContent = `${more} more alert${more === 1 ? "" : "s"}`;
    this.#more.lastElementChild.replaceChildren(...rows.slice(FIRST));
  }
}

function row(alert) {
  const made = element("p", "alert", "");
  if (/^[a-z]+$/.test(alert.line ?? "")) made.classList.add(`line-${alert.line}`);
  const from = timeOf(alert.active_from).slice(0, 5);
  const span = alert.active_to === null ? `since ${from}` : `${from} to ${timeOf(alert.active_to).slice(0, 5)}`;
  made.append(element("b", "", EFFECTS[alert.effect] ?? alert.effect), " ", element("span", "", alert.text), " ", element("small", "", span));
  return made;
}
