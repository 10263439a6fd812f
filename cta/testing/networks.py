"""Hypothesis strategy for networks: small, valid, and tangled in the ways that the real one is.

    from hypothesis import given
    from cta.testing.networks import networks

    @given(networks())
    def test_every_line_has_a_yard(network): ...

Every network passes `cta.network.validate.check`. It has the lines of a layout (`cta.testing.layouts`), running times,
terminals, departures on all day types and ridership drawn at random, and Chicago's hourly curve and climate. Station
ids are 40010, 40020, ...; each station has a platform a direction, 30001 for ``b`` and 30002 for ``a`` at the first; a
Loop's stations have the one that all trains pass. The simplest network is one line between two stations, with one
departure a direction and day type.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import get_args

from cta.model.records import Direction
from cta.model.time import DayType
from cta.network.load import chicago
from cta.network.network import (
    DWELL_S,
    Call,
    Chain,
    Edge,
    Frequency,
    Line,
    Network,
    Pattern,
    Platform,
    Station,
    Terminal,
)
from cta.testing.drawing import strategies as st
from cta.testing.layouts import Route, Routes, layouts

RIDERSHIP_MONTH = "2019-10"
NAMES = ("Ash", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ironwood", "Juniper", "Larch", "Maple")
HOUR_S = 3600
LAST_HOUR = 26
HOURS_TO_DRAIN = 2
"""No trip is longer: trains at a terminal without a yard have departures to take them away for so long."""

Edges = Mapping[tuple[int, int], Edge]
Terminals = Mapping[tuple[str, int], Terminal]


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Valid networks of 2 to 12 stations and one to three lines."""
    routes = draw(layouts())
    patterns = {pattern.name: pattern for route in routes for pattern in _patterns(route)}
    stations = draw(_stations(routes))
    edges = draw(_edges(patterns.values()))
    terminals = draw(_terminals(routes))
    frequencies = [draw(_frequencies(route, terminals)) for route in routes]
    return Network(
        lines={route.line: _line(route, stations, edges) for route in reversed(routes)},
        stations=stations,
        platforms=_platforms(patterns.values()),
        edges=edges,
        terminals=terminals,
        patterns=patterns,
        frequencies=tuple(itertools.chain.from_iterable(frequencies)),
        chains=tuple(chain for route in routes for chain in _chains(route)),
        ridership={RIDERSHIP_MONTH: draw(_ridership(stations))},
        hourly_curve=chicago().hourly_curve,
        climate=chicago().climate,
    )


def station_id(number: int) -> int:
    """The id of a layout's station."""
    return 40010 + 10 * number


def stop_id(number: int, direction: Direction) -> int:
    """The id of the platform of a layout's station in a direction."""
    return 30001 + 2 * number + (direction == "a")


def _calls(numbers: Iterable[int], direction: Direction) -> tuple[Call, ...]:
    return tuple(Call(stop_id(number, direction), station_id(number), direction) for number in numbers)


def _patterns(route: Route) -> list[Pattern]:
    out, back = _calls(route.trunk, "b"), _calls(reversed(route.trunk), "a")
    if route.loop:
        return [Pattern(route.service, route.line, "b", out + _calls(route.loop, "b") + back)]
    return [Pattern(route.service, route.line, "b", out), Pattern(route.service, route.line, "a", back)]


def _chains(route: Route) -> list[Chain]:
    ways: list[tuple[Direction, Iterable[int]]] = [("b", route.trunk + route.loop), ("a", reversed(route.trunk))]
    return [
        Chain(route.line, route.service, direction, tuple(stop_id(number, direction) for number in numbers))
        for direction, numbers in ways
    ]


def _line(route: Route, stations: Mapping[int, Station], edges: Edges) -> Line:
    """The line of one of Chicago's with the terminals of a route, and as published running time what its edges add up to."""
    stops = [call.stop_id for call in _patterns(route)[0].calls]
    run_s = sum(edges[hop].travel_s for hop in itertools.pairwise(stops)) + DWELL_S * (len(stops) - 2)
    first, last = (stations[station_id(number)].name for number in (route.ends[0], (route.trunk + route.loop)[-1]))
    return replace(chicago().lines[route.line], terminal_a=first, terminal_b=last, end_to_end_s={"main": run_s})


