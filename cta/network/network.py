"""The network as a value: what stands where, what connects to what, who runs when, who rides.

Everything here is immutable and complete in itself, so that tests and users can make networks of their own; `load.py`
makes Chicago's from the package's tables. Stops (platforms) and stations are integers of the GTFS kind, directions
``a`` and ``b`` (``b`` leads away from a line's terminal a; for Loop lines the trunk inbound and the Loop are ``b``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cta.model.records import Direction
from cta.model.time import DayType

DWELL_S = 20
"""The stop of a train at a platform that the published run times contain (data README: hop minus 20 s)."""

SEPARATION_S = 60
"""The least time between two trains over the same point, whatever their line (data README: departures are solved for it)."""


@dataclass(frozen=True, slots=True)
class Line:
    line: str
    name: str
    color: str
    text_color: str
    run_prefix: str
    """Two letters that its train ids begin with."""
    terminal_a: str
    terminal_b: str
    end_to_end_s: Mapping[str, int]
    """Published running time a part of the line (main, loop, express, ...), dwell included."""


@dataclass(frozen=True, slots=True)
class Station:
    station_id: int
    name: str
    descriptive_name: str
    """Unique where names are not: ``Western (Blue Line - O'Hare Branch)``."""
    lines: tuple[str, ...]
    home_line: str
    """The one line that its entries are booked to."""
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Platform:
    stop_id: int
    station_id: int
    name: str
    direction_id: str
    """Compass letter of the platform in CTA's stop list: N, E, S or W."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edge:
    """Directed track between two platforms. ``travel_s`` is without dwell; every line that uses it shares it."""

    from_stop: int
    to_stop: int
    travel_s: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a line's trains turn: ``tracks`` trains at once, each at least ``min_turn_s``; ``yard``: trains pull in and out."""

    line: str
    station_id: int
    tracks: int
    min_turn_s: int
    yard: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A platform on a trip, and the direction that the train shows there."""

    stop_id: int
    station_id: int
    direction: Direction


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a trip of a service calls at, from one terminal to the next; a Loop trip is ``b`` and then ``a``."""

    service: str
    line: str
    direction: Direction
    """The direction that the trip departs in."""
    calls: tuple[Call, ...]

    @property
    def name(self) -> str:
        return f"{self.service}-{self.direction}"


@dataclass(frozen=True, slots=True)
class Frequency:
    """Departures of a pattern in one hour of a service day: at hour * 3600 + first_offset_s + i * every_s, i < departures."""

    pattern: str
    day_type: DayType
    hour: int
    """3 to 26; hours 24 to 26 are the end of the same service day."""
    departures: int
    first_offset_s: int
    every_s: int

    def times_s(self) -> Iterator[int]:
        return (self.hour * 3600 + self.first_offset_s + i * self.every_s for i in range(self.departures))


@dataclass(frozen=True, slots=True)
class Chain:
    """A line's platforms along one branch and direction, in order."""

    line: str
    branch: str
    direction: Direction
    stops: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonthClimate:
    """A calendar month's weather at O'Hare (climate.csv). Temperatures in degrees C."""

    mean_c: float
    mean_min_c: float
    mean_max_c: float
    sd_daily_mean_c: float
    lag1_corr: float
    p_wet: float
    p_wet_after_wet: float
    p_wet_after_dry: float


@dataclass(frozen=True)
class Network:
    """A transit network. `validate.check` says whether it hangs together; the constructor does not."""

    lines: Mapping[str, Line]
    stations: Mapping[int, Station]
    platforms: Mapping[int, Platform]
    edges: Mapping[tuple[int, int], Edge]
    terminals: Mapping[tuple[str, int], Terminal]
    patterns: Mapping[str, Pattern]
    frequencies: tuple[Frequency, ...]
    chains: tuple[Chain, ...]
    ridership: Mapping[str, Mapping[int, Mapping[DayType, float]]] = field(default_factory=dict)
    """Mean entries a day: by data month (``2019-10``), station and day type."""
    hourly_curve: tuple[float, ...] = (1 / 24,) * 24
    """Share of a day's entries by hour of the local clock; sums to 1."""
    climate: tuple[MonthClimate, ...] = ()
    """Twelve months, January first."""

    @cached_property
    def timetable(self) -> Mapping[DayType, tuple[tuple[int, Pattern], ...]]:
        """Every departure of a day type's service day as (seconds after its zero, pattern), in order."""
        table: dict[DayType, list[tuple[int, Pattern]]] = {"weekday": [], "saturday": [], "sunday": []}
        for frequency in self.frequencies:
            pattern = self.patterns[frequency.pattern]
            table[frequency.day_type].extend((time_s, pattern) for time_s in frequency.times_s())
        return {day: tuple(sorted(rows, key=lambda row: (row[0], row[1].name))) for day, rows in table.items()}

    def nominal_run_s(self, pattern: Pattern) -> int:
        """Seconds from departure at the first call to arrival at the last, without chance or conflict."""
        stops = [call.stop_id for call in pattern.calls]
        run_s = sum(self.edges[hop].travel_s for hop in itertools.pairwise(stops))
        return run_s + DWELL_S * (len(stops) - 2)

    def stations_of(self, line: str) -> tuple[int, ...]:
        """The line's stations, from terminal a on, each once; a branch's own stations follow the trunk's."""
        seen: dict[int, None] = {}
        for direction in ("b", "a"):
            for chain in self.chains:
                if chain.line == line and chain.direction == direction:
                    seen.update(dict.fromkeys(self.platforms[stop].station_id for stop in chain.stops))
        return tuple(seen)
