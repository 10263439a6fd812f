"""A scenario's expectations held against its network and its run: names resolved, moments in milliseconds.

An expectation that could never hold, or never fail, is an error of the scenario's and is said before anything runs.
What they come to is `cta.pipeline.expect`'s matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import UNSET, UnsetType

from cta.model.records import Direction
from cta.model.scenario import (
    Expectation,
    ExpectBoard,
    ExpectCount,
    ExpectInvariant,
    InvariantName,
    Moment,
    Scenario,
)
from cta.model.time import DAY_MS, format_clock, format_timestamp, local
from cta.model.topics import BY_SHORT
from cta.simulation.references import References


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers that are right, both ends included; ``most`` None: however many."""

    least: int
    most: int | None

    def holds(self, count: int) -> bool:
        return self.least <= count and (self.most is None or count <= self.most)

    def __str__(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        if self.least == self.most:
            return f"exactly {self.least}"
        return f"{self.least} to {self.most}" if self.least else f"at most {self.most}"


@dataclass(frozen=True, slots=True)
class CountExpected:
    """Records of a topic before ``at_ms``. None: whatever it is."""

    name: str
    topic: str
    line: str | None
    station_id: int | None
    status: str | None
    """A train's or the weather's."""
    bounds: Bounds
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class BoardExpected:
    """Trains in the cells of a line, as of the records before ``at_ms``. None: whatever it is."""

    name: str
    line: str
    station_id: int | None
    direction: Direction | None
    status: str | None
    bounds: Bounds
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class InvariantExpected:
    name: str
    invariant: InvariantName


Expected = CountExpected | BoardExpected | InvariantExpected

_FILTERS: Final = {
    "arrivals": ("line", "station", "train_status"),
    "turnstile": ("line", "station"),
    "weather": ("weather_status",),
    "alerts": ("line", "station"),
}
_NOUNS: Final = {"arrivals": "arrivals", "turnstile": "entries", "weather": "weather readings", "alerts": "alerts"}


def resolve_expectations(scenario: Scenario, references: References) -> tuple[Expected, ...]:
    """The scenario's expectations, in its order. Raises ScenarioError with the place."""
    return tuple(_resolve(f"$.expect[{i}]", expect, references) for i, expect in enumerate(scenario.expect))


def _resolve(path: str, expect: Expectation, references: References) -> Expected:
    if isinstance(expect, ExpectInvariant):
        return InvariantExpected(expect.name or expect.invariant.replace("_", " "), expect.invariant)
    if isinstance(expect, ExpectBoard):
        return _board(path, expect, references)
    return _count(path, expect, references)


def _count(path: str, expect: ExpectCount, references: References) -> CountExpected:
    for key in ("line", "station", "train_status", "weather_status"):
        if getattr(expect, key) is not UNSET and key not in _FILTERS[expect.topic]:
            topics = ", ".join(topic for topic, keys in _FILTERS.items() if key in keys)
            remedy = f"leave it out, or count {topics}"
            raise references.error(f"{path}.{key}", f"{_NOUNS[expect.topic]} have no {key}", remedy)
    line, station_id = references.records_of(path, BY_SHORT[expect.topic], expect.line, expect.station)
    status = expect.train_status or expect.weather_status or None
    bounds, at_ms = _bounds(path, expect, references), _at_ms(path, expect.at, references)
    what = _phrase(status, _NOUNS[expect.topic], line and f"on {line}", _at_station(station_id, references))
    name = expect.name or _phrase(what, str(bounds), at_ms and f"before {_clock(at_ms, references)}")
    return CountExpected(name, expect.topic, line, station_id, status, bounds, at_ms)


def _board(path: str, expect: ExpectBoard, references: References) -> BoardExpected:
    line = references.running_line(f"{path}.line", expect.line)
    station_id = None if expect.station is UNSET else references.station(f"{path}.station", expect.station, line)
    direction = None if expect.direction is UNSET else expect.direction
    if direction is not None and station_id is not None:
        references.direction(f"{path}.direction", direction, line, station_id)
    status = expect.train_status or None
    bounds, at_ms = _bounds(path, expect, references), _at_ms(path, expect.at, references)
    toward = direction and f"in direction {direction}"
    what = _phrase(status, f"{line} trains shown", _at_station(station_id, references), toward)
    name = expect.name or _phrase(what, str(bounds), at_ms and f"at {_clock(at_ms, references)}")
    return BoardExpected(name, line, station_id, direction, status, bounds, at_ms)


def _bounds(path: str, expect: ExpectCount | ExpectBoard, references: References) -> Bounds:
    if expect.equals is not UNSET:
        if expect.min is not UNSET or expect.max is not UNSET:
            raise references.error(path, "equals stands beside min or max", "keep either")
        return Bounds(expect.equals, expect.equals)
    least = 0 if expect.min is UNSET else expect.min
    if expect.max is UNSET:
        if least == 0:
            raise references.error(path, "expects nothing", "add a min above 0, max or equals")
        return Bounds(least, None)
    if expect.max < least:
        raise references.error(path, f"min {least} is above max {expect.max}", "exchange them")
    return Bounds(least, expect.max)


def _at_ms(path: str, at: Moment | UnsetType, references: References) -> int | None:
    if at is UNSET:
        return None
    at_ms = references.moment_ms(f"{path}.at", at)
    if not references.start_ms < at_ms <= references.end_ms:
        what = f"{format_timestamp(at_ms)} is outside the run"
        raise references.error(
            f"{path}.at", what, f"choose a moment after its start and up to its end: {references.run()}"
        )
    return at_ms


def _phrase(*words: str | int | None) -> str:
    """The words that there are, in a row."""
    return " ".join(str(word).replace("_", " ") for word in words if word)


def _at_station(station_id: int | None, references: References) -> str | None:
    return None if station_id is None else f"at {references.name(station_id)}"


def _clock(at_ms: int, references: References) -> str:
    """A time of day where it says enough: within a day of the start, and under the same offset."""
    start = local(references.start_ms)
    if at_ms - references.start_ms >= DAY_MS or local(at_ms).utcoffset() != start.utcoffset():
        return format_timestamp(at_ms)
    return format_clock(at_ms).removesuffix(":00")
