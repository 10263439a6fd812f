"""The demo: a rush hour through the embedded pipeline, and the page that shows it."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cta.commands.pace import Stop
from cta.commands.serving import serve_run
from cta.commands.target import Run, open_run, open_to_replay

HOST: Final = "127.0.0.1"
PORT: Final = 8889


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

    run = _rush_hour() if target is None else open_to_replay(target)
    serve_run(run, run.window, host=host, port=port, speed=speed, again=True, stop=stop, ready=ready)


def _rush_hour() -> Run:
    """From beside this module, where the wheel has it, or from the checkout."""
    packaged = Path(__file__).with_name("rush_hour.json")
    return open_run(str(packaged if packaged.exists() else Path(__file__).parents[2] / "scenarios" / "rush_hour.json"))
