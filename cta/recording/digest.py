"""The one digest of a stream of records: the same however it was batched, partitioned, stored or delivered.

A record is its time, int64 little-endian, and the blake2b-128 hash of its content's canonical bytes. The records of
one (topic, key), in the order delivered, make a chain: blake2b-128 over them. The digest is blake2b-128 over all
chains in the order of their key bytes: the key's length as uint32 little-endian, the key, the count of its records as
uint64 little-endian, the chain's hash. docs/recording-format.md works an example.

A record lost, doubled, changed or out of order within its key changes the digest; records of different keys may pass
one another, as they do between Kafka's partitions.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cta.model.batch import HASH_BYTES, Batch
from cta.model.topics import RECORDED

RECORD_WORDS: Final = 1 + HASH_BYTES // 8
RECORD_BYTES: Final = 8 * RECORD_WORDS


class Chain:
    """Records in order, of one key or one partition. A hash object takes 413 bytes, so an only record waits as it is."""

    __slots__ = ("count", "hasher", "only")

    def __init__(self) -> None:
        self.count = 0
        self.only = b""
        self.hasher: blake2b | None = None

    def add(self, count: int, records: memoryview) -> None:
        if self.count == 0 and count == 1:
            self.only = bytes(records)
        else:
            if self.hasher is None:
                self.hasher = blake2b(self.only, digest_size=HASH_BYTES)
                self.only = b""
            self.hasher.update(records)
        self.count += count

    def digest(self) -> bytes:
        return (self.hasher or blake2b(self.only, digest_size=HASH_BYTES)).digest()


def records_of(batch: Batch, order: NDArray[np.intp]) -> memoryview:
    """The batch's records as bytes, `RECORD_BYTES` each, in the order given: indices, intp[n]."""
    hashes = np.frombuffer(b"".join([content.hash for content in batch.contents]), "<i8")
    records = np.empty((len(batch), RECORD_WORDS), "<i8")
    records[:, 0] = batch.times[order]
    records[:, 1:] = hashes.reshape(-1, RECORD_WORDS - 1)[batch.codes[order]]
    return records.data.cast("B")


class Digest:
    """Takes batches in order; may be asked at any moment.

    ``counts``: records by topic name, all recorded topics from the start, in the order of their rank. ``first_ms`` and
    ``last_ms``: the earliest and the latest event time, None before any record.
    """

    def __init__(self) -> None:
        self.counts: dict[str, int] = {topic.name: 0 for topic in RECORDED}
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self._chains: dict[bytes, Chain] = {}

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def update(self, batch: Batch) -> None:
        """Adds the batch's records: one hash update a key that it holds, over a slice of its records sorted by key."""
        if not len(batch):
            return
        batch = batch.compact()
        places: dict[bytes, int] = {}
        topics: list[str] = []
        places_of_contents = []
        for content in batch.contents:
            place = places.setdefault(content.chain_key, len(topics))
            if place == len(topics):
                topics.append(content.topic.name)
            places_of_contents.append(place)

        # The narrowest integer: up to 65,536 keys NumPy's stable sort is a radix sort.
        key_column = np.array(places_of_contents, np.min_scalar_type(len(places)))[batch.codes]
        order = np.argsort(key_column, kind="stable")
        view = records_of(batch, order)

        start = 0
        for (key, place), count in zip(places.items(), np.bincount(key_column).tolist(), strict=True):
            chain = self._chains.get(key)
            if chain is None:
                chain = self._chains[key] = Chain()
            stop = start + count
            chain.add(count, view[start * RECORD_BYTES : stop * RECORD_BYTES])
            self.counts[topics[place]] = self.counts.get(topics[place], 0) + count
            start = stop

        first_ms, last_ms = int(batch.times.min()), int(batch.times.max())
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)

    def hexdigest(self) -> str:
        """The digest of all records so far, 32 hexadecimal characters."""
        whole = blake2b(digest_size=HASH_BYTES)
        for key, chain in sorted(self._chains.items()):
            whole.update(struct.pack("<I", len(key)) + key + struct.pack("<Q", chain.count) + chain.digest())
        return whole.hexdigest()

    def chains(self) -> dict[bytes, tuple[int, str]]:
        """Count and hash by chain key, in the order of the keys: two streams' chains name the keys that diverged."""
        return {key: (chain.count, chain.digest().hex()) for key, chain in sorted(self._chains.items())}
