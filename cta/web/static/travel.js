// Time travel: a moment of one's own over the run, that stands or goes on, in place of the live one.

const SPEEDS = [1, 10, 30, 60, 120, 300, 600];
const STEP_MS = 300; // how often a moment that goes on is asked for

export class Travel {
  moment = null; // null: live
  playing = true;

  constructor({ start, end }, speed, { onMoment, onLive }) {
    Object.assign(this, { start, end, onMoment, onLive });
    this.speed = speed || 60;
    this.asked = false;
    this.wanted = null;
    setInterval(() => this.#goOn(), STEP_MS);
  }

  get travelling() {
    return this.moment !== null;
  }

  go(moment) {
    this.moment = Math.min(Math.max(Math.round(moment), this.start), this.end);
    this.#ask();
  }

  // From wherever the page is now: stand, or go on.
  toggle(now) {
    this.playing = this.travelling ? !this.playing : false;
    this.go(this.travelling ? this.moment : now);
  }

  live() {
    this.moment = this.wanted = null;
    this.playing = true;
    this.onLive();
  }

  faster(by) {
    const at = SPEEDS.findIndex((speed) => speed >= this.speed);
    this.speed = SPEEDS[Math.min(Math.max(at + by, 0), SPEEDS.length - 1)];
  }

  #goOn() {
    if (this.travelling && this.playing && !this.asked) {
      const next = this.moment + this.speed * STEP_MS;
      if (next >= this.end) this.playing = false;
      this.go(next);
    }
  }

  // One question at a time; of the moments wanted meanwhile the last one counts.
  async #ask() {
    this.wanted = this.moment;
    if (this.asked) return;
    this.asked = true;
    try {
      while (this.wanted !== null) {
        const moment = this.wanted;
        this.wanted = null;
        const answer = await fetch(`/api/moment?t=${moment}`);
        if (answer.ok && this.travelling) this.onMoment(moment, await answer.json());
      }
    } catch {
      // The server is away; the state in the footer says so, and the next moment is asked for all the same.
    } finally {
      this.asked = false;
    }
  }
}
