"""A recording as raw lines: what stands in them, and the figures that its last line must give.

The form is the one that docs/recording-format.md and docs/determinism.md describe: a header line, a line
``{"t":T,"topic":...,"key":...,"value":...}`` a record, and a trailer ``{"end":...}``. A record's content is the bytes
between ``{"t":T,`` and the closing brace; a day has few different ones, so each is parsed and hashed once.
"""

from __future__ import annotations

import hashlib
import json
import struct
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARRIVALS = "org.chicago.cta.stations.arrivals.v1"
TURNSTILE = "org.chicago.cta.turnstile.v1"
WEATHER = "org.chicago.cta.weather.v1"
ALERTS = "org.chicago.cta.alerts.v1"

RANKS = {ARRIVALS: 0, TURNSTILE: 1, WEATHER: 2, ALERTS: 3}
"""Topics in the order in which their records stand at one millisecond."""

FIRST_RECORD_LINE = 2

_ENTITY_FIELDS = {ARRIVALS: "train_id", TURNSTILE: "station_id", ALERTS: "alert_id"}
"""The key's field that names whom a record is about; weather is about the one city."""

_OPENING = b'{"t":'
_HASH_BYTES = 16


@dataclass(frozen=True)
class Content:
    """What a record says, without when."""

    raw: bytes
    topic: str
    key: dict[str, Any]
    value: dict[str, Any]

    @property
    def entity(self) -> str:
        """Whom it is about: orders records of a topic at one millisecond."""
        return str(self.key[_ENTITY_FIELDS[self.topic]]) if self.topic in _ENTITY_FIELDS else ""

    @property
    def chain(self) -> bytes:
        """The bytes that name the chain: topic and key as they stand in the line."""
        return self.raw[: self.raw.index(b',"value":')]


@dataclass
class History:
    """A recording's lines. Record ``i`` stands on line ``i + FIRST_RECORD_LINE``."""

    header: dict[str, Any] = field(default_factory=dict)
    trailer: dict[str, Any] = field(default_factory=dict)
    times_ms: array[int] = field(default_factory=lambda: array("q"))
    codes: array[int] = field(default_factory=lambda: array("q"))
    contents: list[Content] = field(default_factory=list)
    """The different contents; ``codes`` are indices into it."""
    sha256: str = ""
    """Of all bytes before the trailer."""

    def figures(self) -> dict[str, Any]:
        """What the trailer must say of these lines."""
        counts = dict.fromkeys(RANKS, 0)
        for code in self.codes:
            counts[self.contents[code].topic] += 1
        return {
            "records": counts,
            "total": len(self.times_ms),
            "first_ms": min(self.times_ms) if self.times_ms else None,
            "last_ms": max(self.times_ms) if self.times_ms else None,
            "digest": self.digest(),
            "sha256": self.sha256,
        }

    def digest(self) -> str:
        """A hash chain a (topic, key), and one hash over the chains sorted by their names."""
        hashes = [hashlib.blake2b(content.raw, digest_size=_HASH_BYTES).digest() for content in self.contents]
        names = [content.chain for content in self.contents]
        chains = {name: hashlib.blake2b(digest_size=_HASH_BYTES) for name in names}
        counts = dict.fromkeys(names, 0)
        for time_ms, code in zip(self.times_ms, self.codes, strict=True):
            chains[names[code]].update(struct.pack("<q", time_ms) + hashes[code])
            counts[names[code]] += 1
        whole = hashlib.blake2b(digest_size=_HASH_BYTES)
        for name in sorted(chains):
            whole.update(struct.pack("<I", len(name)) + name + struct.pack("<Q", counts[name]) + chains[name].digest())
        return whole.hexdigest()


def read(path: Path) -> History:
    """The recording at ``path``. Raises ValueError for a file that isn't one at all."""
    history = History()
    seen: dict[bytes, int] = {}
    sha256 = hashlib.sha256()
    with path.open("rb") as lines:
        first = next(lines)
        sha256.update(first)
        history.header = json.loads(first)
        for line in lines:
            if not line.startswith(_OPENING):
                history.trailer = json.loads(line)["end"]
                break
            sha256.update(line)
            comma = line.index(b",")
            raw = line[comma + 1 : -2]  # without the closing brace and the line's end
            code = seen.get(raw)
            if code is None:
                code = seen[raw] = len(seen)
                history.contents.append(content_of(raw))
            history.times_ms.append(int(line[len(_OPENING) : comma]))
            history.codes.append(code)
        if rest := lines.read():
            raise ValueError(f"{len(rest)} bytes after the trailer")
    history.sha256 = sha256.hexdigest()
    return history


def content_of(raw: bytes) -> Content:
    record = json.loads(b"{" + raw + b"}")
    return Content(raw, record["topic"], record["key"], record["value"])
