"""The network's answers as tables for a terminal. Lines show in their own colours and, for who sees none, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import get_args

from rich import box
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from cta.commands.network_answer import Answer, LineAnswer, LineRow, NetworkAnswer, StationAnswer, StationRow
from cta.model.records import Direction
from cta.model.time import DayType
from cta.network.lookup import unique_name
from cta.network.network import Network

DAYS = get_args(DayType)
NOTE_STYLE = "dim"


def tables(network: Network, answer: Answer) -> Iterator[RenderableType]:
    """What to print, in order."""
    if isinstance(answer, NetworkAnswer):
        return _whole(network, answer)
    return _one_line(network, answer) if isinstance(answer, LineAnswer) else _one_station(network, answer)


def _whole(network: Network, answer: NetworkAnswer) -> Iterator[RenderableType]:
    yield _lines(network, answer.lines)
    stations = {station.station_id: station for station in answer.stations}
    for line in answer.lines:
        of_line = [stations[station] for station in answer.stations_of[line.line]]
        yield Text()
        yield _stations(network, line, of_line)


def _one_line(network: Network, answer: LineAnswer) -> Iterator[RenderableType]:
    yield _lines(network, [answer.line])
    yield Text()
    terminals = _table("terminal", ">tracks", ">least turn", "yard", title="Terminals")
    for terminal in answer.terminals:
        yard = "yes" if terminal.yard else "no"
        terminals.add_row(terminal.name, str(terminal.tracks), _clock(terminal.min_turn_s), yard)
    yield terminals
    yield Text()
    services = _table("service", "trip", ">stops", ">run", *(f">{day}" for day in DAYS), title="Departures a day")
    for service in answer.services:
        trip = f"{service.first}\n  to {service.last}"
        departures = [str(service.departures[day]) for day in DAYS]
        services.add_row(service.service, trip, str(service.calls), _clock(service.run_s), *departures)
    yield services
    yield Text()
    yield _stations(network, answer.line, answer.stations)


def _one_station(network: Network, answer: StationAnswer) -> Iterator[RenderableType]:
    station = answer.station
    yield Text.assemble((station.name, "bold"), "  ", _tags(network, station.lines))
    yield Text(f"station {station.station_id}, {answer.descriptive_name}", NOTE_STYLE)
    yield Text(f"at {answer.lat:.6f}, {answer.lon:.6f}; entries are booked to {station.home_line}", NOTE_STYLE)
    yield Text()
    platforms = _table(">stop", "platform", "side", "trains, direction", title="Platforms")
    for platform in answer.platforms:
        trains = _directions(network, platform.serves)
        platforms.add_row(str(platform.stop_id), platform.name, platform.compass, trains)
    yield platforms
    yield Text()
    neighbours = _table("direction", "next station", ">id", ">run", "lines", title="Neighbours")
    for row in answer.neighbours:
        run, lines = _clock(row.travel_s), _tags(network, row.lines)
        neighbours.add_row(row.direction, row.name, str(row.station_id), run, lines)
    yield neighbours
    yield Text()
    entries = _table("month", *(f">{day}" for day in DAYS), title="Mean entries a day")
    for month, means in station.entries.items():
        entries.add_row(month, *(f"{means[day]:,.0f}" for day in DAYS))
    yield entries


def _lines(network: Network, lines: Iterable[LineRow]) -> Table:
    table = _table(
        "line", ">stations", "services", ">trips", "published run", "terminals", title="Lines, with trips a weekday"
    )
    for line in lines:
        runs = "\n".join(f"{_clock(run_s)} {part}" for part, run_s in line.published_run_s.items())
        ends = "\n".join(
            unique_name(network, station) for of_line, station in network.terminals if of_line == line.line
        )
        services = "\n".join(line.services)
        table.add_row(_tag(network, line.line), str(line.stations), services, str(line.weekday_departures), runs, ends)
    for column in (2, 5):
        table.columns[column].no_wrap = True
    return table


def _stations(network: Network, line: LineRow, stations: Sequence[StationRow]) -> Table:
    """The line's stations from terminal a on, with the mean weekday entries of each data month."""
    months = list(network.ridership)
    table = _table("station", ">id", *(f">{month}" for month in months), "also on")
    table.title = Text.assemble(_tag(network, line.line), f"  {len(stations)} stations, entries a weekday")
    for station in stations:
        others = [other for other in station.lines if other != line.line]
        entries = [f"{station.entries[month]['weekday']:,.0f}" for month in months]
        table.add_row(station.name, str(station.station_id), *entries, _tags(network, others))
    return table


def _table(*headings: str, title: str | None = None) -> Table:
    """A plain table; a heading that begins with > stands, with its column, to the right."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.title, table.title_justify, table.title_style = title, "left", "bold"
    for heading in headings:
        justify: JustifyMethod = "right" if heading.startswith(">") else "left"
        table.add_column(heading.removeprefix(">"), justify=justify, overflow="fold")
    return table


def _tag(network: Network, line: str) -> Text:
    """The line's id on its colour."""
    known = network.lines[line]
    return Text(line, f"{known.text_color} on {known.color}")


def _tags(network: Network, lines: Iterable[str]) -> Text:
    return Text("  ").join(_tag(network, line) for line in lines)


def _directions(network: Network, serves: Mapping[str, Sequence[Direction]]) -> Text:
    """Each line with the directions that its trains show, or that none stops."""
    trains = [Text.assemble(_tag(network, line), f" {'/'.join(shown)}") for line, shown in serves.items()]
    return Text(", ").join(trains) if trains else Text("none", NOTE_STYLE)


def _clock(duration_s: int) -> str:
    """Minutes and seconds: ``64:55``."""
    return f"{duration_s // 60}:{duration_s % 60:02}"
