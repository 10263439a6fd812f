"""Topics that are tables: what they hold, the last value a key, and how that differs from what the pipeline makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cta.broker.kafka import KafkaBroker
from cta.model.topics import TURNSTILE_SUMMARY, Topic
from cta.pipeline.stations import station_table
from cta.pipeline.turnstile_summary import KEY_BYTES, TurnstileSummary

MAX_MESSAGES: Final = 10_000
MISSING: Final = "nothing"

Rows = Mapping[str, Any]
"""The JSON value of each key, a station's id or ``line:station_id``."""


@dataclass(frozen=True)
class Difference:
    """A key whose value is not the one expected; None is no value at all."""

    key: str
    expected: Any
    actual: Any

    def __str__(self) -> str:
        return f"{self.key}: {_told(self.actual)} where {_told(self.expected)} is expected"


@dataclass(frozen=True)
class Table:
    """A table's topic held against the pipeline. ``rows`` is None where the topic is not there, or nobody fills it."""

    topic: Topic
    rows: int | None
    differences: list[Difference]


def stations_table(rows: Iterable[Mapping[str, Any]]) -> Rows:
    """What Faust makes of platforms' rows."""
    return {key: msgspec.to_builtins(row) for key, row in station_table(rows).items()}


def turnstile_summary(summary: TurnstileSummary) -> Rows:
    """What ksqlDB or Faust makes of entries."""
    return {str(station): {"STATION_ID": station, "COUNT": count} for station, count in sorted(summary.counts.items())}


def compared(broker: KafkaBroker, topic: Topic, namespace: str, expected: Rows) -> Table:
    """The topic in the namespace, as it is now, against the rows expected."""
    name = namespace + topic.name
    if name not in broker.topics():
        return Table(topic, None, [])
    actual = {_key(topic, key): _value(value) for key, value in last_values(broker, name).items()}
    if not actual:
        return Table(topic, None, [])
    keys = sorted(key for key in {*expected, *actual} if expected.get(key) != actual.get(key))
    return Table(topic, len(actual), [Difference(key, expected.get(key), actual.get(key)) for key in keys])


def last_values(broker: KafkaBroker, name: str) -> dict[bytes, bytes]:
    """The last value of every key of a topic, over all partitions; a key that was deleted is not in it."""
    values: dict[bytes, bytes] = {}
    for number in range(broker.partitions(name)):
        offset, end = broker.begin_offset(name, number), broker.end_offset(name, number)
        while offset < end:
            messages, offset = broker.messages(name, number, offset, min(MAX_MESSAGES, end - offset))
            for message in messages:
                key, value = message.key() or b"", message.value()
                if value is None:
                    values.pop(key, None)
                else:
                    values[key] = value
    return values


def _key(topic: Topic, key: bytes) -> str:
    if topic is TURNSTILE_SUMMARY and len(key) == KEY_BYTES:
        return str(int.from_bytes(key, "big", signed=True))
    return key.decode(errors="backslashreplace")


def _value(value: bytes) -> Any:
    """The JSON that it is, whoever wrote it and however it is spaced; bytes that are none, as text."""
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value.decode(errors="backslashreplace")


def _told(value: Any) -> str:
    return MISSING if value is None else msgspec.json.encode(value).decode()
