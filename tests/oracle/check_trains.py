"""Checks of arrivals: each train goes where its line goes, no faster than it can, and keeps apart from the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from tests.oracle.case import Case, clock
from tests.oracle.railway import Spot

_SEPARATION_MS = 60_000
_LONG_AGO_MS = -(2**62)


@dataclass(frozen=True)
class _Arrival:
    n: int
    t: int
    train_id: str
    line: str
    direction: str
    station_id: int
    train_status: str
    prev_station_id: int | None
    prev_direction: str | None

    @property
    def place(self) -> tuple[int, str]:
        return self.station_id, self.direction

    @property
    def prev(self) -> tuple[int, str] | None:
        if self.prev_station_id is None or self.prev_direction is None:
            return None
        return self.prev_station_id, self.prev_direction

    @property
    def leaves(self) -> bool:
        return self.train_status == "out_of_service"


def neighbours(case: Case) -> list[str]:
    """A train comes from a neighbour on its line (closed stations passed), from a turn, or out of the yard."""
    return [said for train in _trains(case) for is_pace, said in _follow(train, case) if not is_pace]


def hops(case: Case) -> list[str]:
    """No run takes less than nine tenths of its time in track_hops.csv, no turn less than terminals.csv says."""
    return [said for train in _trains(case) for is_pace, said in _follow(train, case) if is_pace]


def platforms(case: Case) -> list[str]:
    """No two trains, of whatever lines, arrive at one platform within 60 s."""
    close = case.database.execute(
        """
        SELECT n, train_id, stop_id, t - before FROM (
            SELECT n, t, train_id, stop_id, LAG(t) OVER (PARTITION BY stop_id ORDER BY t, n) AS before
            FROM arrival JOIN platform USING (line, direction, station_id)
            WHERE train_status != 'out_of_service'
        ) WHERE t - before < ? ORDER BY n
        """,
        (_SEPARATION_MS,),
    )
    return [f"line {n}: {train} arrives at platform {stop} {ms} ms after another train" for n, train, stop, ms in close]


def closed(case: Case) -> list[str]:
    """No train serves a closed station."""
    return [
        f"line {n}: {train} is recorded at {fault.station_id}, which is closed"
        for fault in case.plan.of("closure")
        for n, train in case.database.execute(
            "SELECT n, train_id FROM arrival WHERE station_id = ? AND t >= ? AND t < ?",
            (fault.station_id, fault.start_ms, fault.end_ms),
        )
    ]


def _trains(case: Case) -> Iterator[list[_Arrival]]:
    columns = ", ".join(_Arrival.__dataclass_fields__)
    arrivals = (_Arrival(*row) for row in case.database.execute(f"SELECT {columns} FROM arrival ORDER BY train_id, n"))
    return (list(train) for _, train in groupby(arrivals, key=attrgetter("train_id")))


def _follow(train: list[_Arrival], case: Case) -> Iterator[tuple[bool, str]]:
    """What is wrong on a train's way: (is it about pace?, what)."""
    before: _Arrival | None = None
    at: set[Spot] = set()  # where the train may be: branches of a line share their trunk
    for arrival in train:
        here = set(case.railway.spots.get((arrival.line, arrival.direction, arrival.station_id), []))
        if before is not None and arrival.prev != (None if before.leaves else before.place):
            yield False, f"{_name(arrival)} says that it comes from {arrival.prev}, but it was at {before.place}"
        elif before is not None and arrival.line != before.line:
            yield False, f"{_name(arrival)} was on the {before.line} line"
        elif arrival.leaves:
            if arrival.prev != arrival.place or (arrival.line, arrival.station_id) not in case.railway.yards:
                yield False, f"{_name(arrival)} goes out of service where it cannot"
        else:
            ways = _ways(arrival, before, at, case)
            least_ms = min((ways[spot] for spot in here & ways.keys()), default=None)
            if least_ms is None:
                yield False, f"{_name(arrival)} is no neighbour of {arrival.prev or 'a yard'}"
            elif before is not None and arrival.t - before.t < least_ms:
                yield True, f"{_name(arrival)} comes from {arrival.prev} in {arrival.t - before.t} ms, least {least_ms}"
            here = here & ways.keys() or here
        before, at = arrival, here


def _ways(arrival: _Arrival, before: _Arrival | None, at: set[Spot], case: Case) -> dict[Spot, int]:
    """Where the train may be recorded next, with the least milliseconds since it was recorded ``before``."""
    since_ms = _LONG_AGO_MS if before is None or before.leaves else before.t

    def passes(station_id: int, after_ms: int) -> bool:
        return case.plan.closed(station_id, since_ms + after_ms, arrival.t)

    if arrival.prev is None:
        return dict.fromkeys(case.railway.starts[arrival.line], 0)
    if before is None:
        station_id, direction = arrival.prev
        at = set(case.railway.spots.get((arrival.line, direction, station_id), []))
    ways: dict[Spot, int] = {}
    for spot in at:
        for there, least_ms in case.railway.reach(spot, passes).items():
            ways[there] = min(least_ms, ways.get(there, least_ms))
    return ways


def _name(arrival: _Arrival) -> str:
    return f"line {arrival.n}: {arrival.train_id} at {arrival.place} at {clock(arrival.t)}"
