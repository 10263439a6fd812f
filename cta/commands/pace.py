"""Replay at the pace of event time: a record is sent when its moment comes, on a clock that is handed in.

A record of event time t is due at ``began + (t - t0) / speed``: each deadline is counted from the start and not from the
deadline before, so nothing drifts. Records are cut into slices of at most `SLICE_S` on the wall clock and a slice is
sent when its end is due: never early, never later than a slice after its moment (unless the machine is too slow, and
then it catches up).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from types import FrameType, TracebackType
from typing import Final, Protocol

import numpy as np

from cta.model.batch import Batch
from cta.model.time import SECOND_MS

SLICE_S: Final = 0.05
"""Short enough for an eye to see a stream, long enough that 1,000 times real time is 50 s of records a slice."""


SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Clock(Protocol):
    """What pacing needs of a clock. Seconds from any zero; it never goes back."""

    def now_s(self) -> float: ...

    def sleep_until_s(self, deadline_s: float) -> None:
        """Returns at the deadline, at once if it has passed, or early if the run is asked to stop."""


class Stop:
    """Ctrl+C, or SIGTERM, as a question that is asked between batches, so that a run stops with its sums agreeing.

    A second one interrupts wherever it is.
    """

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Stop:
        self._before = [signal.signal(number, self._ask) for number in SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class WallClock:
    """The machine's monotonic clock; a sleep looks up ten times a second to see whether it should stop."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    def now_s(self) -> float:
        return time.monotonic()

    def sleep_until_s(self, deadline_s: float) -> None:
        while not self._stop.asked and (left_s := deadline_s - time.monotonic()) > 0:
            time.sleep(min(left_s, 0.1))


def paced(batches: Iterable[Batch], clock: Clock, *, start_ms: int, speed: float) -> Iterator[Batch]:
    """The batches' records in slices, each when it is due. ``speed``: simulated seconds a second, finite, over zero.

    Slices without records are passed over; `start_ms` is the event time that is due at once. A record whose time goes
    back is sent with the one before it, or at once where that is of an earlier batch: its slice is past.
    """
    slice_ms = _slice_ms(speed)
    began_s = clock.now_s()
    for batch in batches:
        slices = (np.maximum.accumulate(batch.times) - start_ms) // slice_ms
        for piece in np.unique(slices).tolist():
            clock.sleep_until_s(began_s + (piece + 1) * slice_ms / SECOND_MS / speed)
            yield batch[slice(*np.searchsorted(slices, [piece, piece + 1]).tolist())]


def late_s(since_start_s: float, event_ms: int, speed: float) -> float:
    """How much later than `paced` promises a record goes out, ``event_ms`` of event time after the run's start."""
    return max(0.0, since_start_s - (event_ms + _slice_ms(speed)) / SECOND_MS / speed)


def _slice_ms(speed: float) -> int:
    """A slice in event time."""
    return max(1, int(SLICE_S * SECOND_MS * speed))
