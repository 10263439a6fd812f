"""The `stations` table as SQL: one script that makes it and fills it, for Postgres's start, for psql and for psycopg2.

The script is a transaction and may be run again: rows it knows are set to its values, rows it doesn't know are left.
A network of other lines needs other columns, so its table has to be dropped first.
"""

from __future__ import annotations

from typing import Final

from cta.network.network import Network
from cta.pipeline.stations import PlatformRow, platform_rows

TABLE: Final = "stations"
KEY: Final = "stop_id"

_TYPES: Final = {bool: "boolean NOT NULL", int: "integer", float: "double precision NOT NULL", str: "text NOT NULL"}


def script(network: Network) -> str:
    """BEGIN, the table if it is missing, its rows by stop id, COMMIT."""
    rows = platform_rows(network)
    return f"BEGIN;\n\n{create_table(rows[0])}\n\n{upsert(rows)}\n\nCOMMIT;\n"


def create_table(row: PlatformRow) -> str:
    """The table that a platform's row fits: a line's order is null where the platform isn't the line's."""
    columns = ",\n".join(f"  {_name(field)} {_type(field, value)}" for field, value in row.items())
    return f"CREATE TABLE IF NOT EXISTS {TABLE} (\n{columns}\n);"


def upsert(rows: list[PlatformRow]) -> str:
    """One statement that inserts the rows, or sets those that are there and differ: the others make no change event."""
    columns = ", ".join(_name(field) for field in rows[0])
    values = ",\n".join(f"  ({', '.join(map(_literal, row.values()))})" for row in rows)
    settings = ",\n".join(f"  {_name(field)} = excluded.{_name(field)}" for field in rows[0] if field != KEY)
    return (
        f"INSERT INTO {TABLE} ({columns}) VALUES\n{values}\n"
        f"ON CONFLICT ({_name(KEY)}) DO UPDATE SET\n{settings}\n"
        f"WHERE {TABLE}.* IS DISTINCT FROM excluded.*;"
    )


def _type(field: str, value: object) -> str:
    if field == KEY:
        return "integer PRIMARY KEY"
    if field == "station_id":
        return "integer NOT NULL"
    return "integer" if value is None else _TYPES[type(value)]


def _name(field: str) -> str:
    """Quoted: a line may be called like one of SQL's words."""
    return '"' + field.replace('"', '""') + '"'


def _literal(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return repr(value)
