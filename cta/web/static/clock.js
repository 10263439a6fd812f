// The simulated clock between two updates, and moments in Chicago's words.

const CHICAGO = { timeZone: "America/Chicago", hourCycle: "h23" };
const TIME = new Intl.DateTimeFormat("en-US", { ...CHICAGO, hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { timeZone: CHICAGO.timeZone, weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const timeOf = (ms) => TIME.format(ms);
export const dateOf = (ms) => DATE.format(ms).replace(",", "");

const AHEAD_S = 2; // seconds of the wall clock that it goes on without news

export class Clock {
  #ms = 0;
  #since = 0;
  #speed = 0;

  // Where the clock is known to be, and how fast it goes from there.
  set(ms, speed) {
    const shown = this.now();
    const close = speed > 0 && speed === this.#speed && Math.abs(shown - ms) < speed * 1000;
    this.#ms = close ? Math.max(ms, shown - speed * 100) : ms;
    this.#since = performance.now();
    this.#speed = speed;
  }

  now() {
    const passed = Math.min(performance.now() - this.#since, AHEAD_S * 1000);
    return this.#ms + passed * this.#speed;
  }
}
