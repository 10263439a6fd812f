"""Kafka records that no schema of ours explains: any topic, bytes or nothing for key and value, headers, a place.

The bytes of a key, a value or a header are told as text where they are UTF-8, so that they can be read, else in base64;
a null is a null. Such a record is of a `Foreign` topic even where the topic's name is one of ours (a tombstone, a value
that does not decode): nothing that asks ``content.topic is ARRIVALS`` then takes it for an arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from cta.model.topics import BY_NAME, TOPICS, Topic

TOPICS_KEPT: Final = 4_096


class Raw(Struct, frozen=True, omit_defaults=True):
    """Bytes: ``text`` where they are UTF-8, else ``base64``. One of the two, never both."""

    text: str | None = None
    base64: bytes | None = None

    @classmethod
    def of(cls, data: bytes) -> Raw:
        try:
            return cls(text=data.decode())
        except UnicodeDecodeError:
            return cls(base64=data)

    @property
    def data(self) -> bytes:
        if self.text is not None:
            return self.text.encode()
        return self.base64 or b""


def raw(data: bytes | None) -> Raw | None:
    """What Kafka holds for a key, a value or a header: bytes or null."""
    return None if data is None else Raw.of(data)


class Origin(Struct, frozen=True, omit_defaults=True):
    """Where a record was captured and what it carried there beside key and value. No part of its content."""

    partition: int | None = None
    offset: int | None = None
    headers: tuple[tuple[str, Raw | None], ...] = ()
    """In the order in which they stand; a name may come again."""


@dataclass(frozen=True, slots=True)
class Foreign(Topic):
    """A topic by its name alone; the partition entity is the whole key, or of a key of ours what it is in our topic."""

    def entity(self, key: Any) -> str:
        ours = BY_NAME.get(self.name)
        if ours is not None and ours.key_type is not None and isinstance(key, ours.key_type):
            return ours.entity(key)
        return msgspec.json.encode(key).decode()


@lru_cache(TOPICS_KEPT)
def foreign(name: str) -> Topic:
    """The topic of records that no schema explains, one object a name."""
    return Foreign(name, name, len(TOPICS), None, None, "record", None, "delete", "records")
