"""Stations: from platform rows, as Connect reads them out of Postgres, to one row a line and station.

A platform's row has a boolean and a nullable ``<line>_order`` for every line; the table wants a row for each line that
is true. Both platforms of a station give the same row, so the table is the last value a key and a repeated platform
row changes nothing. The lines are read off the columns: a new line needs no change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cta.model.batch import Content
from cta.model.errors import RecordError
from cta.model.records import StationTableKey, StationTableRow
from cta.model.topics import STATIONS, STATIONS_TABLE
from cta.network.network import Network, Platform

PlatformRow = dict[str, Any]
"""A JSON object of org.chicago.cta.stations."""

_ORDER: Final = "_order"


def platform_rows(network: Network) -> list[PlatformRow]:
    """The network's platforms by stop id. ``<line>_order`` counts the line's stations from terminal a, from 0."""
    order = {line: {station: n for n, station in enumerate(network.stations_of(line))} for line in network.lines}
    return [_platform_row(network, platform, order) for _, platform in sorted(network.platforms.items())]


def _platform_row(network: Network, platform: Platform, order: Mapping[str, Mapping[int, int]]) -> PlatformRow:
    station = network.stations[platform.station_id]
    row: PlatformRow = {
        "stop_id": platform.stop_id,
        "direction_id": platform.direction_id,
        "stop_name": platform.name,
        "station_name": station.name,
        "station_descriptive_name": station.descriptive_name,
        "station_id": station.station_id,
        "lat": station.lat,
        "lon": station.lon,
    }
    for line in network.lines:
        serves = line in platform.lines
        row[line] = serves
        row[line + _ORDER] = order[line].get(station.station_id) if serves else None
    return row


def table_rows(row: Mapping[str, Any]) -> list[StationTableRow]:
    """A row for each line that the platform's row is true for, in the row's order.

    Columns that the table does not need are passed over. Errors: RecordError that names the field.
    """
    station_id = _whole_number(row, "station_id")
    station_name = _text(row, "station_name")
    lines = [field.removesuffix(_ORDER) for field in row if field.endswith(_ORDER)]
    return [
        StationTableRow(station_id, station_name, _whole_number(row, line + _ORDER), line)
        for line in lines
        if _flag(row, line)
    ]


def station_table(rows: Iterable[Mapping[str, Any]]) -> dict[str, StationTableRow]:
    """The table that platform rows make: the last value for each ``line:station_id``."""
    return {table_key(made): made for row in rows for made in table_rows(row)}


def table_key(row: StationTableRow) -> str:
    """``line:station_id``."""
    return f"{row.line}:{row.station_id}"


def table_content(row: StationTableRow) -> Content:
    """The row as a record of org.chicago.cta.stations.table.v1."""
    return Content(STATIONS_TABLE, StationTableKey(table_key(row)), row)


def _whole_number(row: Mapping[str, Any], field: str) -> int:
    value = row.get(field)
    if type(value) is not int or value < 0:  # a bool is an int to isinstance
        raise _wrong(row, field, "a whole number from 0")
    return value


def _text(row: Mapping[str, Any], field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value:
        raise _wrong(row, field, "a text")
    return value


def _flag(row: Mapping[str, Any], field: str) -> bool:
    value = row.get(field)
    if not isinstance(value, bool):
        raise _wrong(row, field, "true or false")
    return value


def _wrong(row: Mapping[str, Any], field: str, wanted: str) -> RecordError:
    found = f"{field} is {row[field]!r}" if field in row else f"{field} is missing"
    return RecordError(
        found,
        where=f"{STATIONS.name}, stop {row.get('stop_id', 'unknown')}",
        remedy=f"it must be {wanted}; correct the row in the stations table",
    )
