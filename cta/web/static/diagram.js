// A line's trains over time, drawn by the server: of a run all, with the page's moment as a rule across it; where there is
// no run the last two hours, drawn anew as they go on.

const ANEW_MS = 10_000;

export class Diagram {
  #figure = document.querySelector("#diagram");
  #line = null;
  #now = null;

  constructor(window) {
    this.window = window;
    if (!window) setInterval(() => document.hidden || this.#draw(), ANEW_MS);
  }

  show(line) {
    if (line === this.#line) return;
    this.#line = line;
    this.#figure.hidden = true;
    this.#now = null;
    this.#draw();
  }

  async #draw() {
    const line = this.#line;
    if (!line) return;
    const answer = await fetch(`/api/diagram/${encodeURIComponent(line)}.svg`).catch(() => null); // away: at the next time
    if (!answer?.ok || this.#line !== line) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    this.#now = document.createElementNS("http://www.w3.org/2000/svg", "path");
    this.#now.setAttribute("class", "now");
    drawn.append(this.#now);
    this.#figure.replaceChildren(document.adoptNode(drawn));
    this.#figure.hidden = false;
  }

  at(ms) {
    if (!this.#now || !this.window) return;
    const { left, right, top, bottom } = this.#now.ownerSVGElement.dataset; // where moments and stations stand
    const share = (ms - this.window.start) / (this.window.end - this.window.start);
    const x = Number(left) + Math.min(Math.max(share, 0), 1) * (right - left);
    this.#now.setAttribute("d", `M${x.toFixed(1)} ${top - 8}V${Number(bottom) + 8}`);
  }
}
