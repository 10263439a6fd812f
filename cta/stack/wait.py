"""Waiting: polls with a deadline, on a clock that is handed in. Nothing here sleeps and hopes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from cta.model.errors import ServiceError

T = TypeVar("T")

POLL_S: Final = 0.1
PATIENCE_S: Final = 30.0
"""How long a service may take to become what it is asked to be, where the caller names no other time."""


class Clock(Protocol):
    """Seconds from any zero; never goes back. `cta.commands.pace.WallClock` is one, and so is `MachineClock`."""

    def now_s(self) -> float: ...

    def sleep_until_s(self, deadline_s: float) -> None: ...


class MachineClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        return time.monotonic()

    def sleep_until_s(self, deadline_s: float) -> None:
        time.sleep(max(0.0, deadline_s - time.monotonic()))


def until(
    look: Callable[[], T | None],
    late: Callable[[], ServiceError],
    *,
    clock: Clock,
    patience_s: float = PATIENCE_S,
    poll_s: float = POLL_S,
) -> T:
    """What ``look`` finds, as soon as it isn't None; it is asked at once and at least once after the deadline's poll.

    Errors: ``late()`` after ``patience_s`` seconds, made then so that it can say what was seen last; what ``look``
    raises goes through.
    """
    deadline_s = clock.now_s() + patience_s
    while (found := look()) is None:
        if clock.now_s() >= deadline_s:
            raise late()
        clock.sleep_until_s(min(deadline_s, clock.now_s() + poll_s))
    return found
