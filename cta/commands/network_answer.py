"""What there is to say about a network, a line or a station, as data."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import get_args

import msgspec

from cta.model.errors import NetworkError
from cta.model.records import Direction
from cta.model.time import DayType
from cta.network.lookup import find_line, find_station, unique_name
from cta.network.network import Line, Network, Pattern, Station


class LineRow(msgspec.Struct, frozen=True):
    """A line among the others. ``published_run_s``: end to end by part of the line, dwell included."""

    line: str
    name: str
    color: str
    text_color: str
    terminal_a: str
    terminal_b: str
    stations: int
    services: list[str]
    weekday_departures: int
    published_run_s: Mapping[str, int]


class StationRow(msgspec.Struct, frozen=True):
    """A station among the others; ``entries``: mean a day by data month and day type."""

    station_id: int
    name: str
    lines: tuple[str, ...]
    home_line: str
    entries: dict[str, dict[DayType, float]]


class NetworkAnswer(msgspec.Struct, frozen=True):
    """Every line with the ids of its stations in order, and every station once."""

    lines: list[LineRow]
    stations: list[StationRow]
    stations_of: dict[str, tuple[int, ...]]


class TerminalRow(msgspec.Struct, frozen=True):
    station_id: int
    name: str
    tracks: int
    min_turn_s: int
    yard: bool


class ServiceRow(msgspec.Struct, frozen=True):
    """A service's trips in one direction. ``run_s``: departure to last arrival without chance or conflict."""

    service: str
    direction: Direction
    first: str
    last: str
    calls: int
    run_s: int
    departures: dict[DayType, int]


class LineAnswer(msgspec.Struct, frozen=True):
    """One line, its terminals, services and stations in order."""

    line: LineRow
    terminals: list[TerminalRow]
    services: list[ServiceRow]
    stations: list[StationRow]


class PlatformRow(msgspec.Struct, frozen=True):
    """``serves``: the directions that each line's trains show there; empty where none stops."""

    stop_id: int
    name: str
    compass: str
    serves: dict[str, list[Direction]]


class NeighbourRow(msgspec.Struct, frozen=True):
    """The next station of the lines in the direction. ``travel_s``: from departure to arrival."""

    direction: Direction
    station_id: int
    name: str
    travel_s: int
    lines: list[str]


class StationAnswer(msgspec.Struct, frozen=True):
    """One station, its platforms and the next stations."""

    station: StationRow
    descriptive_name: str
    lat: float
    lon: float
    platforms: list[PlatformRow]
    neighbours: list[NeighbourRow]


Answer = NetworkAnswer | LineAnswer | StationAnswer


def answer_for(network: Network, name: str | None) -> Answer:
    """What there is to say about the whole network, or about the line or station called ``name``."""
    if name is None:
        return _whole(network)
    found = _find(network, name)
    return _one_line(network, found) if isinstance(found, Line) else _one_station(network, found)


def _find(network: Network, name: str) -> Line | Station:
    try:
        return find_line(network, name)
    except NetworkError as no_line:
        try:
            return find_station(network, name)
        except NetworkError as no_station:
            is_nearly_a_line = difflib.get_close_matches(name.casefold(), network.lines)
            raise (no_line if is_nearly_a_line else no_station) from None


def _whole(network: Network) -> NetworkAnswer:
    return NetworkAnswer(
        lines=[_line_row(network, line) for line in network.lines.values()],
        stations=[_station_row(network, station) for station in network.stations.values()],
        stations_of={line: network.stations_of(line) for line in network.lines},
    )


def _one_line(network: Network, line: Line) -> LineAnswer:
    return LineAnswer(
        line=_line_row(network, line),
        terminals=[
            TerminalRow(
                terminal.station_id,
                unique_name(network, terminal.station_id),
                terminal.tracks,
                terminal.min_turn_s,
                terminal.yard,
            )
            for terminal in network.terminals.values()
            if terminal.line == line.line
        ],
        services=[_service_row(network, pattern) for pattern in _patterns(network, line)],
        stations=[_station_row(network, network.stations[station]) for station in network.stations_of(line.line)],
    )


def _one_station(network: Network, station: Station) -> StationAnswer:
    return StationAnswer(
        station=_station_row(network, station),
        descriptive_name=station.descriptive_name,
        lat=station.lat,
        lon=station.lon,
        platforms=_platforms(network, station),
        neighbours=_neighbours(network, station),
    )


def _patterns(network: Network, line: Line) -> list[Pattern]:
    return [pattern for pattern in network.patterns.values() if pattern.line == line.line]


def _line_row(network: Network, line: Line) -> LineRow:
    patterns = _patterns(network, line)
    return LineRow(
        line=line.line,
        name=line.name,
        color=line.color,
        text_color=line.text_color,
        terminal_a=line.terminal_a,
        terminal_b=line.terminal_b,
        stations=len(network.stations_of(line.line)),
        services=list(dict.fromkeys(pattern.service for pattern in patterns)),
        weekday_departures=sum(_departures(network, pattern)["weekday"] for pattern in patterns),
        published_run_s=line.end_to_end_s,
    )


def _service_row(network: Network, pattern: Pattern) -> ServiceRow:
    first, last = (unique_name(network, pattern.calls[end].station_id) for end in (0, -1))
    run_s, departures = network.nominal_run_s(pattern), _departures(network, pattern)
    return ServiceRow(pattern.service, pattern.direction, first, last, len(pattern.calls), run_s, departures)


def _departures(network: Network, pattern: Pattern) -> dict[DayType, int]:
    departures: dict[DayType, int] = dict.fromkeys(get_args(DayType), 0)
    for frequency in network.frequencies:
        if frequency.pattern == pattern.name:
            departures[frequency.day_type] += frequency.departures
    return departures


def _station_row(network: Network, station: Station) -> StationRow:
    return StationRow(
        station_id=station.station_id,
        name=unique_name(network, station.station_id),
        lines=station.lines,
        home_line=station.home_line,
        entries={month: dict(table[station.station_id]) for month, table in network.ridership.items()},
    )


def _platforms(network: Network, station: Station) -> list[PlatformRow]:
    serves: dict[int, dict[str, set[Direction]]] = {
        stop: {} for stop, platform in network.platforms.items() if platform.station_id == station.station_id
    }
    for pattern in network.patterns.values():
        for call in pattern.calls:
            if call.stop_id in serves:
                serves[call.stop_id].setdefault(pattern.line, set()).add(call.direction)
    return [
        PlatformRow(
            stop,
            network.platforms[stop].name,
            network.platforms[stop].direction_id,
            {line: sorted(directions) for line, directions in lines.items()},
        )
        for stop, lines in serves.items()
    ]


def _neighbours(network: Network, station: Station) -> list[NeighbourRow]:
    """The next stations, those in direction a first; lines with one running time there share a row."""
    lines: dict[tuple[Direction, int, int], dict[str, None]] = {}
    for pattern in network.patterns.values():
        for call, ahead in zip(pattern.calls, pattern.calls[1:], strict=False):
            if call.station_id == station.station_id:
                travel_s = network.edges[call.stop_id, ahead.stop_id].travel_s
                lines.setdefault((call.direction, ahead.station_id, travel_s), {})[pattern.line] = None
    return [
        NeighbourRow(direction, ahead, unique_name(network, ahead), travel_s, list(lines[direction, ahead, travel_s]))
        for direction, ahead, travel_s in sorted(lines)
    ]
