// The server's events into a store. The browser reconnects by itself and says the last id it had.

export function follow(store, onState) {
  const source = new EventSource("/events");
  source.addEventListener("snapshot", (event) => store.replace(JSON.parse(event.data).set));
  source.addEventListener("change", (event) => store.change(JSON.parse(event.data)));
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => onState(false));
}
