"""Records travel in batches: columns of times and codes over interned contents.

A `Content` is what repeats: topic, key and value. A full day has some 680,000 records but about 9,000 distinct
contents, so what is derived from one (its canonical JSON, its hash, its partition entity) is made once and kept.
Simulation, recording reader and broker consumer all yield `Batch`; ``for time_ms, content in batch`` is how nearly all
code reads one. Columns are used directly where every record counts: the digest, the entry counts, the memory broker.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cta.model.topics import Topic

HASH_BYTES: Final = 16
_encode = msgspec.json.Encoder().encode


class Content:
    """A record without its time. Equal topic, key and value make equal contents; ``key`` and ``value`` are frozen."""

    __slots__ = ("_chain_key", "_entity", "_fragment", "_hash", "key", "topic", "value")

    def __init__(self, topic: Topic, key: Any, value: Any) -> None:
        self.topic = topic
        self.key = key
        self.value = value
        self._fragment: bytes | None = None
        self._chain_key: bytes | None = None
        self._hash: bytes | None = None
        self._entity: str | None = None

    @property
    def chain_key(self) -> bytes:
        """The canonical bytes of topic and key: ``"topic":T,"key":K``."""
        if self._chain_key is None:
            self._chain_key = b'"topic":' + _encode(self.topic.name) + b',"key":' + _encode(self.key)
        return self._chain_key

    @property
    def fragment(self) -> bytes:
        """The canonical content: ``"topic":T,"key":K,"value":V``, as it stands in a recording's line."""
        if self._fragment is None:
            self._fragment = self.chain_key + b',"value":' + _encode(self.value)
        return self._fragment

    @property
    def hash(self) -> bytes:
        """blake2b-128 of the canonical content."""
        if self._hash is None:
            self._hash = blake2b(self.fragment, digest_size=HASH_BYTES).digest()
        return self._hash

    @property
    def entity(self) -> str:
        """What names the partition: `Topic.entity` of the key."""
        if self._entity is None:
            self._entity = self.topic.entity(self.key)
        return self._entity

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Content):
            return NotImplemented
        return self.topic is other.topic and self.key == other.key and self.value == other.value

    def __lt__(self, other: Content) -> bool:
        """By canonical bytes, so that what else is equal has an order all the same."""
        return self.fragment < other.fragment

    def __hash__(self) -> int:
        return hash((self.topic.rank, self.key, self.value))

    def __repr__(self) -> str:
        return f"Content({self.fragment.decode()})"


class Batch:
    """Records in order: ``times`` int64[n] epoch milliseconds, ``codes`` intp[n] into ``contents``.

    The same content may stand in ``contents`` more than once; a content there need not be used. ``origins``, where
    records were captured from a broker: `cta.model.raw.Origin`[n], as objects.
    """

    __slots__ = ("codes", "contents", "origins", "times")

    def __init__(
        self,
        times: NDArray[np.int64],
        codes: NDArray[np.intp],
        contents: Sequence[Content],
        origins: NDArray[np.object_] | None = None,
    ) -> None:
        self.times = times
        self.codes = codes
        self.contents = contents
        self.origins = origins

    @classmethod
    def of(cls, records: Iterable[tuple[int, Content]]) -> Batch:
        """A batch of (time_ms, content) pairs in the order given."""
        pairs = list(records)
        codes: dict[int, int] = {}
        contents: list[Content] = []
        column = []
        for _, content in pairs:
            code = codes.get(id(content))
            if code is None:
                code = codes[id(content)] = len(contents)
                contents.append(content)
            column.append(code)
        return cls(np.array([time_ms for time_ms, _ in pairs], np.int64), np.array(column, np.intp), contents)

    @classmethod
    def joined(cls, batches: Sequence[Batch]) -> Batch:
        """The batches' records one after the other; at least one batch. All of them have origins, or none that is kept."""
        starts = np.cumsum([0, *(len(batch.contents) for batch in batches[:-1])])
        origins = [batch.origins for batch in batches if batch.origins is not None]
        return cls(
            np.concatenate([batch.times for batch in batches]),
            np.concatenate([batch.codes + start for batch, start in zip(batches, starts, strict=True)]),
            [content for batch in batches for content in batch.contents],
            np.concatenate(origins) if origins else None,
        )

    def __len__(self) -> int:
        return len(self.times)

    def __iter__(self) -> Iterator[tuple[int, Content]]:
        return zip(self.times.tolist(), map(self.contents.__getitem__, self.codes.tolist()), strict=True)

    def __getitem__(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> Batch:
        """The records of a slice, a mask or an index, in that order, over the same contents."""
        origins = None if self.origins is None else self.origins[rows]
        return Batch(self.times[rows], self.codes[rows], self.contents, origins)

    def between(self, from_ms: int | None, until_ms: int | None) -> Batch:
        """The records with from_ms <= time < until_ms of a batch whose times do not go back."""
        start = 0 if from_ms is None else int(np.searchsorted(self.times, from_ms, "left"))
        stop = len(self) if until_ms is None else int(np.searchsorted(self.times, until_ms, "left"))
        return self if start == 0 and stop == len(self) else self[start:stop]

    def within(self, from_ms: int | None, until_ms: int | None) -> Batch:
        """As `between`, of a batch whose times may go back."""
        wanted = np.ones(len(self), np.bool_)
        if from_ms is not None:
            wanted &= self.times >= from_ms
        if until_ms is not None:
            wanted &= self.times < until_ms
        return self if wanted.all() else self[wanted]

    def compact(self) -> Batch:
        """The same records over only the contents that they use; itself where all are used."""
        used = np.flatnonzero(np.bincount(self.codes, minlength=len(self.contents)))
        if len(used) == len(self.contents):
            return self
        place = np.zeros(len(self.contents), np.intp)
        place[used] = np.arange(len(used))
        return Batch(self.times, place[self.codes], [self.contents[code] for code in used.tolist()], self.origins)

    def ranks(self) -> NDArray[np.int64]:
        """The topic rank of each record, int64[n]."""
        return np.array([content.topic.rank for content in self.contents], np.int64)[self.codes]
