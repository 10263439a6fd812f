"""The pictures in README and docs, made anew: `nox -s pictures`. What they show is the program's own output."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent / "pictures"
ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CTA_CHROMIUM") or shutil.which("chromium")


def terminal(name: str, title: str, *command: str, width: int = 100) -> None:
    """Run a command and keep what it prints as an SVG that needs no outside font."""
    run = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": str(width), "PATH": "/usr/bin:/bin", "FORCE_COLOR": "1", "PYTHONIOENCODING": "utf-8"},
    )
    console = Console(record=True, width=width, force_terminal=True, color_system="truecolor", file=io.StringIO())
    console.print(Text("$ " + " ".join(command), style="bold green"))
    console.print(Text.from_ansi(run.stdout))
    svg = console.export_svg(title=title, theme=MONOKAI)
    (HERE / f"{name}.svg").write_text(re.sub(r"@font-face\s*{.*?}", "", svg, flags=re.DOTALL), "utf-8")


def page(name: str, scenario: str, path: str, *, width: int = 1440, height: int = 900, dark: bool = False) -> None:
    """The status page of a scenario at a moment, as Chromium shows it."""
    from playwright.sync_api import sync_playwright

    command = ["cta", "demo", "--no-browser", "--port", "0", "--scenario", f"scenarios/{scenario}.json"]
    demo = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert demo.stdout is not None
        address = re.findall(r"http://\S+/", demo.stdout.readline())[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            shown = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                device_scale_factor=2 if width < 500 else 1,
            )
            shown.goto(address + path)
            shown.wait_for_function("() => document.querySelector('#state').textContent === 'time travel, paused'")
            if "line=" in path:
                shown.wait_for_selector("#diagram svg .now[d]", state="attached")
            shown.wait_for_selector("#map .train-dot[transform]", state="attached")
            shown.screenshot(path=HERE / f"{name}.png")
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(timeout=30)


def diagram(name: str, scenario: str, line: str) -> None:
    """A line's trains over time."""
    command = ["cta", "plot", f"scenarios/{scenario}.json", "--line", line, "--force", "-o", str(HERE / f"{name}.svg")]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    terminal("replay", "one command, no services", "cta", "replay", "scenarios/blue_line_breakdown.json")
    terminal("station", "the network", "cta", "network", "Clark/Lake")
    diagram("blue", "blue_line_breakdown", "blue")
    if CHROMIUM is None:
        sys.exit("pictures of the page: no Chromium on this machine (CTA_CHROMIUM); the others are made")
    page("page", "rush_hour", "?t=08:15")
    page("page-dark", "blue_line_breakdown", "?t=08:08&line=blue", dark=True)
    page("page-phone", "rush_hour", "?t=08:15&line=brown", width=390, height=844)
