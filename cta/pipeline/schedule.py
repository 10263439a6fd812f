"""The laws of the railway over a stream of arrivals: where a train may be next, and how near another one."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from cta.model.batch import Batch
from cta.model.records import Arrival, Direction
from cta.model.time import SECOND_MS
from cta.model.topics import ARRIVALS
from cta.network.network import SEPARATION_S, Network
from cta.pipeline.invariants import Invariant
from cta.simulation.fleet import RUN_SPREAD
from cta.simulation.plan import Closure, Plan, Window

Place = tuple[int, Direction]
Stop = tuple[str, int, Direction]
"""A line's trains at a station in a direction."""


class Ways:
    """Where a line's trains can go from where they are, by the network's patterns."""

    def __init__(self, network: Network) -> None:
        self.platforms: dict[Stop, set[int]] = defaultdict(set)
        """The platforms at which a line's trains stop at a station in a direction: one, in Chicago."""
        self.next: dict[Stop, dict[Place, int]] = defaultdict(dict)
        """The places after a place, and the least time to get there in milliseconds."""
        self.starts: dict[str, dict[Place, int]] = defaultdict(dict)
        """Where a line's trips begin: as `next` of the yard."""
        self.ends: set[Stop] = set()
        """Where a line's trips end: from here trains turn or pull in."""
        for pattern in network.patterns.values():
            line = pattern.line
            for call in pattern.calls:
                self.platforms[line, call.station_id, call.direction].add(call.stop_id)
            for before, after in itertools.pairwise(pattern.calls):
                run_ms = network.edges[before.stop_id, after.stop_id].travel_s * SECOND_MS * (100 - RUN_SPREAD) // 100
                ways = self.next[line, before.station_id, before.direction]
                place = (after.station_id, after.direction)
                ways[place] = min(run_ms, ways.get(place, run_ms))
            self.starts[line][pattern.calls[0].station_id, pattern.calls[0].direction] = 0
            self.ends.add((line, pattern.calls[-1].station_id, pattern.calls[-1].direction))
        for line, station_id, direction in self.ends:
            turn_ms = network.terminals[line, station_id].min_turn_s * SECOND_MS
            ways = self.next[line, station_id, direction]
            for place in self.starts[line]:
                if place[0] == station_id:
                    ways[place] = min(turn_ms, ways.get(place, turn_ms))

    def least_ms(self, line: str, before: Place | None, after: Place, passed: frozenset[int]) -> int | None:
        """The least time from one place (None: the yard) to the next where a train stops, past stations in ``passed``.

        None where no way leads there.
        """
        reached: dict[Place, int] = {}
        ahead = dict(self.starts[line] if before is None else self.next[line, *before])
        while ahead:
            place = min(ahead, key=lambda place: (ahead[place], place))
            at_ms = ahead.pop(place)
            if place == after:
                return at_ms
            reached[place] = at_ms
            if place[0] in passed:
                for further, run_ms in self.next[line, *place].items():
                    if further not in reached:
                        ahead[further] = min(at_ms + run_ms, ahead.get(further, at_ms + run_ms))
        return None


class NextStopIsANeighbour(Invariant):
    """A train's next stop is the next of a pattern of its line, a turn at a terminal, or the yard; no sooner than it can be.

    Closed stations are passed. A run takes its travel time less what chance can take off; a turn the terminal's least.
    """

    def __init__(self, network: Network, plan: Plan | None) -> None:
        self._network = network
        self._ways = Ways(network)
        self._closures = [fault for fault in plan.faults if isinstance(fault, Closure)] if plan is not None else []
        self._last: dict[str, tuple[int, str, Place | None]] = {}
        """By train: when and on what line it was last seen, and where; None: it went into the yard."""

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        rows = np.flatnonzero(batch.ranks() == ARRIVALS.rank)
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            arrival: Arrival = content.value
            what = self._wrong(time_ms, arrival)
            in_yard = arrival.train_status == "out_of_service"
            place = None if in_yard else (arrival.station_id, arrival.direction)
            self._last[arrival.train_id] = time_ms, arrival.line, place
            if what is not None:
                yield row, f"{arrival.train_id} {what}"

    def lost(self) -> None:
        self._last.clear()

    def _wrong(self, time_ms: int, arrival: Arrival) -> str | None:
        line, place = arrival.line, (arrival.station_id, arrival.direction)
        if (line, *place) not in self._ways.platforms:
            return f"stops at {self._name(place)}, where no {line} train does"
        ends_here = (line, *place) in self._ways.ends
        if arrival.train_status == "out_of_service" and not ends_here:
            return f"pulls in at {self._name(place)}, where no {line} trip ends"
        if arrival.train_id not in self._last:
            return None
        last_ms, last_line, last = self._last[arrival.train_id]
        if line != last_line:
            return f"is on the {line} line; it was on the {last_line} line"
        if arrival.train_status == "out_of_service":
            return None if last == place else f"pulls in at {self._name(place)}; it was at {self._name(last)}"
        least_ms = self._ways.least_ms(line, last, place, self._closed(last_ms, time_ms))
        if least_ms is None:
            return f"goes from {self._name(last)} to {self._name(place)}, which is not its next stop"
        if time_ms - last_ms < least_ms:
            took_s, least_s = (time_ms - last_ms) / 1000, least_ms / 1000
            return (
                f"goes from {self._name(last)} to {self._name(place)} in {took_s:g} s; it takes {least_s:g} s at least"
            )
        return None

    def _closed(self, from_ms: int, until_ms: int) -> frozenset[int]:
        """The stations closed at some time of the stretch."""
        stretch = Window(from_ms, until_ms + 1)
        return frozenset(fault.station_id for fault in self._closures if fault.window.overlaps(stretch))

    def _name(self, place: Place | None) -> str:
        if place is None:
            return "the yard"
        station = self._network.stations.get(place[0])
        return f"{place[0] if station is None else station.name} {place[1]}"


class PlatformsKeepTrainsApart(Invariant):
    """Two trains arrive at a platform at least `SEPARATION_S` apart, whatever their lines."""

    def __init__(self, network: Network) -> None:
        self._platforms = Ways(network).platforms
        self._last: dict[int, tuple[int, str]] = {}
        """By platform: when the last train arrived, and which."""

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        rows = np.flatnonzero(batch.ranks() == ARRIVALS.rank)
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            arrival: Arrival = content.value
            stops = self._platforms.get((arrival.line, arrival.station_id, arrival.direction), ())
            if arrival.train_status == "out_of_service" or len(stops) != 1:
                continue
            (stop_id,) = stops
            last_ms, train_id = self._last.get(stop_id, (-SEPARATION_S * SECOND_MS, ""))
            self._last[stop_id] = time_ms, arrival.train_id
            if 0 <= time_ms - last_ms < SEPARATION_S * SECOND_MS:
                apart_s = (time_ms - last_ms) / 1000
                yield row, f"{arrival.train_id} arrives at platform {stop_id} {apart_s:g} s after {train_id}"
