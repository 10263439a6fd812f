"""ksqlDB: make what the SQL files say, show what is there, remove it again."""

from __future__ import annotations

from pathlib import Path

from cta.model.settings import Settings
from cta.stack.ksql_files import Statement, read
from cta.stack.ksqldb import Ksqldb
from cta.stack.namespace import identifier


def apply(server: Ksqldb, made: list[Statement]) -> list[str]:
    """Make what isn't there and wait until every table is being filled; a line an object."""
    server.wait_ready()
    lines = []
    for statement in made:
        news = "made" if server.apply(statement) else "was there"
        if statement.kind == "TABLE":
            query = server.wait_running(statement)
            news += f", filled by {query.query_id} ({query.state})"
        lines.append(f"{statement.kind.lower()} {statement.name} {news}")
    return lines


def status(server: Ksqldb, made: list[Statement], station_id: int | None, *, namespace: str) -> tuple[list[str], bool]:
    """A line an object of the files, and whether all of it is there and running; with a station, its count."""
    version = server.wait_ready()
    state = server.state()
    lines, good = [f"{server.where}, version {version}"], True
    for statement in made:
        source = state.sources.get(statement.name)
        queries = state.filling(statement.name)
        running = bool(queries) and all(query.state == "RUNNING" for query in queries)
        difference = None if source is None else server.difference(statement)
        good &= source is not None and difference is None and (running or statement.kind == "STREAM")
        what = "missing: 'cta ksql apply' makes it" if source is None else f"on topic {source.topic}"
        if difference is not None:
            what += f", with {difference}: 'cta ksql drop' and 'cta ksql apply' make it anew"
        filled = "".join(f", {query.query_id} {query.state}" for query in queries)
        lines.append(f"{statement.kind.lower()} {statement.name} {what}{filled}")
    if station_id is not None:
        count = server.count(station_id, table=f"{identifier(namespace)}turnstile_summary")
        lines.append(f"station {station_id}: {'no' if count is None else f'{count:,}'} entries")
    return lines, good


def drop(server: Ksqldb, made: list[Statement]) -> list[str]:
    """Remove what the files made; topics stay."""
    server.wait_ready()
    removed = server.drop(made)
    return [f"{name} removed" for name in removed] or ["nothing was there"]


def ksqldb(settings: Settings) -> Ksqldb:
    return Ksqldb(settings.ksqldb_url)


def read_files(folder: str, settings: Settings, partitions: int) -> list[Statement]:
    return read(Path(folder), namespace=settings.namespace, partitions=partitions)
