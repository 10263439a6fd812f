"""Laws that hold over any stream of a plan, as delivered. A scenario may expect them; `cta check` judges all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from cta.model.batch import Batch
from cta.model.records import Arrival, Direction
from cta.model.scenario import InvariantName
from cta.model.time import format_timestamp
from cta.model.topics import ARRIVALS, TURNSTILE
from cta.simulation.plan import Closure, Plan, Window


class Invariant(ABC):
    """Takes batches in the order delivered. ``broken``: how many records broke the law in those that were folded."""

    broken: int = 0

    @abstractmethod
    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        """The rows of the batch that break the law, in order, and what is wrong there. Exhaust it before the next."""

    def fold(self, batch: Batch) -> None:
        self.broken += sum(1 for _ in self.find(batch))

    def finish(self) -> Iterator[str]:
        """What is wrong now that no more records will come."""
        return iter(())

    def lost(self) -> None:  # noqa: B027 - a law of each record by itself has nothing to forget
        """Records are lost here: what is known of the ones before says nothing of those that follow."""


class TimesNeverGoBack(Invariant):
    """No record is earlier than the one delivered before it."""

    def __init__(self, _plan: Plan) -> None:
        self._last_ms: int | None = None

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        if not len(batch):
            return
        first_ms = int(batch.times[0]) if self._last_ms is None else self._last_ms
        before = np.concatenate(([first_ms], batch.times[:-1]))
        self._last_ms = int(batch.times[-1])
        for row in np.flatnonzero(batch.times < before).tolist():
            yield row, f"time goes back to {format_timestamp(int(batch.times[row]))}"


class PrevIsWhereItLastServed(Invariant):
    """A train's record names the station and direction of its record before; none where it has just left the yard.

    The first record of a train that is seen cannot be judged: the train may have been under way.
    """

    def __init__(self, _plan: Plan | None) -> None:
        self._last: dict[str, tuple[int, Direction] | tuple[None, None]] = {}

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        last = self._last
        rows = np.flatnonzero(batch.ranks() == ARRIVALS.rank)
        for row, (_, content) in zip(rows.tolist(), batch[rows], strict=True):
            arrival: Arrival = content.value
            served = (arrival.prev_station_id, arrival.prev_direction)
            known = last.get(arrival.train_id, served)
            pulled_in = arrival.train_status == "out_of_service"
            last[arrival.train_id] = (None, None) if pulled_in else (arrival.station_id, arrival.direction)
            if known != served:
                yield (
                    row,
                    f"{arrival.train_id} names {_place(*served)} before this; its record before says {_place(*known)}",
                )

    def lost(self) -> None:
        self._last.clear()


def _place(station_id: int | None, direction: Direction | None) -> str:
    return "the yard" if station_id is None else f"{station_id} {direction}"


class NoServiceAtClosedStations(Invariant):
    """No train stops at a station and nobody enters it while it is closed."""

    def __init__(self, plan: Plan) -> None:
        self._closed: dict[int, list[Window]] = defaultdict(list)
        for fault in plan.faults:
            if isinstance(fault, Closure):
                self._closed[fault.station_id].append(fault.window)

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        at_closed = [
            content.topic in (ARRIVALS, TURNSTILE) and content.value.station_id in self._closed
            for content in batch.contents
        ]
        rows = np.flatnonzero(np.array(at_closed, np.bool_)[batch.codes])
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            if any(window.holds(time_ms) for window in self._closed[content.value.station_id]):
                yield row, f"station {content.value.station_id} is closed"


INVARIANTS: Final[Mapping[InvariantName, Callable[[Plan], Invariant]]] = {
    "times_never_go_back": TimesNeverGoBack,
    "prev_is_where_it_last_served": PrevIsWhereItLastServed,
    "no_service_at_closed_stations": NoServiceAtClosedStations,
}
