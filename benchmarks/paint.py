"""The page's first paint, as Chromium times it: `python -m benchmarks.paint [VISITS]`.

`cta demo` serves; the browser is running, each visit has an empty cache. The time is the browser's own, from the moment
that the address is asked for. Beside it stand its parts, what the visit loads, compressed, and the baseline: a page of one
word, visited in turns with ours.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, sync_playwright

GOAL_MS, GOAL_BYTES = 200, 60_000
LIVE = "() => document.querySelector('#state').textContent === 'live'"
TIMED = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const all = [page, ...performance.getEntriesByType("resource").filter((entry) => !entry.name.endsWith("/events"))];
  return {
    first_byte: page.responseStart,
    first_paint: performance.getEntriesByName("first-paint")[0].startTime,
    bytes: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
  };
}"""


class OneWord(BaseHTTPRequestHandler):
    """The least that a page can be."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        with suppress(ConnectionError):  # the visitor has left
            self.wfile.write(b"<!doctype html><title>CTA</title><p>CTA")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def one_word() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), OneWord) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def visit(browser: Browser, address: str, until: str = "() => true") -> dict[str, Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(until)
    page.wait_for_function("() => performance.getEntriesByName('first-paint').length")
    timed: dict[str, Any] = page.evaluate(TIMED)
    context.close()
    return timed


def main(visits: int) -> None:
    chromium = os.environ.get("CTA_CHROMIUM") or shutil.which("chromium")
    demo = subprocess.Popen(
        [sys.executable, "-m", "cta", "demo", "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert demo.stdout is not None
        (address,) = re.findall(r"http://\S+/", demo.stdout.readline())
        with sync_playwright() as playwright, one_word() as bare:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            visit(browser, address, LIVE)  # the browser's own first
            both = [(visit(browser, address, LIVE), visit(browser, bare)) for _ in range(visits)]
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(timeout=30)
    timed = [ours for ours, _ in both]
    paints = sorted(each["first_paint"] for each in timed)
    bare_ms = median(each["first_paint"] for _, each in both)
    times = median(ours["first_paint"] / bare["first_paint"] for ours, bare in both)
    first_byte = median(each["first_byte"] for each in timed)
    print(f"first paint   {median(paints):.0f} ms, from {paints[0]:.0f} to {paints[-1]:.0f}; goal: under {GOAL_MS}")
    print(f"one word      {bare_ms:.0f} ms; ours is {times:.1f} of it")
    print(f"of it server  {first_byte:.0f} ms to the first byte")
    print(f"a visit       {median(each['bytes'] for each in timed):,.0f} bytes; goal: under {GOAL_BYTES:,}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
