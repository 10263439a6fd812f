"""The Avro schemas of keys and values, a file each, named as their subjects are: ``TOPIC-key``, ``TOPIC-value``.

What a topic's ``.v1`` means is fixed by these files; a change of meaning is a ``.v2``. Field order is that of the structs
in `cta.model.records`, and so of the canonical JSON; a test holds the two together.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import msgspec

from cta.model.topics import Topic

Schema = dict[str, Any]


def load(topic: Topic) -> dict[str, Schema]:
    """A topic's Avro schemas: ``{"key": ..., "value": ...}``."""
    return {part: msgspec.json.decode(_read(f"{topic.name}-{part}.avsc"), type=Schema) for part in ("key", "value")}


def _read(file: str) -> bytes:
    return (files("cta.model.schemas") / file).read_bytes()
