"""Laws that hold over any stream of a plan, as delivered: each counts the records that break it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np

from cta.model.batch import Batch
from cta.model.records import Arrival, Direction
from cta.model.scenario import InvariantName
from cta.model.topics import ARRIVALS, TURNSTILE
from cta.simulation.plan import Closure, Plan, Window


class Invariant(Protocol):
    """Folds batches in the order delivered. ``broken``: how many records broke the law so far."""

    broken: int

    def fold(self, batch: Batch) -> None: ...


class TimesNeverGoBack:
    """No record is earlier than the one delivered before it."""

    def __init__(self, _plan: Plan) -> None:
        self.broken = 0
        self._last_ms: int | None = None

    def fold(self, batch: Batch) -> None:
        if not len(batch):
            return
        if self._last_ms is not None:
            self.broken += int(batch.times[0]) < self._last_ms
        self.broken += int(np.count_nonzero(np.diff(batch.times) < 0))
        self._last_ms = int(batch.times[-1])


class PrevIsWhereItLastServed:
    """A train's record names the station and direction of its record before; none where it has just left the yard.

    The first record of a train that is seen cannot be judged: the train may have been under way.
    """

    def __init__(self, _plan: Plan) -> None:
        self.broken = 0
        self._last: dict[str, tuple[int, Direction] | tuple[None, None]] = {}

    def fold(self, batch: Batch) -> None:
        last = self._last
        for _, content in batch[batch.ranks() == ARRIVALS.rank]:
            arrival: Arrival = content.value
            served = (arrival.prev_station_id, arrival.prev_direction)
            self.broken += last.get(arrival.train_id, served) != served
            pulled_in = arrival.train_status == "out_of_service"
            last[arrival.train_id] = (None, None) if pulled_in else (arrival.station_id, arrival.direction)


class NoServiceAtClosedStations:
    """No train stops at a station and nobody enters it while it is closed."""

    def __init__(self, plan: Plan) -> None:
        self.broken = 0
        self._closed: dict[int, list[Window]] = defaultdict(list)
        for fault in plan.faults:
            if isinstance(fault, Closure):
                self._closed[fault.station_id].append(fault.window)

    def fold(self, batch: Batch) -> None:
        at_closed = [
            content.topic in (ARRIVALS, TURNSTILE) and content.value.station_id in self._closed
            for content in batch.contents
        ]
        for time_ms, content in batch[np.array(at_closed, np.bool_)[batch.codes]]:
            self.broken += any(window.holds(time_ms) for window in self._closed[content.value.station_id])


INVARIANTS: Final[Mapping[InvariantName, Callable[[Plan], Invariant]]] = {
    "times_never_go_back": TimesNeverGoBack,
    "prev_is_where_it_last_served": PrevIsWhereItLastServed,
    "no_service_at_closed_stations": NoServiceAtClosedStations,
}
