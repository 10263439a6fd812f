"""Where a command's tables go, and what a person sees while it runs: a bar in simulated time.

Results go to stdout; the bar goes to stderr, and only where that is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

from cta.model.time import SECOND_MS, format_clock

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from cta.simulation.plan import Window


WIDE_COLUMNS: Final = 160
"""How wide tables are in a file or a pipe, where nobody's terminal sets the width: nothing of the "L" is cut there."""


def results(*, stderr: bool = False) -> Console:
    """Where tables are printed: stdout, or stderr where stdout holds something else."""
    from rich.console import Console

    class Results(Console):
        """A pipe that nobody reads is for the command line to end: rich would exit with 1, which is a verdict."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    stream = sys.stderr if stderr else sys.stdout
    return Results(stderr=stderr, width=None if stream.isatty() else WIDE_COLUMNS)


class Progress(Protocol):
    """Told now and then how far a run is."""

    def __call__(self, time_ms: int, records: int, lag: Callable[[], str] = str) -> None:
        """``records`` so far, all of them before ``time_ms``; ``lag`` is asked where it is shown, none by default."""


def unseen(time_ms: int, records: int, lag: Callable[[], str] = str) -> None:
    """The progress of a run that nobody watches."""


@contextmanager
def progress_bar(window: Window, *, quiet: bool = False) -> Iterator[Progress]:
    """A bar over the window: the simulated clock, records so far, records a second, lag. Nothing off a terminal."""
    if quiet or not sys.stderr.isatty():
        yield unseen
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    class WithLag(Bar):
        """The lag, where there is one, on a line of its own: beside the bar, a terminal has no room for it."""

        def get_renderables(self) -> Iterator[RenderableType]:
            yield from super().get_renderables()
            for task in self.tasks:
                if task.fields["lag"]:
                    yield Text(task.fields["lag"], no_wrap=True, overflow="ellipsis")

    bar = WithLag(
        TextColumn("{task.fields[clock]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[records]:>11,} records"),
        TextColumn("{task.fields[rate]:>11,.0f}/s"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        total_s, clock = window.duration_ms / SECOND_MS, format_clock(window.start_ms)
        task = bar.add_task("", total=total_s, clock=clock, records=0, rate=0.0, lag="")

        def advance(time_ms: int, records: int, lag: Callable[[], str] = str) -> None:
            elapsed_s = bar.tasks[0].elapsed or 0.0
            bar.update(
                task,
                completed=(time_ms - window.start_ms) / SECOND_MS,
                clock=format_clock(min(time_ms, window.end_ms)),
                records=records,
                rate=records / elapsed_s if elapsed_s else 0.0,
                lag=lag(),
            )

        yield advance
