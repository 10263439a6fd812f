// The page's moment: slots by name, as the server has them, and whoever wants to know which of them changed.

export class Store {
  slots = {};
  #watchers = [];

  // Called with (slots, names): names is the set of slots that changed, or null when all may have.
  watch(watcher) {
    this.#watchers.push(watcher);
  }

  replace(slots) {
    this.slots = slots;
    for (const watcher of this.#watchers) watcher(this.slots, null);
  }

  change({ set, unset }) {
    Object.assign(this.slots, set);
    for (const name of unset) delete this.slots[name];
    const names = new Set([...Object.keys(set), ...unset]);
    for (const watcher of this.#watchers) watcher(this.slots, names);
  }
}
