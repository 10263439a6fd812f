"""The live scene: a thread folds batches into it, the server's loop looks at it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Final, Literal

from cta.model.batch import Batch
from cta.simulation.plan import Window
from cta.web.scene import Scene, Slots

BATCHES_TIMED: Final = 1000
"""So many between two updates at the most; what is more comes from who folds and never updates."""

State = Literal["starting", "catching up", "live", "ended", "no Kafka"]


class Feed:
    """A scene that is filled while it is shown; ``speed``: simulated seconds a second, None where nobody paces it."""

    def __init__(self, make_scene: Callable[[], Scene], *, speed: float | None = None) -> None:
        self._make_scene = make_scene
        self._lock = Lock()
        self._scene = make_scene()
        self._rate = _Rate()
        self._pace = _Pace()
        self._came_s: deque[float] = deque(maxlen=BATCHES_TIMED)
        self.speed = speed
        self.state: State = "starting"
        self.lag: dict[str, int] = {}
        """Records that are known to be there and are not folded yet, by topic name."""
        self.round = 0
        """How many times it has begun anew."""

    def fold(self, batch: Batch) -> None:
        """Take in a batch."""
        came_s = time.monotonic()
        with self._lock:
            self._scene.fold(batch)
            self._rate.add(len(batch))
            self._came_s.append(came_s)

    def came_s(self) -> list[float]:
        """When each batch came, on the monotonic clock, of those folded since this was last asked."""
        with self._lock:
            came_s = list(self._came_s)
            self._came_s.clear()
        return came_s

    def count(self, entries: Mapping[int, int]) -> None:
        """Take in what TURNSTILE_SUMMARY says, by station."""
        with self._lock:
            for station_id, n in entries.items():
                self._scene.count(station_id, n)

    def pass_over(self, topic: str) -> None:
        """Count a record that nobody can read."""
        with self._lock:
            self._scene.unread[topic] += 1

    def miss(self, topic: str, records: int) -> None:
        """Count records that were deleted before they were read."""
        with self._lock:
            self._scene.missed[topic] += records

    def restart(self) -> None:
        """Forget everything: the run begins anew."""
        with self._lock:
            self._scene = self._make_scene()
            self.round += 1

    def slots(self) -> Slots:
        """The scene as it is now, with how it is being filled."""
        with self._lock:
            slots = self._scene.slots()
            rate = self._rate.a_second()
            seen = self._pace.of(slots["time"])
        slots["feed"] = {
            "state": self.state,
            "speed": seen if self.speed is None else self.speed,
            "round": self.round,
            "rate": rate,
            "lag": sum(self.lag.values()),
        }
        return slots

    def trail(self) -> tuple[Window, Batch] | None:
        """The last stretch of time with its arrivals and alerts; None where none is kept, or nothing came yet."""
        with self._lock:
            kept = self._scene.trail
            return None if kept is None else kept.taken()

    def counts(self) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
        """Records by topic name: read, not readable, and missed."""
        with self._lock:
            return self._scene.records(), dict(self._scene.unread), dict(self._scene.missed)


class _Rate:
    """Records a second of the wall clock, over the last whole seconds."""

    WINDOW_S = 5

    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}

    def add(self, records: int) -> None:
        now_s = int(time.monotonic())
        self._seconds[now_s] = self._seconds.get(now_s, 0) + records
        for second in [second for second in self._seconds if second < now_s - self.WINDOW_S]:
            del self._seconds[second]

    def a_second(self) -> int:
        now_s = int(time.monotonic())
        whole = [n for second, n in self._seconds.items() if now_s - self.WINDOW_S <= second < now_s]
        return round(sum(whole) / len(whole)) if whole else 0


class _Pace:
    """How fast event time goes on, seen from outside: simulated seconds a second over the last looks."""

    LOOKS = 20

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int]] = deque(maxlen=self.LOOKS)

    def of(self, time_ms: int | None) -> int:
        """Look at the time once more; 0 where it stands or is not known yet."""
        if time_ms is None:
            return 0
        self._looks.append((time.monotonic(), time_ms))
        (first_s, first_ms), (last_s, last_ms) = self._looks[0], self._looks[-1]
        return round((last_ms - first_ms) / 1000 / (last_s - first_s)) if last_s - first_s >= 1 else 0
