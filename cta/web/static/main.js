// The page: the live slots or those of a chosen moment, shown in table, map, alerts, header and footer.

import { Alerts } from "./alerts.js";
import { Clock, dateOf, timeOf } from "./clock.js";
import { Diagram } from "./diagram.js";
import { ask, follow } from "./live.js";
import { TrainMap } from "./map.js";
import { Store } from "./store.js";
import { Table } from "./table.js";
import { Travel } from "./travel.js";

const $ = (id) => document.getElementById(id);
const body = document.body;
body.classList.add("js");
const number = new Intl.NumberFormat("en-US");

const network = await (await ask("/api/network")).json();
const live = new Store();
const clock = new Clock();
const table = new Table(() => choose(line, false));
const alerts = new Alerts();
const map = new TrainMap(network, clock);
const diagram = new Diagram(network.window);
const travel = network.window && new Travel(network.window, Number(body.dataset.speed), {
  onMoment: (moment, slots) => {
    clock.set(moment, travel.playing ? travel.speed : 0);
    show(slots, null);
    address();
  },
  onStand: (moment) => {
    clock.set(moment, 0);
    $("records").textContent = $("digest").textContent = "–"; // those shown are of a moment before
    tick();
  },
  onLive: () => {
    clock.set(live.slots.time ?? 0, live.slots.feed?.speed ?? 0);
    show(live.slots, null);
    address();
  },
});
let line = body.dataset.line;

function show(slots, names) {
  table.update(slots, names);
  map.update(slots, names);
  alerts.update(slots, names);
  if (names === null || names.has("weather")) showWeather(slots.weather);
  showFooter(slots);
  tick();
}

function showWeather(weather) {
  if (!weather) return;
  $("weather").textContent = `${weather.temperature} °F, ${weather.status.replaceAll("_", " ")}`;
  $("sky").setAttribute("href", `#${weather.status}`);
}

function showFooter({ records, digest }) {
  $("records").textContent = number.format(records.total);
  for (const name of ["unread", "missed"]) {
    $(name).textContent = number.format(records[name]);
    $(name).parentElement.hidden = records[name] === 0;
  }
  $("digest").textContent = digest;
  showState();
}

function showState() {
  const feed = live.slots.feed;
  const lost = body.classList.contains("lost");
  const travelling = travel?.travelling ?? false;
  $("rate").textContent = feed && !travelling ? `${number.format(feed.rate)}/s` : "–";
  $("lag").textContent = feed && !travelling ? number.format(feed.lag) : "–";
  $("state").textContent = lost ? "no connection, trying again" : travelling ? (travel.playing ? "time travel" : "time travel, paused") : feed?.state ?? "starting";
  body.classList.toggle("live", !travelling && !lost);
  body.classList.toggle("playing", !travelling || travel.playing);
  $("play").lastElementChild.textContent = !travelling || travel.playing ? "Pause" : "Play";
  const speed = travelling ? travel.speed : feed?.speed;
  $("speed").textContent = speed ? `${speed}×` : "";
}

const shownMoment = () => Math.floor(clock.now() / 1000) * 1000;

function tick() {
  const now = shownMoment();
  const moment = travel?.travelling ? travel.moment : now; // where it was moved to, though the clock waits for the answer
  if (moment) {
    $("slider").value = moment;
    $("slider").setAttribute("aria-valuetext", timeOf(moment));
  }
  if (!now) return;
  if ($("clock").textContent !== timeOf(now)) {
    $("clock").textContent = timeOf(now);
    $("date").textContent = dateOf(now);
  }
  diagram.at(now);
}

// The address carries the moment and the line, so that it can be sent to somebody.
function address() {
  const parts = [];
  if (travel?.travelling) {
    const short = network.window.end - network.window.start <= 86_400_000;
    parts.push(`t=${short ? timeOf(travel.moment) : travel.moment}`);
  }
  if (line) parts.push(`line=${line}`);
  history.replaceState(null, "", parts.length ? `/?${parts.join("&")}` : "/");
}

function choose(wanted, say = true) {
  line = wanted;
  map.find(table.filter(line, $("find").value));
  map.only(line);
  alerts.only(line);
  diagram.show(line);
  for (const link of document.querySelectorAll(".lines a")) {
    if (link.dataset.line === line) {
      link.setAttribute("aria-current", "true");
      link.scrollIntoView({ block: "nearest", inline: "nearest" }); // a phone's row of lines is wider than the phone
    } else link.removeAttribute("aria-current");
  }
  if (say) address();
}

for (const link of document.querySelectorAll(".lines a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    choose(link.dataset.line);
  });
}
$("find").addEventListener("input", () => map.find(table.filter(line, $("find").value)));

if (travel) {
  $("travel").hidden = false;
  $("slider").min = network.window.start;
  $("slider").max = network.window.end;
  $("from").textContent = timeOf(network.window.start).slice(0, 5);
  $("until").textContent = timeOf(network.window.end).slice(0, 5);
  $("slider").addEventListener("input", () => {
    stopLive();
    travel.go(Number($("slider").value));
    showState();
  });
  $("play").addEventListener("click", () => (travel.toggle(shownMoment()), showState()));
  $("live").addEventListener("click", () => travel.live());
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=search]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = (event.shiftKey ? 10 : 1) * 60_000;
    const now = travel.travelling ? travel.moment : clock.now();
    const keys = {
      " ": () => travel.toggle(shownMoment()), ArrowLeft: () => stepTo(now - step), ArrowRight: () => stepTo(now + step),
      "[": () => faster(-1), "]": () => faster(1),
    };
    if (event.target.matches("button, a, summary") && event.key === " ") return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
    showState();
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input[type=search]")) {
    event.preventDefault();
    $("find").focus();
  }
});

function stopLive() {
  if (travel.travelling) return;
  travel.playing = false;
  clock.set(shownMoment(), 0);
}

function stepTo(moment) {
  stopLive();
  travel.go(moment);
}

function faster(by) {
  if (!travel.travelling) travel.go(clock.now());
  travel.faster(by);
  travel.playing = true;
}

live.watch((slots, names) => {
  if (travel?.travelling) return showState();
  clock.set(slots.time ?? 0, slots.feed.state === "live" ? slots.feed.speed ?? 1 : 0);
  show(slots, names);
});
follow(live, (connected) => {
  body.classList.toggle("lost", !connected);
  showState();
});
if (travel && body.dataset.moment) {
  travel.playing = false;
  travel.go(Number(body.dataset.moment));
}
choose(line, false);
setInterval(tick, 100);
