"""What a check is given: a recording's lines, the same as tables, its plan, and the railway."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.oracle import history, plan, railway, tables


@dataclass(frozen=True)
class Case:
    history: history.History
    database: sqlite3.Connection
    plan: plan.Plan
    railway: railway.Railway

    @property
    def station_ids(self) -> set[int]:
        """The stations of the run's lines."""
        return set().union(*(self.railway.station_ids(line) for line in self.plan.lines))


Check = Callable[[Case], list[str]]
"""A check returns what is wrong, a sentence a violation that begins with the line it stands on: "line 17: ..."."""


def case(path: Path) -> Case:
    """The recording at ``path`` with all that it is judged by; a table ``platform`` leads from arrivals to stop ids."""
    read, tracks = history.read(path), railway.railway()
    database = tables.load(read)
    database.execute("CREATE TABLE platform (line, direction, station_id, stop_id)")
    platforms = ((*place, spots[0].stop_id) for place, spots in tracks.spots.items())
    database.executemany("INSERT INTO platform VALUES (?, ?, ?, ?)", platforms)
    return Case(read, database, plan.plan(read.header), tracks)


def clock(time_ms: int) -> str:
    """How a violation says a time: in UTC, to the millisecond."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
