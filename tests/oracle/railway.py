"""The "L" from the CSV files alone: where a train may go next, and how fast.

A train stands at a `Spot`: a position in one chain of platforms of line_stops.csv. From there it goes on along the
chain; at the Loop's last station it goes through to the chain back; at a service's end it turns.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parents[2] / "cta" / "network" / "data"

_FASTEST_RUN = 0.9
"""The least part of a hop's table time that a run may take: chance makes runs a little shorter or longer."""

_SHORTEST_DWELL_MS = 10_000
"""Half of the table's 20 s: chance makes dwells shorter or longer too, and a train stops where it is recorded."""


@dataclass(frozen=True, order=True)
class Spot:
    line: str
    branch: str
    direction: str
    position: int
    station_id: int = field(compare=False)
    stop_id: int = field(compare=False)


@dataclass
class Railway:
    spots: dict[tuple[str, str, int], list[Spot]] = field(default_factory=lambda: defaultdict(list))
    """By (line, direction, station_id): one a branch."""
    ways: dict[Spot, list[tuple[Spot, int]]] = field(default_factory=lambda: defaultdict(list))
    """From a spot: the spots a train may come to next, with the least milliseconds that it takes."""
    starts: dict[str, set[Spot]] = field(default_factory=lambda: defaultdict(set))
    """By line: where services begin, and so where a train out of the yard may appear."""
    yards: set[tuple[str, int]] = field(default_factory=set)
    """(line, station_id) of the terminals that a train may leave the line at."""
    lines: list[dict[str, str]] = field(default_factory=list)
    """The rows of lines.csv."""

    def stop_id(self, line: str, direction: str, station_id: int) -> int | None:
        """The platform; None where the line has none. Branches of a line share the platforms of their trunk."""
        spots = self.spots.get((line, direction, station_id))
        return spots[0].stop_id if spots else None

    def station_ids(self, line: str) -> set[int]:
        return {station_id for of, _, station_id in self.spots if of == line}

    def stretch(self, line: str, one: int, other: int) -> dict[tuple[str, int, int], int]:
        """The least milliseconds of each run between two stations, both ways: by (direction, from, to)."""
        runs: dict[tuple[str, int, int], int] = {}
        for here, ways in self.ways.items():
            ends = [spot for end in (one, other) for spot in self.spots.get((line, here.direction, end), [])]
            between = sorted(spot.position for spot in ends if spot.branch == here.branch)
            for there, least_ms in ways:
                on_chain = here.line == line and (there.branch, there.direction) == (here.branch, here.direction)
                if on_chain and len(between) == 2 and between[0] <= here.position < there.position <= between[1]:
                    runs[here.direction, here.station_id, there.station_id] = least_ms
        return runs

    def reach(self, spot: Spot, passes: Callable[[int, int], bool]) -> dict[Spot, int]:
        """Where a train at ``spot`` may be recorded next, with the least milliseconds after.

        ``passes(station_id, after_ms)`` says whether a train that comes by the station no earlier than so many
        milliseconds after may find it closed, and so goes by without a record.
        """
        found: dict[Spot, int] = {}
        todo = [(spot, _SHORTEST_DWELL_MS)]
        while todo:
            here, spent_ms = todo.pop()
            for there, least_ms in self.ways.get(here, []):
                after_ms = spent_ms + least_ms
                if after_ms < found.get(there, after_ms + 1):
                    found[there] = after_ms
                    if passes(there.station_id, after_ms):
                        todo.append((there, after_ms))
        return found


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the network's CSV files."""
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def railway() -> Railway:
    """All lines, all services of all days."""
    found = Railway(lines=rows("lines.csv"))
    found.yards = {(row["line"], int(row["station_id"])) for row in rows("terminals.csv") if row["yard"] == "yes"}
    for row in rows("line_stops.csv"):
        at, station_id, stop_id = int(row["position"]), int(row["station_id"]), int(row["stop_id"])
        spot = Spot(row["line"], row["branch"], row["direction"], at, station_id, stop_id)
        found.spots[spot.line, spot.direction, station_id].append(spot)
    _run(found)
    _turn(found)
    found.spots, found.ways = dict(found.spots), dict(found.ways)  # what isn't there stays so when it is asked for
    return found


def _run(found: Railway) -> None:
    """Ways along the chains, and through from the Loop's last station to the way back."""
    least_ms = {
        (int(row["from_stop_id"]), int(row["to_stop_id"])): int(float(row["travel_s"]) * 1000 * _FASTEST_RUN)
        for row in rows("track_hops.csv")
    }
    at = {
        (spot.line, spot.branch, spot.direction, spot.stop_id): spot for spots in found.spots.values() for spot in spots
    }
    for row in rows("line_stops.csv"):
        here = at[row["line"], row["branch"], row["direction"], int(row["stop_id"])]
        for column, direction in (("next_stop_id", here.direction), ("through_to_stop_id", "a")):
            if row[column]:
                there = at[here.line, here.branch, direction, int(row[column])]
                found.ways[here].append((there, least_ms[here.stop_id, there.stop_id]))


def _turn(found: Railway) -> None:
    """Ways from a service's end to the beginning of any service of the line there, the other way."""
    ends: set[Spot] = set()
    for row in rows("services.csv"):
        # A service round the Loop goes through from b to a, and so neither ends nor begins there.
        directions_of_start, directions_of_end = ("b", "a") if row["via_loop"] == "yes" else ("ba", "ba")
        for direction in directions_of_start:
            found.starts[row["line"]] |= _spots(found, row, direction, f"first_station_{direction}")
        for direction in directions_of_end:
            ends |= _spots(found, row, direction, f"last_station_{direction}")
    turn_ms = {(row["line"], int(row["station_id"])): int(row["min_turn_s"]) * 1000 for row in rows("terminals.csv")}
    for end in sorted(ends):
        for start in sorted(found.starts[end.line]):
            if start.station_id == end.station_id and start.direction != end.direction:
                found.ways[end].append((start, turn_ms[end.line, end.station_id]))


def _spots(found: Railway, service: dict[str, str], direction: str, column: str) -> set[Spot]:
    spots = found.spots[service["line"], direction, int(service[column])]
    return {spot for spot in spots if spot.branch == service["branch"]}
