"""Connectors: apply a file's, show them, restart or delete one. Every line that is printed is free of secrets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from cta.model.errors import CtaError, InputError
from cta.model.settings import Settings
from cta.stack.connect import Connect, Reader, Status, read
from cta.stack.postgres import Postgres
from cta.stack.wait import Clock

CONNECT_PATIENCE_S = 10.0
"""How long the worker may take to answer at all."""


def connect(settings: Settings, clock: Clock | None = None) -> Connect:
    return Connect(settings.connect_url, clock=clock, patience_s=CONNECT_PATIENCE_S)


def apply(worker: Connect, file: str, changes: Iterable[str], *, namespace: str, patience_s: float) -> str:
    """Make the file's connector, or bring it to the file's config, and wait until it has read; says so in a line.

    Of one that had read before no more is known than that it runs.
    """
    connector = read(Path(file), namespace=namespace, settings=dict(map(_setting, changes)))
    had_read = worker.status(connector.name) is not None and worker.offsets(connector.name) > 0
    worker.put(connector)
    status = worker.wait_ready(connector.name, patience_s)
    return f"{status}; it {'goes on where it was' if had_read else 'has read rows'}"


def status(worker: Connect, name: str | None) -> tuple[list[str], bool]:
    """A line a connector, with its offsets, and whether all of them are running."""
    names = worker.names() if name is None else [name]
    found = [(wanted, worker.status(wanted)) for wanted in names]
    missing = [wanted for wanted, state in found if state is None]
    if missing:
        there = ", ".join(worker.names()) or "none"
        raise InputError(f"no connector {missing[0]}", where=worker.where, remedy=f"there are: {there}")
    states = [state for _, state in found if state is not None]
    lines = [_line(worker, state) for state in states]
    return lines or [f"{worker.where}: no connectors"], all(state.running for state in states)


def restart(worker: Connect, name: str, *, patience_s: float) -> str:
    """Restart a connector and its tasks; a line once they run."""
    worker.restart(name)
    return str(worker.wait_running(name, patience_s))


def delete(worker: Connect, name: str, settings: Settings, *, forget: bool) -> list[str]:
    """Remove a connector, and what it remembers where ``forget`` says so, in Connect and in Postgres; a line each."""
    reader = worker.reader(name)
    if not worker.delete(name, forget=forget):
        return [f"connector {name} was not there"]
    memory = "its offsets too" if forget else "its offsets stay: made again, it goes on where it was"
    removed = f"connector {name} removed, {memory}"
    return [removed, *([] if reader is None else [_slot(reader, settings, forget=forget)])]


def _slot(reader: Reader, settings: Settings, *, forget: bool) -> str:
    """What became of a connector's slot, which keeps the database's log from being cut until it is gone."""
    if not forget:
        return f"slot {reader.slot} stays in Postgres, for when it is made again"
    by_hand = f"SELECT pg_drop_replication_slot('{reader.slot}') there removes it"
    try:
        database = Postgres(settings.postgres_dsn)
        if database.forget_reader(reader.slot, reader.publication):
            return f"slot {reader.slot} removed, {database.where}"
    except CtaError as error:
        return f"slot {reader.slot} stays, and keeps the log from being cut: {error}; {by_hand}"
    return f"slot {reader.slot} is not in {database.where}: if the connector read another database, {by_hand}"


def _line(worker: Connect, state: Status) -> str:
    read_places = worker.offsets(state.name)
    read_rows = "offsets stored" if read_places else "no offsets stored yet"
    return f"{state.failure or state}, {read_rows}"


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InputError("no setting", where="--set", remedy="write it as name=value")
    return name, os.path.expandvars(value)
