"""What a scenario's words refer to: lines and stations of a network, moments of a run. Every error names its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from msgspec import UNSET, UnsetType

from cta.model.errors import InputError, NetworkError, ScenarioError
from cta.model.records import Direction
from cta.model.scenario import StationRef
from cta.model.time import DAY_MS, format_timestamp, parse_duration_ms, parse_moment
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, Topic
from cta.network.lookup import find_line, find_station, unique_name
from cta.network.network import Network

LONGEST_MS: Final = 400 * DAY_MS
"""A year and a clock change to spare; longer is more likely a slip of the pen."""

T = TypeVar("T")


@dataclass(frozen=True)
class References:
    """Looks words up on behalf of one scenario. ``path`` is where a word stands in it, such as ``$.faults[0].line``."""

    network: Network
    source: str
    start_ms: int
    """The run's start; a time of day is the first one at or after it."""
    end_ms: int
    lines: tuple[str, ...]
    """The lines that run."""

    def error(self, path: str, what: str, remedy: str) -> ScenarioError:
        return error_at(self.source, path, what, remedy)

    def line(self, path: str, name: str) -> str:
        """A line of the network, whether or not it runs."""
        return found(self.source, path, lambda: find_line(self.network, name).line)

    def running_line(self, path: str, name: str) -> str:
        """A line among those that run."""
        line = self.line(path, name)
        if line not in self.lines:
            raise self.error(path, f"{line} does not run in this scenario", f"choose one of {', '.join(self.lines)}")
        return line

    def station(self, path: str, ref: str | int, line: str | None = None) -> int:
        """A station, on the line where one is given."""
        return found(self.source, path, lambda: find_station(self.network, ref, line=line).station_id)

    def records_of(
        self, path: str, topic: Topic, line: str | UnsetType, station: StationRef | UnsetType
    ) -> tuple[str | None, int | None]:
        """The line and the station by which records of the topic are chosen; None: any. Errors: the run can have none such."""
        find_line = self.running_line if topic is ARRIVALS else self.line
        name = None if line is UNSET else find_line(f"{path}.line", line)
        station_id = None if station is UNSET else self.station(f"{path}.station", station, name)
        if station_id is not None and topic is not ALERTS:
            self._check_served(f"{path}.station", station_id)
        if name is not None and station_id is not None and topic is TURNSTILE:
            self._check_booked(f"{path}.line", name, station_id)
        return name, station_id

    def _check_served(self, path: str, station_id: int) -> None:
        """A station at which any of the lines that run calls."""
        lines = self.network.stations[station_id].lines
        if set(lines).isdisjoint(self.lines):
            what = f"no line of this run serves {self.name(station_id)}"
            raise self.error(path, what, f"add one of {', '.join(lines)} to the lines")

    def _check_booked(self, path: str, line: str, station_id: int) -> None:
        """A station's entries are all booked to one line: with another there would never be any."""
        home = self.network.stations[station_id].home_line
        if home != line:
            what = f"entries at {self.name(station_id)} are booked to {home}"
            raise self.error(path, what, f"write {home}, or leave it out")

    def name(self, station_id: int) -> str:
        return unique_name(self.network, station_id)

    def one_train_calls_at(self, line: str, first: int, second: int) -> bool:
        """Whether any of the line's trips calls at both stations."""
        trips = [pattern for pattern in self.network.patterns.values() if pattern.line == line]
        return any({first, second} <= {call.station_id for call in trip.calls} for trip in trips)

    def directions(self, line: str, station_id: int) -> list[Direction]:
        """The directions in which the line's trains call at the station."""
        calls = [call for pattern in self.network.patterns.values() if pattern.line == line for call in pattern.calls]
        return sorted({call.direction for call in calls if call.station_id == station_id})

    def direction(self, path: str, direction: Direction, line: str, station_id: int) -> Direction:
        """A direction in which the line's trains call at the station."""
        right = self.directions(line, station_id)
        if direction not in right:
            what = f"{line} trains do not call at {self.name(station_id)} in direction {direction}"
            raise self.error(path, what, f"choose {' or '.join(right) or 'another station'}")
        return direction

    def moment_ms(self, path: str, text: str) -> int:
        return found(self.source, path, lambda: parse_moment(text, self.start_ms))

    def duration_ms(self, path: str, text: str) -> int:
        return duration_ms(self.source, path, text)

    def run(self) -> str:
        """The run's stretch of time, for a remedy."""
        return f"{format_timestamp(self.start_ms)} to {format_timestamp(self.end_ms)}"


def error_at(source: str, path: str, what: str, remedy: str | None) -> ScenarioError:
    return ScenarioError(what, where=f"{source}: {path}", remedy=remedy)


def duration_ms(source: str, path: str, text: str) -> int:
    """An ISO 8601 duration above zero and of at most `LONGEST_MS`."""
    length_ms = found(source, path, lambda: parse_duration_ms(text))
    if length_ms > LONGEST_MS:
        raise error_at(source, path, f"{text!r} is longer than 400 days", "choose a shorter one")
    return length_ms


def found(source: str, path: str, look_up: Callable[[], T]) -> T:
    """What a look-up gives; its error, if it has one, with the place in the scenario."""
    try:
        return look_up()
    except (InputError, NetworkError) as error:
        raise error_at(source, path, error.what, error.remedy) from None
