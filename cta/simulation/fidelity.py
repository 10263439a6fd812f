"""How near the simulation is to what is published: figures, not opinions. `cta network --fidelity` shows them.

Days without faults, chance on. What counts as near is in the tests.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import erf, sqrt
from statistics import fmean

from cta.model.scenario import Timetable
from cta.model.time import DAY_MS, HOUR_MS, DayType, day_type, local, operating_day_start_ms
from cta.network.checks import RUNNING_TIME_PARTS, HeadwayCheck
from cta.network.network import Network
from cta.simulation.movement import Movement
from cta.simulation.plan import Plan, Window
from cta.simulation.trains import Trains
from cta.simulation.turnstiles import Turnstiles

DAYS: dict[DayType, date] = {"weekday": date(2026, 5, 13), "saturday": date(2026, 5, 16), "sunday": date(2026, 5, 17)}
NEAR = 0.03
"""A station's entries are near its ridership within this share."""


@dataclass(frozen=True, slots=True)
class TrainsAnHour:
    """A line on a day type: over all its check stations and hours, the table's trains and how many are out of place."""

    line: str
    day_type: DayType
    table: int
    off: int
    """Sum over station and hour of |simulated - table|."""

    @property
    def off_share(self) -> float:
        return self.off / self.table


@dataclass(frozen=True, slots=True)
class RunningTime:
    """A pattern's whole trips that met no conflict: mean seconds from arrival to arrival, and as published."""

    pattern: str
    trips: int
    mean_s: float
    published_s: int

    @property
    def off_share(self) -> float:
        return abs(self.mean_s / self.published_s - 1)


@dataclass(frozen=True, slots=True)
class ConflictDelay:
    """What other trains cost a trip of a service, in seconds."""

    service: str
    trips: int
    mean_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Entries:
    """Mean entries of a day over some seeds, and ridership's; ``near``: stations within 3 % of theirs."""

    seeds: int
    mean: float
    ridership: float
    near: int
    near_by_chance: float
    """How many stations Poisson noise alone would leave within 3 %, in the mean."""
    stations: int


def day_plan(network: Network, day: date, seed: int) -> Plan:
    """A service day on all lines, from its first possible departure on, 24 hours, nothing wrong."""
    start_ms = operating_day_start_ms(day)
    window = Window(start_ms, start_ms + DAY_MS)
    return Plan("fidelity", seed, window, tuple(network.lines), "2019-10", Timetable(), ())


def movements(network: Network, day: date, seed: int) -> list[Movement]:
    """Every train at every platform, from two hours before the operating day to its end."""
    plan = day_plan(network, day, seed)
    seen: list[Movement] = []
    Trains(network, plan, seen.append).until(plan.window.end_ms)
    return seen


def trains_an_hour(
    network: Network, checks: Sequence[HeadwayCheck], day: date, seen: Sequence[Movement]
) -> list[TrainsAnHour]:
    """A row a line that has checks for the day's type."""
    start_ms = operating_day_start_ms(day)
    counted: Counter[tuple[str, int, str, int]] = Counter()
    for move in seen:
        if start_ms <= move.arrive_ms < start_ms + DAY_MS:
            pattern = network.patterns[move.pattern]
            call = pattern.calls[move.call]
            counted[pattern.service, call.station_id, call.direction, local(move.arrive_ms).hour] += 1
    table: Counter[str] = Counter()
    off: Counter[str] = Counter()
    for check in checks:
        if check.day_type == day_type(day):
            services = check.services or {p.service for p in network.patterns.values() if p.line == check.line}
            for hour in range(24):
                n = sum(counted[service, check.station_id, check.direction, hour] for service in services)
                table[check.line] += check.trains.get(hour, 0)
                off[check.line] += abs(n - check.trains.get(hour, 0))
    return [TrainsAnHour(line, day_type(day), table[line], off[line]) for line in network.lines if table[line]]


@dataclass(slots=True)
class _Trip:
    pattern: str
    start_ms: int
    held_ms: int
    duration_ms: int = 0


def _trips(seen: Sequence[Movement]) -> list[_Trip]:
    """Whole trips, in the order in which they end; those that began before the watch did are left out."""
    under_way: dict[str, _Trip] = {}
    whole: list[_Trip] = []
    for move in seen:
        if move.call == 0:
            under_way[move.train_id] = _Trip(move.pattern, move.arrive_ms, move.held_ms)
        elif (trip := under_way.get(move.train_id)) is not None:
            trip.held_ms += move.held_ms
            if move.last:
                trip.duration_ms = move.arrive_ms - trip.start_ms
                whole.append(under_way.pop(move.train_id))
    return whole


def running_times(network: Network, seen: Sequence[Movement]) -> list[RunningTime]:
    """A row a pattern that has a published running time and trips that met no conflict."""
    free: dict[str, list[float]] = defaultdict(list)
    for trip in _trips(seen):
        if trip.held_ms == 0:
            free[trip.pattern].append(trip.duration_ms / 1000)
    result = []
    for name, parts in RUNNING_TIME_PARTS.items():
        if free[name]:
            end_to_end_s = network.lines[network.patterns[name].line].end_to_end_s
            result.append(RunningTime(name, len(free[name]), fmean(free[name]), sum(end_to_end_s[p] for p in parts)))
    return result


def conflict_delays(network: Network, seen: Sequence[Movement]) -> list[ConflictDelay]:
    """A row a line; Purple's Express and local trains apart."""
    held: dict[str, list[float]] = defaultdict(list)
    for trip in _trips(seen):
        pattern = network.patterns[trip.pattern]
        held[pattern.service if pattern.line == "purple" else pattern.line].append(trip.held_ms / 1000)
    return [
        ConflictDelay(service, len(delays), fmean(delays), sorted(delays)[int(0.95 * len(delays))])
        for service, delays in sorted(held.items())
    ]


def entries(
    network: Network, day: date, seeds: Sequence[int], counted: Callable[[int], None] = lambda entries: None
) -> Entries:
    """Mean entries of the calendar day's 24 hours over the seeds, in all and by station.

    ``counted`` is told the entries with each seed.
    """
    counts: Counter[int] = Counter()
    zero_ms = operating_day_start_ms(day) - 3 * HOUR_MS
    for seed in seeds:
        before = counts.total()
        window = Window(zero_ms, zero_ms + DAY_MS)
        turnstiles = Turnstiles(
            network, Plan("fidelity", seed, window, tuple(network.lines), "2019-10", Timetable(), ())
        )
        for hour_ms in range(window.start_ms, window.end_ms, HOUR_MS):
            batch = turnstiles.hour(hour_ms)
            for code, content in enumerate(batch.contents):
                counts[content.key.station_id] += int((batch.codes == code).sum())
        counted(counts.total() - before)
    wanted = {station_id: means[day_type(day)] for station_id, means in network.ridership["2019-10"].items()}
    near = sum(abs(counts[station_id] / len(seeds) - mean) <= NEAR * mean for station_id, mean in wanted.items())
    by_chance = sum(erf(NEAR * sqrt(len(seeds) * mean / 2)) for mean in wanted.values())
    return Entries(len(seeds), sum(counts.values()) / len(seeds), sum(wanted.values()), near, by_chance, len(wanted))
