"""Time travel: the scene of any moment of a run, folded from its records up to there.

A fold is fast (150,000 records in some 5 ms), so nothing is kept but the records themselves, and those only of a run
short enough to be held; a longer one is read anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, Final, Protocol

from cta.model.batch import Batch
from cta.model.errors import InputError
from cta.model.scenario import Scenario
from cta.model.time import DAY_MS, format_timestamp, parse_moment
from cta.network.network import Network
from cta.pipeline.board import Board
from cta.pipeline.stations import station_table
from cta.simulation.plan import Window
from cta.web.scene import Scene, Slots

HELD_MS: Final = 2 * DAY_MS
"""Two weekdays are 1.4 million records in 22 MB of columns."""


class Source(Protocol):
    """A run: its records by window, on a network. `cta.commands.target.Run` is one."""

    @property
    def name(self) -> str: ...

    @property
    def window(self) -> Window: ...

    @property
    def network(self) -> Network: ...

    @property
    def scenario(self) -> Scenario | None: ...

    def batches(self, window: Window) -> Iterator[Batch]: ...

    def station_rows(self) -> Sequence[Mapping[str, Any]]: ...


def empty_scene(source: Source) -> Scene:
    """The scene before the run's first record."""
    return Scene(Board(station_table(source.station_rows()).values(), source.network.lines))


class History:
    """A run at any of its moments. May be asked from several threads."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.window = source.window
        self._held: list[Batch] | None = None
        self._lock = Lock()

    def moment(self, text: str) -> int:
        """A time of day, a timestamp or epoch milliseconds within the run, in milliseconds. Errors: InputError."""
        time_ms = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else self._parsed(text)
        if not self.window.start_ms <= time_ms <= self.window.end_ms:
            start, end = format_timestamp(self.window.start_ms), format_timestamp(self.window.end_ms)
            raise InputError(f"{text!r} is outside the run", where="t", remedy=f"it goes from {start} to {end}")
        return time_ms

    def _parsed(self, text: str) -> int:
        try:
            return parse_moment(text, self.window.start_ms)
        except InputError as error:
            raise InputError(error.what, where="t", remedy=error.remedy) from None

    def batches(self, until_ms: int | None = None) -> Iterator[Batch]:
        """The records before a moment, or all."""
        end_ms = self.window.end_ms if until_ms is None else until_ms
        if self.window.duration_ms > HELD_MS:
            yield from self.source.batches(Window(self.window.start_ms, end_ms))
            return
        with self._lock:
            if self._held is None:
                self._held = list(self.source.batches(self.window))
        for batch in self._held:
            if len(before := batch.within(None, end_ms)):
                yield before

    def board(self, time_ms: int) -> dict[str, Any]:
        """The board's document of the records before a moment, as it stands at that moment."""
        return self._scene(time_ms).board.document(time_ms)

    def slots(self, time_ms: int) -> Slots:
        """The page's slots of the records before a moment."""
        return self._scene(time_ms).slots(time_ms)

    def _scene(self, time_ms: int) -> Scene:
        scene = empty_scene(self.source)
        for batch in self.batches(time_ms):
            scene.fold(batch)
        return scene
