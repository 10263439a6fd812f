"""Whether a network hangs together. A network that passes can be simulated; Chicago's and every generated one do.

A rule looks at one table and yields a violation as (table and row, what is wrong). Rules are tried in order and the
first violation is raised, so a later rule may lean on what the earlier ones have made sure of.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import get_args

from cta.model.errors import NetworkError
from cta.model.time import DayType
from cta.network.network import Network, Pattern

HOURS = range(3, 27)
"""The hours of a service day that departures may stand in (data README)."""

CURVE_TOLERANCE = 1e-3
"""How far the shares of an hourly curve may be from 1 in all: the published ones are rounded to five places."""

MOST_ENTRIES = 900_000
"""Mean entries of a station and day: what `cta.simulation.turnstiles` can count in 63 bits."""

Violations = Iterator[tuple[str, str]]


def check(network: Network) -> None:
    """Raise NetworkError for the first violation: ``where`` names the table and the row, ``what`` the rule broken."""
    for rule in RULES:
        for row, what in rule(network):
            raise NetworkError(what, where=row, remedy="correct that row of the network")


def lines(network: Network) -> Violations:
    by_prefix: dict[str, str] = {}
    for key, line in network.lines.items():
        row = f"lines {key}"
        if line.line != key:
            yield row, f"the row is about {line.line}"
        other = by_prefix.setdefault(line.run_prefix, key)
        if other != key:
            yield row, f"its trains are called {line.run_prefix}, as those of {other}"


def stations(network: Network) -> Violations:
    for key, station in network.stations.items():
        row = f"stations {key}"
        if station.station_id != key:
            yield row, f"the row is about station {station.station_id}"
        for line in station.lines:
            if line not in network.lines:
                yield row, f"there is no line {line!r}"
        if station.home_line not in station.lines:
            yield row, f"its home line {station.home_line!r} does not serve it"


def platforms(network: Network) -> Violations:
    for key, platform in network.platforms.items():
        row = f"platforms {key}"
        if platform.stop_id != key:
            yield row, f"the row is about stop {platform.stop_id}"
        if platform.station_id not in network.stations:
            yield row, f"there is no station {platform.station_id}"
        for line in platform.lines:
            if line not in network.lines:
                yield row, f"there is no line {line!r}"


def edges(network: Network) -> Violations:
    for key, edge in network.edges.items():
        row = f"edges {key[0]}-{key[1]}"
        if (edge.from_stop, edge.to_stop) != key:
            yield row, f"the row is about {edge.from_stop}-{edge.to_stop}"
        for stop in key:
            if stop not in network.platforms:
                yield row, f"there is no stop {stop}"
        if edge.travel_s <= 0:
            yield row, f"travel_s is {edge.travel_s}, not above 0"
        for line in edge.lines:
            if line not in network.lines:
                yield row, f"there is no line {line!r}"


def terminals(network: Network) -> Violations:
    for key, terminal in network.terminals.items():
        row = f"terminals {key[0]} {key[1]}"
        if (terminal.line, terminal.station_id) != key:
            yield row, f"the row is about {terminal.line} {terminal.station_id}"
        if terminal.line not in network.lines:
            yield row, f"there is no line {terminal.line!r}"
        if terminal.station_id not in network.stations:
            yield row, f"there is no station {terminal.station_id}"
        if terminal.tracks < 1:
            yield row, f"it has {terminal.tracks} turn tracks, not at least 1"
        if terminal.min_turn_s < 0:
            yield row, f"min_turn_s is {terminal.min_turn_s}, below 0"


def yards(network: Network) -> Violations:
    with_yard = {terminal.line for terminal in network.terminals.values() if terminal.yard}
    for line in network.lines:
        if line not in with_yard:
            yield f"terminals {line}", "none of the line's terminals has a yard"


def patterns(network: Network) -> Violations:
    for key, pattern in network.patterns.items():
        row = f"patterns {key}"
        if pattern.name != key:
            yield row, f"the row is about {pattern.name}"
        if pattern.line not in network.lines:
            yield row, f"there is no line {pattern.line!r}"
        if len(pattern.calls) < 2:
            yield row, f"its calls are {len(pattern.calls)}, not at least 2"
        yield from _calls(network, pattern)
        yield from _hops(network, pattern)
        yield from _ends(network, pattern)


def _calls(network: Network, pattern: Pattern) -> Violations:
    for position, call in enumerate(pattern.calls):
        row = f"patterns {pattern.name}, call {position}"
        platform = network.platforms.get(call.stop_id)
        if platform is None:
            yield row, f"there is no stop {call.stop_id}"
        elif platform.station_id != call.station_id:
            yield row, f"stop {call.stop_id} is at station {platform.station_id}, not {call.station_id}"
    if pattern.calls[0].direction != pattern.direction:
        yield f"patterns {pattern.name}, call 0", f"its direction is not {pattern.direction!r}, the pattern's"


def _hops(network: Network, pattern: Pattern) -> Violations:
    for position, (call, ahead) in enumerate(itertools.pairwise(pattern.calls)):
        row = f"patterns {pattern.name}, call {position}"
        edge = network.edges.get((call.stop_id, ahead.stop_id))
        if edge is None:
            yield row, f"no edge leads from stop {call.stop_id} to {ahead.stop_id}"
        elif pattern.line not in edge.lines:
            yield row, f"{pattern.line} may not use the edge from stop {call.stop_id} to {ahead.stop_id}"


def _ends(network: Network, pattern: Pattern) -> Violations:
    for word, call in (("begins", pattern.calls[0]), ("ends", pattern.calls[-1])):
        if (pattern.line, call.station_id) not in network.terminals:
            yield f"patterns {pattern.name}", f"it {word} at {call.station_id}, no terminal of {pattern.line}"


def chains(network: Network) -> Violations:
    for chain in network.chains:
        row = f"chains {chain.line} {chain.branch} {chain.direction}"
        if chain.line not in network.lines:
            yield row, f"there is no line {chain.line!r}"
        for stop in chain.stops:
            if stop not in network.platforms:
                yield row, f"there is no stop {stop}"


def orders(network: Network) -> Violations:
    """A station's place along each line that serves it, which the page's table is ordered by."""
    along = {line: set(network.stations_of(line)) for line in network.lines}
    for key, platform in network.platforms.items():
        for line in platform.lines:
            if platform.station_id not in along[line]:
                yield f"platforms {key}", f"no chain of {line} has its station {platform.station_id}"


def frequencies(network: Network) -> Violations:
    for index, frequency in enumerate(network.frequencies):
        row = f"frequencies row {index} ({frequency.pattern} {frequency.day_type} hour {frequency.hour})"
        if frequency.pattern not in network.patterns:
            yield row, f"there is no pattern {frequency.pattern!r}"
        if frequency.hour not in HOURS:
            yield row, f"hour {frequency.hour} is not within {HOURS[0]} to {HOURS[-1]}"
        if frequency.departures < 1:
            yield row, f"it has {frequency.departures} departures, not at least 1"
        if frequency.every_s <= 0:
            yield row, f"every_s is {frequency.every_s}, not above 0"
        last_s = frequency.first_offset_s + (frequency.departures - 1) * frequency.every_s
        if frequency.first_offset_s < 0 or last_s >= 3600:
            yield row, "a departure lies outside the hour"


def departures(network: Network) -> Violations:
    for day, table in network.timetable.items():
        for (time_s, pattern), (next_s, following) in itertools.pairwise(table):
            if time_s == next_s and pattern.name == following.name:
                yield f"frequencies {pattern.name} {day}", f"two departures at {time_s} s of the service day"


def ridership(network: Network) -> Violations:
    for month, table in network.ridership.items():
        for station in network.stations:
            entries = table.get(station, {})
            for day in get_args(DayType):
                row = f"ridership {month} {station} {day}"
                if day not in entries:
                    yield row, "there are no mean entries"
                elif not (math.isfinite(entries[day]) and entries[day] >= 0):
                    yield row, f"mean entries are {entries[day]}, not a number from 0 on"
                elif entries[day] > MOST_ENTRIES:
                    yield row, f"mean entries are {entries[day]}, above {MOST_ENTRIES}"


def hourly_curve(network: Network) -> Violations:
    if len(network.hourly_curve) != 24:
        yield "hourly_curve", f"it has {len(network.hourly_curve)} hours, not 24"
    for hour, share in enumerate(network.hourly_curve):
        if not (math.isfinite(share) and share >= 0):
            yield f"hourly_curve hour {hour}", f"the share is {share}, not a number from 0 on"
    total = math.fsum(network.hourly_curve)
    if abs(total - 1) > CURVE_TOLERANCE:
        yield "hourly_curve", f"the shares sum to {total:.5f}, not 1"


def climate(network: Network) -> Violations:
    if len(network.climate) not in (0, 12):
        yield "climate", f"it has {len(network.climate)} months, not 12 or none"
    for number, month in enumerate(network.climate, 1):
        for name, figure in asdict(month).items():
            if name.startswith("p_wet"):
                if not 0 <= figure <= 1:
                    yield f"climate month {number}", f"{name} is {figure}, not within 0 to 1"
            elif not math.isfinite(figure):
                yield f"climate month {number}", f"{name} is {figure}, not a number"


RULES = (
    lines,
    stations,
    platforms,
    edges,
    terminals,
    yards,
    patterns,
    chains,
    orders,
    frequencies,
    departures,
    ridership,
    hourly_curve,
    climate,
)
