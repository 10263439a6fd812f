"""Hypothesis strategies for scenarios on a network, and for cases: a network with a scenario on it.

    from hypothesis import given
    from cta.testing.scenarios import cases

    @given(cases())
    def test_times_never_go_back(case): ...

Every scenario resolves against its network (`cta.simulation.plan.resolve`). Windows begin in or around hours with
departures, on a weekday, a weekend day or a night when the clocks change. The simplest scenario is the timetable of all
lines for ten minutes without a fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import UNSET, UnsetType

from cta.model.scenario import Breakdown, Closure, Fault, Headways, Scenario, SlowZone, Surge, Timetable
from cta.model.time import (
    HOUR_MS,
    MINUTE_MS,
    day_type,
    format_timestamp,
    operating_day_start_ms,
    service_day_of,
    service_day_zero_ms,
)
from cta.network.lookup import unique_name
from cta.network.network import Network
from cta.testing.documents import Case
from cta.testing.drawing import strategies as st
from cta.testing.networks import networks

DAYS = (
    date(2019, 10, 16),  # a Wednesday
    date(2019, 10, 19),  # a Saturday
    date(2019, 10, 20),  # a Sunday
    date(2019, 11, 2),  # the clocks go back in its operating day
    date(2019, 3, 9),  # the clocks go forward in its operating day
)
SHORTEST_MIN, LONGEST_MIN = 10, 180
FIRST_HOUR, LAST_HOUR = 3, 26
MOST_FAULTS = 3
MOST_SEED = 2**53

Spell = tuple[str, str]
"""A fault's start and duration, as a scenario writes them."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A network and a scenario on it; a failing one prints as a call that makes it again."""
    network = draw(networks())
    return Case(network, draw(scenarios(network)))


@st.composite
def scenarios(draw: st.DrawFn, network: Network) -> Scenario:
    """Scenarios on the network: ten minutes to three hours, some or all lines, up to three faults that agree."""
    lines = draw(st.just(UNSET) | _some_lines(network))
    start_ms = draw(_starts_ms(network))
    duration_min = draw(st.integers(SHORTEST_MIN, LONGEST_MIN))
    running = list(network.lines) if isinstance(lines, UnsetType) else lines
    return Scenario(
        name="generated",
        seed=draw(st.integers(0, MOST_SEED)),
        start=format_timestamp(start_ms),
        duration=f"PT{duration_min}M",
        lines=lines,
        ridership=next(iter(network.ridership)),
        service=draw(st.just(Timetable()) | _headways()),
        faults=draw(_faults(network, running, start_ms, duration_min)),
    )


def _some_lines(network: Network) -> st.SearchStrategy[list[str]]:
    """One or more of the lines, in the network's order."""
    lines = list(network.lines)
    return st.sets(st.sampled_from(lines), min_size=1).map(lambda some: [line for line in lines if line in some])


@st.composite
def _starts_ms(draw: st.DrawFn, network: Network) -> int:
    """A whole minute of an operating day, in an hour with departures or the one before or after."""
    day = draw(st.sampled_from(DAYS))
    busy = {frequency.hour for frequency in network.frequencies if frequency.day_type == day_type(day)}
    around = {hour + shift for hour in busy for shift in (-1, 0, 1)} & set(range(FIRST_HOUR, LAST_HOUR + 1))
    hour = draw(st.sampled_from(sorted(around or {FIRST_HOUR})))
    return service_day_zero_ms(day) + hour * HOUR_MS + draw(st.integers(0, 59)) * MINUTE_MS


def _headways() -> st.SearchStrategy[Headways]:
    return st.builds(Headways, st.integers(1, 6), st.integers(1, 20).map("PT{}M".format))


@st.composite
def _faults(draw: st.DrawFn, network: Network, running: Sequence[str], start_ms: int, duration_min: int) -> list[Fault]:
    """Up to three faults that touch the window and do not contradict one another."""
    spells = _spells(start_ms, duration_min)
    kinds: list[st.SearchStrategy[Fault]] = [
        _surges(network, spells),
        _breakdowns(network, running, spells),
        _slow_zones(network, running, spells),
    ]
    closable = closable_stations(network)
    if closable:
        kinds.append(_closures(network, closable, spells))
    return draw(st.lists(st.one_of(kinds), max_size=MOST_FAULTS, unique_by=_place))


def _place(fault: Fault) -> str:
    """What only one fault may be about: a closed station has no breakdowns; surges and slow zones contradict neither."""
    if isinstance(fault, SlowZone):
        return f"track of {fault.line}"
    return f"riders at {fault.station}" if isinstance(fault, Surge) else f"trains at {fault.station}"


def closable_stations(network: Network) -> list[int]:
    """Stations where no line turns: a terminal cannot be passed."""
    ends = {station for _, station in network.terminals}
    return [station for station in network.stations if station not in ends]


@st.composite
def _spells(draw: st.DrawFn, start_ms: int, duration_min: int) -> Spell:
    """A spell begins up to an hour before the window, not before the operating day, and may outlast the window."""
    since_opening_min = (start_ms - operating_day_start_ms(service_day_of(start_ms))) // MINUTE_MS
    first_min = draw(st.integers(-min(60, since_opening_min), duration_min - 1))
    length_min = draw(st.integers(1, LONGEST_MIN))
    return format_timestamp(start_ms + first_min * MINUTE_MS), f"PT{length_min}M"


def _factors(most: int) -> st.SearchStrategy[float]:
    """Quarters above 1, which floats hold exactly."""
    return st.integers(5, 4 * most).map(lambda quarters: quarters / 4)


@st.composite
def _surges(draw: st.DrawFn, network: Network, spells: st.SearchStrategy[Spell]) -> Surge:
    station = draw(st.sampled_from(list(network.stations)))
    return Surge(unique_name(network, station), draw(_factors(20)), *draw(spells))


@st.composite
def _closures(draw: st.DrawFn, network: Network, closable: Sequence[int], spells: st.SearchStrategy[Spell]) -> Closure:
    return Closure(unique_name(network, draw(st.sampled_from(closable))), *draw(spells))


@st.composite
def _breakdowns(
    draw: st.DrawFn, network: Network, running: Sequence[str], spells: st.SearchStrategy[Spell]
) -> Breakdown:
    pattern = draw(st.sampled_from([pattern for pattern in network.patterns.values() if pattern.line in running]))
    call = draw(st.sampled_from(pattern.calls))
    return Breakdown(pattern.line, unique_name(network, call.station_id), call.direction, *draw(spells))


@st.composite
def _slow_zones(
    draw: st.DrawFn, network: Network, running: Sequence[str], spells: st.SearchStrategy[Spell]
) -> SlowZone:
    """A slow stretch between two stations that one chain of the line's platforms joins."""
    chain = draw(st.sampled_from([chain for chain in network.chains if chain.line in running and len(chain.stops) > 1]))
    first = draw(st.integers(0, len(chain.stops) - 2))
    last = draw(st.integers(first + 1, len(chain.stops) - 1))
    begin, end = (unique_name(network, network.platforms[chain.stops[at]].station_id) for at in (first, last))
    return SlowZone(chain.line, begin, end, draw(_factors(5)), *draw(spells))
