"""World faults of a plan: what happens to stations, trains and riders, where exactly and when; and what cannot be."""

from __future__ import annotations

import itertools
from dataclasses import astuple, dataclass
from typing import Any

from cta.model import scenario as written
from cta.model.records import Direction
from cta.model.time import format_timestamp, operating_day_start_ms, service_day_of
from cta.simulation.references import References


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of event time, start_ms <= t < end_ms."""

    start_ms: int
    end_ms: int

    def overlaps(self, other: Window) -> bool:
        return self.start_ms < other.end_ms and other.start_ms < self.end_ms

    def holds(self, time_ms: int) -> bool:
        return self.start_ms <= time_ms < self.end_ms

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Breakdown:
    line: str
    station_id: int
    direction: Direction
    window: Window


@dataclass(frozen=True, slots=True)
class Closure:
    station_id: int
    window: Window


@dataclass(frozen=True, slots=True)
class SlowZone:
    line: str
    from_station_id: int
    to_station_id: int
    factor: float
    window: Window


@dataclass(frozen=True, slots=True)
class Surge:
    station_id: int
    factor: float
    window: Window


Fault = Breakdown | Closure | SlowZone | Surge


def resolve_faults(scenario: written.Scenario, references: References) -> tuple[Fault, ...]:
    """The scenario's faults, sorted by start, kind and place. Raises ScenarioError with the place in the document."""
    faults = [_fault(f"$.faults[{i}]", fault, references) for i, fault in enumerate(scenario.faults)]
    _check_contradictions(faults, references)
    return tuple(sorted(faults, key=_order))


def _fault(path: str, fault: written.Fault, references: References) -> Fault:
    window = _window(path, fault, references)
    if isinstance(fault, written.SlowZone):
        return _slow_zone(path, fault, window, references)
    if isinstance(fault, written.Breakdown):
        line = references.running_line(f"{path}.line", fault.line)
        station_id = references.station(f"{path}.station", fault.station, line)
        direction = references.direction(f"{path}.direction", fault.direction, line, station_id)
        return Breakdown(line, station_id, direction, window)
    station_id = references.station(f"{path}.station", fault.station)
    if isinstance(fault, written.Surge):
        return Surge(station_id, fault.factor, window)
    turning = [line for line in references.lines if (line, station_id) in references.network.terminals]
    if turning:
        what = f"{references.name(station_id)} cannot close: {', '.join(turning)} trains turn there"
        raise references.error(f"{path}.station", what, "close a station between terminals, or leave those lines out")
    return Closure(station_id, window)


def _window(path: str, fault: written.Fault, references: References) -> Window:
    """When a fault holds. It begins within what is simulated: from the operating day's start to the run's end."""
    start_ms = references.moment_ms(f"{path}.start", fault.start)
    earliest_ms = operating_day_start_ms(service_day_of(references.start_ms))
    if not earliest_ms <= start_ms < references.end_ms:
        what = f"{format_timestamp(start_ms)} is outside what is simulated"
        stretch = f"{format_timestamp(earliest_ms)} to {format_timestamp(references.end_ms)}"
        raise references.error(f"{path}.start", what, f"choose a moment from {stretch}")
    return Window(start_ms, start_ms + references.duration_ms(f"{path}.duration", fault.duration))


def _slow_zone(path: str, fault: written.SlowZone, window: Window, references: References) -> SlowZone:
    line = references.running_line(f"{path}.line", fault.line)
    first = references.station(f"{path}.from_station", fault.from_station, line)
    last = references.station(f"{path}.to_station", fault.to_station, line)
    if first == last:
        raise references.error(
            f"{path}.to_station", "is where the slow zone begins", "name another station of the line"
        )
    if not references.one_train_calls_at(line, first, last):
        what = f"no {line} train runs from {references.name(first)} to {references.name(last)}"
        raise references.error(f"{path}.to_station", what, "make it two slow zones, a branch each")
    return SlowZone(line, first, last, fault.factor, window)


def _order(fault: Fault) -> tuple[int, str, tuple[Any, ...]]:
    return fault.window.start_ms, type(fault).__name__, astuple(fault)


def _check_contradictions(faults: list[Fault], references: References) -> None:
    """No fault repeats or denies another. Slow zones and surges that overlap do neither: they add up."""
    for (i, first), (j, second) in itertools.combinations(enumerate(faults), 2):
        if first == second:
            raise references.error(f"$.faults[{j}]", f"is the same as $.faults[{i}]", "keep one of them")
        what = _contradiction(first, second, references) if first.window.overlaps(second.window) else None
        if what:
            raise references.error(f"$.faults[{j}]", f"{what} at the time of $.faults[{i}]", "move one of them")


def _contradiction(first: Fault, second: Fault, references: References) -> str | None:
    """What two faults that overlap in time cannot both say."""
    if isinstance(first, SlowZone | Surge) or isinstance(second, SlowZone | Surge):
        return None
    if first.station_id != second.station_id:
        return None
    place = references.name(first.station_id)
    if isinstance(first, Closure) and isinstance(second, Closure):
        return f"{place} is closed already"
    if isinstance(first, Breakdown) and isinstance(second, Breakdown):
        same = (first.line, first.direction) == (second.line, second.direction)
        return f"a {first.line} train breaks down at {place} already" if same else None
    return f"{place} is closed, so no train breaks down there,"
