"""The last two hours as they were told: what trains over time are drawn from where there is no run to ask.

Event time counts, and memory is what two hours hold, whatever the stream's length. Partitions are read one after the
other, so a train's records are in order and the trail's are not.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.time import HOUR_MS, MINUTE_MS
from cta.model.topics import ALERTS, ARRIVALS
from cta.simulation.plan import Window

TRAIL_MS: Final = 2 * HOUR_MS
LEAST_MS: Final = 10 * MINUTE_MS
"""A stretch that is shorter is shown as long as this."""


class Trail:
    """Arrivals of the last `TRAIL_MS` before the latest, and the alerts of that time."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[int, Content]] = deque()
        self._alerts: dict[str, tuple[int, Content]] = {}
        self._end_ms: int | None = None

    def __len__(self) -> int:
        return len(self._arrivals) + len(self._alerts)

    def fold(self, batch: Batch) -> None:
        """Take in a batch of any topics."""
        wanted = np.array([content.topic in (ARRIVALS, ALERTS) for content in batch.contents], np.bool_)[batch.codes]
        for time_ms, content in batch[wanted]:
            if content.topic is ALERTS:
                self._alerts[content.entity] = time_ms, content
                continue
            self._end_ms = max(time_ms, self._end_ms or time_ms)
            if time_ms >= self._end_ms - TRAIL_MS:
                self._arrivals.append((time_ms, content))
            while self._arrivals[0][0] < self._end_ms - TRAIL_MS:
                self._arrivals.popleft()
        self._alerts = {key: alert for key, alert in self._alerts.items() if not self._is_over(alert[1])}

    def _is_over(self, alert: Content) -> bool:
        to_ms: int | None = alert.value.active_to
        return to_ms is not None and self._end_ms is not None and to_ms < self._end_ms - TRAIL_MS

    def taken(self) -> tuple[Window, Batch] | None:
        """The stretch of time and its records; None before the first arrival."""
        if self._end_ms is None:
            return None
        arrivals = [record for record in self._arrivals if record[0] >= self._end_ms - TRAIL_MS]
        first_ms = min(time_ms for time_ms, _ in arrivals)
        window = Window(min(first_ms, self._end_ms - LEAST_MS), self._end_ms)
        return window, Batch.of([*self._alerts.values(), *arrivals])
