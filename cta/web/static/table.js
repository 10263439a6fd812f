// The table: the server makes its rows, this keeps them up to date. Texts from topics go in as text, never as markup.

import { ask } from "./live.js";

const number = new Intl.NumberFormat("en-US");

const SPARK = document.createElementNS("http://www.w3.org/2000/svg", "svg");
for (const [name, value] of Object.entries({ class: "spark", viewBox: "0 0 72 16", preserveAspectRatio: "none", "aria-hidden": "true" })) SPARK.setAttribute(name, value);
SPARK.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));

export class Table {
  #table = document.querySelector("#table");
  #layout = null;
  #rows = []; // {row, body, name, line, station, mark}
  #cells = new Map();
  #entries = new Map(); // station -> [{number, path}]

  constructor(onBuilt) {
    this.onBuilt = onBuilt;
    this.#index();
  }

  #index() {
    this.#cells.clear();
    this.#entries.clear();
    this.#rows = [...this.#table.querySelectorAll("tr[data-station]")].map((row) => {
      for (const cell of row.querySelectorAll("td[data-slot]")) this.#cells.set(cell.dataset.slot, cell);
      const entries = row.querySelector("td.entries");
      const station = row.dataset.station;
      if (!this.#entries.has(station)) this.#entries.set(station, []);
      const spark = SPARK.cloneNode(true);
      entries.prepend(spark);
      this.#entries.get(station).push({ number: entries.querySelector(".n"), path: spark.firstChild });
      return {
        row, station, body: row.parentElement, line: row.parentElement.dataset.line,
        name: row.querySelector(".name").textContent.toLowerCase(), mark: row.querySelector(".mark"),
      };
    });
  }

  async update(slots, names) {
    const layout = JSON.stringify(slots.layout);
    if (layout !== this.#layout) {
      const known = this.#layout === null ? this.#shownLayout() : null;
      this.#layout = layout;
      if (known !== slots.layout.map((line) => line.line + line.stations.map((s) => s.station_id + s.name)).join()) {
        await this.#rebuild();
        names = null;
      }
    }
    for (const [slot, cell] of this.#cells) {
      if (names === null || names.has(slot)) showTrains(cell, slots[slot] ?? [], names !== null);
    }
    for (const [station, shown] of this.#entries) {
      if (names === null || names.has(`entries/${station}`)) {
        const text = number.format(slots[`entries/${station}`] ?? 0);
        for (const { number } of shown) number.textContent = text;
      }
      if (names === null || names.has(`flow/${station}`)) {
        const d = sparkline(slots[`flow/${station}`] ?? []);
        for (const { path } of shown) path.setAttribute("d", d);
      }
    }
    if (names === null || names.has("alerts")) this.#mark(slots.alerts);
  }

  #shownLayout() {
    return [...this.#table.tBodies].map((body) => body.dataset.line +
      [...body.querySelectorAll("tr[data-station]")].map((row) => row.dataset.station + row.querySelector(".name").textContent)).join();
  }

  async #rebuild() {
    const answer = await ask("/rows");
    const made = new DOMParser().parseFromString(`<table>${await answer.text()}</table>`, "text/html");
    for (const body of [...this.#table.tBodies]) body.remove();
    this.#table.append(...made.querySelectorAll("tbody"));
    this.#index();
    this.onBuilt();
  }

  #mark(alerts) {
    for (const { row, line, station, mark } of this.#rows) {
      const here = alerts.filter((alert) => String(alert.station_id) === station && (alert.line === null || alert.line === line));
      row.classList.toggle("alerted", here.length > 0);
      mark.replaceChildren(...here.map((alert) => element("span", "sr", `Alert: ${alert.text}`)));
      mark.title = here.map((alert) => alert.text).join("\n");
    }
  }

  // Show one line, or all, and the stations whose name has the text in it; returns those found by text.
  filter(line, text) {
    const wanted = text.trim().toLowerCase();
    const found = [];
    const shown = new Set();
    for (const { row, body, name, line: of, station } of this.#rows) {
      const fits = (!line || of === line) && name.includes(wanted);
      row.hidden = !fits;
      row.classList.toggle("found", fits && wanted !== "");
      if (fits) shown.add(body);
      if (fits && wanted) found.push(station);
    }
    for (const body of this.#table.tBodies) body.hidden = !shown.has(body);
    document.querySelector("#none").hidden = shown.size > 0 || this.#rows.length === 0;
    return found;
  }
}

function showTrains(cell, trains, flash) {
  const before = new Set([...cell.querySelectorAll(".train")].map((train) => train.dataset.train));
  cell.replaceChildren(...trains.flatMap((train) => {
    const chip = element("span", "train", train.train_id);
    chip.dataset.train = train.train_id;
    if (train.status !== "in_service") chip.append(" ", element("i", "", train.status.replaceAll("_", " ")));
    chip.classList.toggle("broken", train.status === "broken_down");
    chip.classList.toggle("new", flash && !before.has(train.train_id));
    return [chip, " "];
  }));
}

function sparkline(bins) {
  const most = Math.max(...bins, 1);
  return bins.map((n, i) => `${i ? "L" : "M"}${(72 * i / Math.max(bins.length - 1, 1)).toFixed(1)} ${(15 - 14 * n / most).toFixed(1)}`).join("");
}

export function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}
