"""The page's first paint, as Chromium times it: `python -m benchmarks.paint [VISITS]`.

`cta demo` serves; the browser is running, each visit has an empty cache. The time is the browser's own, from the moment
that the address is asked for. Beside it stand its parts, and what the visit loads, compressed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright

GOAL_MS, GOAL_BYTES = 200, 60_000
TIMED = """() => {
  const page = performance.getEntriesByType("navigation")[0];
  const all = [page, ...performance.getEntriesByType("resource").filter((entry) => !entry.name.endsWith("/events"))];
  return {
    first_byte: page.responseStart,
    first_paint: performance.getEntriesByName("first-paint")[0].startTime,
    bytes: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
  };
}"""


def visit(browser: Browser, address: str) -> dict[str, Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_function("() => document.querySelector('#state').textContent === 'live'")
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
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            visit(browser, address)  # the browser's own first
            timed = [visit(browser, address) for _ in range(visits)]
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(timeout=30)
    paints = sorted(each["first_paint"] for each in timed)
    first_byte = median(each["first_byte"] for each in timed)
    print(f"first paint   {median(paints):.0f} ms, from {paints[0]:.0f} to {paints[-1]:.0f}; goal: under {GOAL_MS}")
    print(f"of it server  {first_byte:.0f} ms to the first byte")
    print(f"a visit       {median(each['bytes'] for each in timed):,.0f} bytes; goal: under {GOAL_BYTES:,}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
