"""What every broker refuses, in the same words: the errors of `cta.broker.port`."""

from __future__ import annotations

import re
from typing import Final

from cta.model.errors import BrokerError

_LEGAL_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
"""What Kafka allows (org.apache.kafka.common.internals.Topic), but for ``.`` and ``..``."""


def check_new_topic(name: str, partitions: int) -> None:
    if partitions < 1:
        raise BrokerError(f"{partitions} partitions", where=topic_place(name), remedy="a topic has at least 1")
    if not _LEGAL_NAME.fullmatch(name) or name in (".", ".."):
        raise BrokerError(
            "no legal name for a topic",
            where=topic_place(repr(name)),
            remedy="use 1 to 249 letters, digits, dots, underscores and hyphens",
        )


def check_partition(topic: str, partition: int, partitions: int) -> None:
    if not 0 <= partition < partitions:
        raise BrokerError(
            f"no partition {partition}", where=topic_place(topic), remedy=f"it has {partitions}, counted from 0"
        )


def check_records(topic: str, max_records: int) -> None:
    if max_records < 1:
        raise BrokerError(f"{max_records} records asked for", where=topic_place(topic), remedy="ask for at least 1")


def check_offset(topic: str, partition: int, offset: int, begin: int, end: int) -> None:
    """Whether begin <= offset <= end."""
    if not begin <= offset <= end:
        raise BrokerError(
            f"offset {offset} is out of range",
            where=topic_place(topic, partition),
            remedy=f"offsets from {begin} to {end} can be used",
        )


def no_such_topic(topic: str) -> BrokerError:
    return BrokerError("no such topic", where=topic_place(topic), remedy="create it first")


def other_partitions(topic: str, there: int, wanted: int) -> BrokerError:
    return BrokerError(
        f"has {there} partitions, not {wanted}",
        where=topic_place(topic),
        remedy=f"run with {there} partitions or use another topic",
    )


def topic_place(name: str, partition: int | None = None) -> str:
    return f"topic {name}" if partition is None else f"topic {name}, partition {partition}"
