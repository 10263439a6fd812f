// Time travel: a moment of one's own over the run, that stands or goes on, in place of the live one.

const SPEEDS = [1, 10, 30, 60, 120, 300, 600];
const STEP_MS = 300; // how often a moment that goes on is asked for

export class Travel {
  moment = null; // null: live
  playing = true;

  #pauses = 0;

  // onMoment(moment, slots): what a moment has; onStand(moment): that it stands there, what it has is being asked for.
  constructor({ start, end }, speed, { onMoment, onStand, onLive }) {
    Object.assign(this, { start, end, onMoment, onStand, onLive });
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

  // Stand at the moment that is shown, or go on from where it stands. Answers under way are of moments before it.
  toggle(shown) {
    const stands = this.travelling && !this.playing;
    this.playing = stands;
    if (!stands) this.#pauses++;
    this.go(stands ? this.moment : shown);
    if (!stands) this.onStand(this.moment);
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
    if (!this.travelling || this.asked) return;
    if (this.playing) this.go(this.moment + this.speed * STEP_MS);
    else if (this.wanted !== null) this.go(this.moment); // it had no answer
  }

  // One question at a time; of the moments wanted meanwhile the last one counts.
  async #ask() {
    this.wanted = this.moment;
    if (this.asked) return;
    this.asked = true;
    let moment;
    try {
      while (this.wanted !== null) {
        moment = this.wanted;
        const pauses = this.#pauses;
        this.wanted = null;
        const answer = await fetch(`/api/moment?t=${moment}`);
        const slots = answer.ok && await answer.json();
        if (!slots || !this.travelling || pauses !== this.#pauses) continue;
        if (moment === this.end) this.playing = false;
        this.onMoment(moment, slots);
      }
    } catch {
      // The server is away; the state in the footer says so, and the moment is asked for again.
      if (this.travelling) this.wanted ??= moment;
    } finally {
      this.asked = false;
    }
  }
}
