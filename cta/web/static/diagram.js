// A line's trains over time, drawn by the server, with the moment of the page as a rule across it.

export class Diagram {
  #figure = document.querySelector("#diagram");
  #line = null;
  #now = null;

  constructor(window) {
    this.window = window;
  }

  async show(line) {
    if (!this.window || line === this.#line) return;
    this.#line = line;
    this.#figure.hidden = !line;
    this.#now = null;
    if (!line) return;
    const answer = await fetch(`/api/diagram/${encodeURIComponent(line)}.svg`);
    if (!answer.ok || this.#line !== line) return;
    const drawn = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    this.#now = document.createElementNS("http://www.w3.org/2000/svg", "path");
    this.#now.setAttribute("class", "now");
    drawn.append(this.#now);
    this.#figure.querySelector("div").replaceChildren(document.adoptNode(drawn));
  }

  at(ms) {
    if (!this.#now) return;
    const { left, right, top, bottom } = this.#now.ownerSVGElement.dataset; // where moments and stations stand
    const share = (ms - this.window.start) / (this.window.end - this.window.start);
    const x = Number(left) + Math.min(Math.max(share, 0), 1) * (right - left);
    this.#now.setAttribute("d", `M${x.toFixed(1)} ${top - 8}V${Number(bottom) + 8}`);
  }
}
