"""The demo: a rush hour through the embedded pipeline, and the page that shows it."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from importlib.resources import as_file, files
from pathlib import Path

from cta.commands.pace import Stop
from cta.commands.serving import serve_run
from cta.commands.target import Run, open_run


def demo(
    target: str | None,
    *,
    host: str,
    port: int,
    speed: float,
    browser: bool,
    stop: Stop,
    say: Callable[[str], None],
) -> None:
    """Show ``target``, or the rush hour that comes with the package, over and over until ``stop`` is asked."""

    def ready(address: str) -> None:
        say(f"{run.name} at {speed:g} times real time: {address}  (Ctrl+C stops)")
        if browser:
            webbrowser.open(address)

    run = _rush_hour() if target is None else open_run(target)
    serve_run(run, run.window, host=host, port=port, speed=speed, again=True, stop=stop, ready=ready)


def _rush_hour() -> Run:
    """From the package, wherever the command is run."""
    with as_file(files("cta.web") / "rush_hour.json") as path:
        return open_run(str(path) if path.exists() else str(Path("scenarios/rush_hour.json")))
