"""A history as SQLite tables, one a topic; ``n`` is the number of the line in the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from tests.oracle.history import ALERTS, ARRIVALS, FIRST_RECORD_LINE, TURNSTILE, WEATHER, History

_COLUMNS = {
    ARRIVALS: ("train_id", "line", "direction", "station_id", "train_status", "prev_station_id", "prev_direction"),
    TURNSTILE: ("station_id", "station_name", "line"),
    WEATHER: ("temperature", "status"),
    ALERTS: ("effect", "cause", "line", "station_id", "train_id", "active_from", "active_to", "text"),
}
"""The fields of a topic's value that are columns under the same name."""

_TABLES = {ARRIVALS: "arrival", TURNSTILE: "entry", WEATHER: "weather", ALERTS: "alert"}

_KEYS = {ARRIVALS: "train_id", TURNSTILE: "station_id", WEATHER: "timestamp", ALERTS: "alert_id"}
"""The key's only field; the column ``key``."""


def load(history: History) -> sqlite3.Connection:
    """Tables arrival, entry, weather and alert: n, t (ms), raw (the content's bytes), key, and the value's fields."""
    database = sqlite3.connect(":memory:")
    for topic, table in _TABLES.items():
        columns = ("t", "raw", "key", *_COLUMNS[topic])
        database.execute(f"CREATE TABLE {table} (n INTEGER PRIMARY KEY, {', '.join(columns)})")
        marks = ", ".join("?" * (len(columns) + 1))
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", _rows(history, topic))
    return database


def _rows(history: History, topic: str) -> Iterator[tuple[Any, ...]]:
    contents = {
        code: (content.raw, content.key[_KEYS[topic]], *(content.value[column] for column in _COLUMNS[topic]))
        for code, content in enumerate(history.contents)
        if content.topic == topic
    }
    for n, (time_ms, code) in enumerate(zip(history.times_ms, history.codes, strict=True), FIRST_RECORD_LINE):
        if code in contents:
            yield (n, time_ms, *contents[code])
