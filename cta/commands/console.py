"""What a person sees while a command runs: a bar in simulated time, on a terminal only.

Everything here goes to stderr; stdout belongs to results.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from cta.model.time import SECOND_MS, format_clock

if TYPE_CHECKING:
    from cta.simulation.plan import Window


class Progress(Protocol):
    """Told now and then how far a run is."""

    def __call__(self, time_ms: int, records: int) -> None:
        """``records`` so far, all of them before ``time_ms``."""


def unseen(time_ms: int, records: int) -> None:
    """The progress of a run that nobody watches."""


@contextmanager
def progress_bar(window: Window, *, quiet: bool = False) -> Iterator[Progress]:
    """A bar over the window: the simulated clock, records so far, records a second. Nothing off a terminal."""
    if quiet or not sys.stderr.isatty():
        yield unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.fields[clock]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[records]:>11,} records"),
        TextColumn("{task.fields[rate]:>11,.0f}/s"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(
            "", total=window.duration_ms / SECOND_MS, clock=format_clock(window.start_ms), records=0, rate=0.0
        )

        def advance(time_ms: int, records: int) -> None:
            elapsed_s = bar.tasks[0].elapsed or 0.0
            bar.update(
                task,
                completed=(time_ms - window.start_ms) / SECOND_MS,
                clock=format_clock(min(time_ms, window.end_ms)),
                records=records,
                rate=records / elapsed_s if elapsed_s else 0.0,
            )

        yield advance
