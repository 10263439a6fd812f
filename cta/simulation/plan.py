"""A scenario held against a network: names resolved, moments in milliseconds. What the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass

from cta.model.records import Direction
from cta.model.scenario import Headways, Timetable


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of event time, start_ms <= t < end_ms."""

    start_ms: int
    end_ms: int

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


@dataclass(frozen=True, slots=True)
class Plan:
    """A run, resolved. ``lines`` in the network's order; ``faults`` sorted by start, kind and place."""

    name: str
    seed: int
    window: Window
    lines: tuple[str, ...]
    ridership: str
    service: Timetable | Headways
    faults: tuple[Fault, ...]
