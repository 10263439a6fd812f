"""What is published about the "L" that a simulation of it can be held to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from cta.model.records import Direction
from cta.model.time import DayType
from cta.network.load import rows


@dataclass(frozen=True, slots=True)
class HeadwayCheck:
    """Trains an hour at a check station (headways.csv), in one direction, of the services named."""

    line: str
    label: str
    station_id: int
    direction: Direction
    services: tuple[str, ...]
    """Empty: all of the line's."""
    day_type: DayType
    trains: Mapping[int, int]
    """By hour of the local clock; hours 0 to 2 are the end of the same service day. No hour: no train."""


_PLACES: Final[dict[tuple[str, str], tuple[Direction, tuple[str, ...]]]] = {
    ("red", "95th-bound"): ("b", ()),
    ("red", "Howard-bound"): ("a", ()),
    ("blue", "Forest Park-bound (incl. UIC short turns)"): ("b", ()),
    ("blue", "O'Hare-bound"): ("a", ()),
    ("blue", "Forest Park branch, westbound"): ("b", ()),
    ("green", "63rd-bound trunk"): ("b", ()),
    ("green", "Harlem-bound trunk"): ("a", ()),
    ("green", "Cottage Grove branch"): ("b", ()),
    ("green", "Ashland/63rd branch"): ("b", ()),
    ("brown", "Loop-bound (all Kimball trips)"): ("b", ()),
    ("orange", "Loop-bound"): ("b", ()),
    ("purple", "Howard/Loop-bound at South Blvd weekday=local Howard only"): ("b", ("purple-local",)),
    ("purple", "Express at Wilson (both peaks)"): ("b", ("purple-express",)),
    ("yellow", "Howard-bound"): ("b", ()),
    ("yellow", "Skokie-bound"): ("a", ()),
}
"""Which trains a label of headways.csv counts. It has none for pink: its departures are estimated."""

RUNNING_TIME_PARTS: Final[dict[str, tuple[str, ...]]] = {
    "red-b": ("main",),
    "red-a": ("main",),
    "blue-forest-park-b": ("main",),
    "blue-forest-park-a": ("main",),
    "brown-b": ("main", "loop", "main"),
    "green-ashland-b": ("main", "ashland-63rd"),
    "green-ashland-a": ("main", "ashland-63rd"),
    "green-cottage-grove-b": ("main", "cottage-grove"),
    "green-cottage-grove-a": ("main", "cottage-grove"),
    "orange-b": ("main", "loop", "main"),
    "pink-b": ("main", "loop", "main"),
    "purple-local-b": ("local",),
    "purple-local-a": ("local",),
    "purple-express-b": ("local", "express", "loop", "express", "local"),
    "yellow-b": ("main",),
    "yellow-a": ("main",),
}
"""The parts of `Line.end_to_end_s` (lines.csv) that a whole trip of a pattern is made of."""

CONFLICT_DELAY_S: Final[dict[str, tuple[int, int]]] = {
    "red": (0, 0),
    "blue": (0, 0),
    "brown": (3, 32),
    "green": (3, 24),
    "orange": (6, 35),
    "pink": (4, 25),
    "purple-express": (18, 52),
    "purple-local": (1, 20),
    "yellow": (3, 31),
}
"""Mean and 95th percentile of a weekday trip's delay from conflicts in a simulation without chance (data README)."""


def headway_checks() -> tuple[HeadwayCheck, ...]:
    """Every check of headways.csv: a label and station a day type."""
    trains: dict[tuple[str, str, int, DayType], dict[int, int]] = defaultdict(dict)
    for row in rows("headways.csv"):
        day = cast(DayType, row["day_type"])
        trains[row["line"], row["service"], int(row["station_id"]), day][int(row["hour"])] = int(row["trains"])
    return tuple(
        HeadwayCheck(line, label, station_id, *_PLACES[line, label], day, hours)
        for (line, label, station_id, day), hours in trains.items()
    )
