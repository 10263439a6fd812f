// Trains on the map: each stands its dwell where it arrived, then runs to the next station in the hop's run time, and
// waits just short of it until its arrival is told.

const SVG = "http://www.w3.org/2000/svg";
const DWELL_MS = 20_000;
const SHORT_OF = 0.94; // as far as a train goes before its arrival is told
const FRAME_MS = 33;

export class TrainMap {
  #trains = new Map(); // id -> {line, slot, time, status, dots}
  #charts = [
    { layer: document.querySelector("#map .trains"), way: "way", place: "place", size: 6.5, aside: 3 },
    { layer: document.querySelector("#loop .trains"), way: "loop", place: "loop", size: 8, aside: 4 },
  ];
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #line = "";

  constructor(network, clock) {
    this.hops = network.hops;
    this.stations = new Map(network.stations.map((station) => [String(station.station_id), station]));
    this.clock = clock;
    this.last = 0;
    const frame = (at) => {
      if (at - this.last > FRAME_MS && !this.#still.matches && !document.hidden) {
        this.last = at;
        this.draw();
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  update(slots, names) {
    if (names === null || [...names].some((name) => name.endsWith("/a") || name.endsWith("/b"))) this.#read(slots);
    if (names === null || names.has("alerts")) {
      const alerted = new Set(slots.alerts.map((alert) => String(alert.station_id)));
      for (const stop of document.querySelectorAll(".stop")) stop.classList.toggle("alerted", alerted.has(stop.dataset.station));
    }
    if (this.#still.matches) this.draw();
  }

  #read(slots) {
    const seen = new Set();
    for (const [slot, trains] of Object.entries(slots)) {
      if (!slot.endsWith("/a") && !slot.endsWith("/b")) continue;
      for (const { train_id: id, status, time } of trains) {
        seen.add(id);
        const line = slot.slice(0, slot.indexOf("/"));
        const train = this.#trains.get(id) ?? { dots: this.#charts.map((chart) => dot(chart, line, id)) };
        Object.assign(train, { line, slot, status, time });
        this.#trains.set(id, train);
        for (const made of train.dots) {
          made.classList.toggle("broken", status === "broken_down");
          made.classList.toggle("shown", line === this.#line);
        }
      }
    }
    for (const [id, train] of this.#trains) {
      if (seen.has(id)) continue;
      for (const made of train.dots) made.remove();
      this.#trains.delete(id);
    }
  }

  draw() {
    const now = this.clock.now();
    for (const train of this.#trains.values()) {
      const hop = this.hops[train.slot];
      const run = hop && train.status === "in_service" ? (now - train.time - DWELL_MS) / (hop.travel_s * 1000) : 0;
      const share = Math.max(0, Math.min(run, SHORT_OF));
      this.#charts.forEach((chart, i) => {
        const way = hop?.[chart.way] ?? this.#standing(train, chart);
        train.dots[i].toggleAttribute("hidden", !way);
        if (way) train.dots[i].setAttribute("transform", along(way, share, chart.aside));
      });
    }
  }

  #standing(train, chart) {
    const place = this.stations.get(train.slot.split("/")[1])?.[chart.place];
    return place ? [place] : null;
  }

  only(line) {
    this.#line = line;
    for (const chart of document.querySelectorAll(".chart")) chart.classList.toggle("only", line !== "");
    for (const group of document.querySelectorAll(".chart .line")) group.classList.toggle("shown", group.dataset.line === line);
    for (const train of this.#trains.values()) for (const made of train.dots) made.classList.toggle("shown", train.line === line);
  }

  find(stations) {
    const found = new Set(stations);
    for (const stop of document.querySelectorAll(".stop")) stop.classList.toggle("found", found.has(stop.dataset.station));
  }
}

function dot({ layer, size }, line, id) {
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "train-dot");
  if (/^[a-z]+$/.test(line)) group.classList.add(`line-${line}`);
  const circle = document.createElementNS(SVG, "circle");
  circle.setAttribute("r", size);
  const nose = document.createElementNS(SVG, "path");
  nose.setAttribute("class", "nose");
  nose.setAttribute("d", `M${-0.28 * size} ${-0.5 * size}L${0.62 * size} 0L${-0.28 * size} ${0.5 * size}z`);
  const title = document.createElementNS(SVG, "title");
  title.textContent = id;
  group.append(title, circle, nose);
  layer.append(group);
  return group;
}

// The transform of a train that has gone a share of a way, turned as it goes and a little to the right of it.
function along(way, share, aside) {
  if (way.length === 1) return `translate(${way[0][0]} ${way[0][1]})`;
  const lengths = way.slice(1).map((point, i) => Math.hypot(point[0] - way[i][0], point[1] - way[i][1]));
  let left = share * lengths.reduce((sum, length) => sum + length, 0);
  let piece = 0;
  while (piece < lengths.length - 1 && left > lengths[piece]) left -= lengths[piece++];
  const [[ax, ay], [bx, by]] = [way[piece], way[piece + 1]];
  const length = lengths[piece] || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const x = ax + ux * left - uy * aside;
  const y = ay + uy * left + ux * aside;
  return `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${(Math.atan2(uy, ux) * 180 / Math.PI).toFixed(0)})`;
}
