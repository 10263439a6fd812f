"""Lag: how far what takes a run is behind it.

Records that were sent and not acknowledged say whether the broker keeps up; in a paced run, the time by which a record
is late says whether this machine does; records that workers' groups have not read yet say whether they do. The last
takes requests to the cluster: they are made beside the run, once a second, and only while somebody looks.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

from cta.model.errors import CtaError

LOOK_S: Final = 1.0


@dataclass(frozen=True)
class Lag:
    """``behind_s``: how late the last record was sent; None where a run isn't paced. ``unread_records``: by group.

    ``unacknowledged_records`` is None in memory, where a record that was sent is there.
    """

    unacknowledged_records: int | None = None
    behind_s: float | None = None
    unread_records: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        sent = None if self.unacknowledged_records is None else f"{self.unacknowledged_records:,} unacknowledged"
        late = None if self.behind_s is None else f"{self.behind_s:.1f} s behind the clock"
        unread = [f"{group} {records:,} unread" for group, records in self.unread_records.items()]
        return ", ".join(part for part in (sent, late, *unread) if part is not None)


class Unread:
    """What groups have not read, as it was when it was looked at last; ``look`` asks the cluster."""

    def __init__(self, look: Callable[[], Mapping[str, int]]) -> None:
        self._look = look
        self._last: Mapping[str, int] = {}
        self._ended = Event()
        self._thread: Thread | None = None

    def last(self) -> Mapping[str, int]:
        """Costs nothing. The looks begin when this is asked for the first time."""
        if self._thread is None:
            self._thread = Thread(target=self._look_often, daemon=True)
            self._thread.start()
        return self._last

    def now(self) -> Mapping[str, int]:
        """Asks the cluster; what was seen last where that can't be reached: the run has its own error for that."""
        with contextlib.suppress(CtaError):
            self._last = self._look()
        return self._last

    def _look_often(self) -> None:
        while not self._ended.is_set():
            self.now()
            self._ended.wait(LOOK_S)

    def close(self) -> None:
        """No more looks; one that is under way is not waited for."""
        self._ended.set()