@st.composite
def _stations(draw: st.DrawFn, routes: Routes) -> dict[int, Station]:
    """Stations in a row northwards, each served by the lines of its routes; names may repeat, as in Chicago."""
    lines: dict[int, dict[str, None]] = {}
    for route in routes:
        for number in route.trunk + route.loop:
            lines.setdefault(number, {})[route.line] = None
    different_names = draw(st.sampled_from((len(NAMES), 3)))
    return {
        station_id(number): Station(
            station_id=station_id(number),
            name=NAMES[number % different_names],
            descriptive_name=_descriptive_name(number, different_names, tuple(lines[number])),
            lines=tuple(lines[number]),
            home_line=draw(st.sampled_from(tuple(lines[number]))),
            lat=41.88 + number / 100,
            lon=-87.63,
        )
        for number in sorted(lines)
    }


def _descriptive_name(number: int, different_names: int, lines: tuple[str, ...]) -> str:
    """In CTA's way: ``Ash (Red Line)``, ``Ash (Red & Blue Lines)``, ``Ash (Red Line - Fourth Branch)``."""
    words = " & ".join(line.capitalize() for line in lines) + (" Line" if len(lines) == 1 else " Lines")
    branch = f" - {number // different_names + 1}. Branch" if number >= different_names else ""
    return f"{NAMES[number % different_names]} ({words}{branch})"


def _platforms(patterns: Iterable[Pattern]) -> dict[int, Platform]:
    """A platform for each stop that is called at, with the lines that call."""
    platforms: dict[int, Platform] = {}
    for pattern in patterns:
        for call in pattern.calls:
            known = platforms.get(call.stop_id)
            lines = tuple(dict.fromkeys((*(known.lines if known else ()), pattern.line)))
            compass = "N" if call.direction == "b" else "S"
            platforms[call.stop_id] = Platform(
                call.stop_id, call.station_id, f"{call.station_id} ({compass})", compass, lines
            )
    return dict(sorted(platforms.items()))


@st.composite
def _edges(draw: st.DrawFn, patterns: Iterable[Pattern]) -> dict[tuple[int, int], Edge]:
    """An edge for each hop of a pattern, with the lines that take it."""
    lines: dict[tuple[int, int], dict[str, None]] = {}
    for pattern in patterns:
        for hop in itertools.pairwise(call.stop_id for call in pattern.calls):
            lines.setdefault(hop, {})[pattern.line] = None
    return {hop: Edge(*hop, draw(st.integers(20, 400)), tuple(lines[hop])) for hop in lines}


@st.composite
def _terminals(draw: st.DrawFn, routes: Routes) -> dict[tuple[str, int], Terminal]:
    """The ends of each line's routes; at least one end of a line has a yard."""
    ends: dict[str, dict[int, None]] = {}
    for route in routes:
        ends.setdefault(route.line, {}).update(dict.fromkeys(route.ends))
    terminals = {}
    for line, numbers in ends.items():
        surely = draw(st.sampled_from(tuple(numbers)))
        for number in numbers:
            terminals[line, station_id(number)] = Terminal(
                line=line,
                station_id=station_id(number),
                tracks=draw(st.integers(1, 3)),
                min_turn_s=draw(st.integers(0, 300)),
                yard=not draw(st.booleans()) or number == surely,
            )
    return terminals


@st.composite
def _frequencies(draw: st.DrawFn, route: Route, terminals: Terminals) -> list[Frequency]:
    """Both directions of a service depart at one spacing in the same one to four hours, on each day type its own.

    Where trains cannot go into a yard, departures go on until the last of them is taken away.
    """
    frequencies = []
    for day in get_args(DayType):
        first_hour, hours = draw(st.integers(3, LAST_HOUR - 2)), draw(st.integers(1, 4))
        every_s, most = draw(st.integers(60, 1800)), draw(st.integers(1, HOUR_S // 60))
        offsets_s = draw(st.tuples(st.integers(0, every_s - 1), st.integers(0, every_s - 1)))
        for pattern, offset_s in zip(_patterns(route), offsets_s, strict=False):
            start = terminals[route.line, pattern.calls[0].station_id]
            stop_hour = first_hour + hours + (0 if start.yard else HOURS_TO_DRAIN)
            departures = min(most, (HOUR_S - 1 - offset_s) // every_s + 1)
            frequencies += [
                Frequency(pattern.name, day, hour, departures, offset_s, every_s)
                for hour in range(first_hour, min(stop_hour, LAST_HOUR + 1))
            ]
    return frequencies


@st.composite
def _ridership(draw: st.DrawFn, stations: Mapping[int, Station]) -> dict[int, dict[DayType, float]]:
    """Up to 5,000 mean entries a weekday, three quarters of them on Saturdays and half on Sundays."""
    ridership: dict[int, dict[DayType, float]] = {}
    for station in stations:
        weekday = draw(st.integers(0, 5000))
        ridership[station] = {"weekday": float(weekday), "saturday": weekday * 0.75, "sunday": weekday * 0.5}
    return ridership
