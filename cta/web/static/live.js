// The server's events into a store. The browser reconnects by itself and says the last id it had.

const AGAIN_MS = 1000; // as the events' own retry

// The answer to what the page cannot be without: a server that is away for a moment is asked again.
export async function ask(path) {
  for (;;) {
    const answer = await fetch(path).catch(() => null);
    if (answer?.ok) return answer;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

export function follow(store, onState) {
  const source = new EventSource("/events");
  source.addEventListener("snapshot", (event) => store.replace(JSON.parse(event.data).set));
  source.addEventListener("change", (event) => store.change(JSON.parse(event.data)));
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => onState(false));
}
