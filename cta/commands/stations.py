"""Stations: the table in Postgres that Connect reads, loaded, shown and changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from cta.model.errors import InputError, NetworkError
from cta.model.settings import Settings
from cta.network.load import chicago
from cta.network.lookup import find_station
from cta.pipeline.stations import PlatformRow, platform_rows
from cta.stack.postgres import Change, Loaded, Postgres
from cta.stack.stations_table import KEY, TABLE

if TYPE_CHECKING:
    from rich.console import Console


def load(settings: Settings) -> Loaded:
    """Make the table hold exactly the network's platforms."""
    return Postgres(settings.postgres_dsn).load(platform_rows(chicago()))


def show(settings: Settings, name: str | None) -> list[PlatformRow]:
    """The table's rows by stop id, or those that ``name`` means."""
    rows = Postgres(settings.postgres_dsn).rows()
    return rows if name is None else _meant(rows, name)


def change(settings: Settings, name: str, changes: Iterable[str]) -> list[Change]:
    """Set columns (``COLUMN=VALUE``) in the rows that ``name`` means, in all of them or in none.

    Errors: InputError for what is no change, and for what the table can't take; NetworkError for no such station.
    """
    values = dict(map(_value, changes))
    if KEY in values:
        remedy = "it is what a row is known by: set another column"
        raise InputError("cannot be changed", where=f"column {KEY}", remedy=remedy)
    database = Postgres(settings.postgres_dsn)
    return database.change([row[KEY] for row in _meant(database.rows(), name)], values)


def _value(text: str) -> tuple[str, str | None]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise InputError(f"no change: {text!r}", where="cta stations set", remedy="write it as COLUMN=VALUE")
    return column, None if value == "null" else value


def _meant(rows: list[PlatformRow], name: str) -> list[PlatformRow]:
    """The rows of a stop or of a station, by an id, the name that the table has, or any that the network knows."""
    if name.isdecimal():
        found = [row for row in rows if int(name) in (row[KEY], row["station_id"])]
        if not found:
            remedy = "'cta stations show' lists what is there"
            raise InputError(f"no stop and no station {name}", where=f"table {TABLE}", remedy=remedy)
        return found
    named = {row["station_id"] for row in rows if row["station_name"].casefold() == name.casefold()}
    if len(named) != 1:
        try:
            named = {find_station(chicago(), name).station_id}
        except NetworkError as error:
            error.where = f"table {TABLE}"
            raise
    return [row for row in rows if row["station_id"] in named]


def as_json(found: Any) -> str:
    """Rows, changes (``was`` and ``now``) or a load's counts, on one line."""
    return msgspec.json.encode(found).decode()


def told(loaded: Loaded) -> str:
    changed = f"{loaded.inserted} inserted, {loaded.updated} updated, {loaded.deleted} deleted"
    return f"table {TABLE}: {loaded.rows} rows; {changed}"


def told_change(change: Change) -> str:
    """A line: what was changed, from what to what."""
    columns = [name for name, value in change.now.items() if value != change.was[name]]
    told = [f"{name} was {_shown(change.was[name])}, is {_shown(change.now[name])}" for name in columns]
    return f"stop {change.now[KEY]} ({change.now['stop_name']}): {'; '.join(told) or 'it was so already'}"


def print_rows(rows: list[PlatformRow], console: Console) -> None:
    """A line a platform, with what is not as the network has it, and how many of them aren't."""
    from rich.table import Table
    from rich.text import Text

    network = {row[KEY]: row for row in platform_rows(chicago())}
    table = Table("stop", "platform", "station", "name", "lines", "the network has")
    differing = 0
    for row in rows:
        own = network.get(row[KEY], {})
        changed = [name for name, value in row.items() if value != own.get(name)]
        differing += bool(changed)
        lines = [name for name in row if row.get(name) is True]
        told = "; ".join(f"{name}: {_shown(own.get(name))}" for name in changed) if own else "no such stop"
        cells = (row[KEY], row["stop_name"], row["station_id"], row["station_name"], " ".join(lines))
        table.add_row(*(Text(str(cell)) for cell in cells), Text(told))
    console.print(table)
    remedy = "; 'cta stations load' puts the network's own back" if differing else ""
    told = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    console.print(f"{told}, {differing} not as the network has them{remedy}", markup=False, highlight=False)


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
