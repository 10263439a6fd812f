"""The pictures in README and docs, made anew: `nox -s pictures`. What they show is the program's own output."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent / "pictures"
ROOT = Path(__file__).parents[1]


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


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    terminal("replay", "one command, no services", "cta", "replay", "scenarios/blue_line_breakdown.json")
    terminal("station", "the network", "cta", "network", "Clark/Lake")
