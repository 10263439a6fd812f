"""A chain a partition: its records in the order in which they arrived, whatever their keys.

The digest has a chain a key, so two keys that change places inside a partition leave it as it is, as they must: between
partitions there is no order to have. Within one there is, and a consumer may rely on it. These chains have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cta.model.batch import Batch
from cta.model.topics import Place
from cta.recording.digest import RECORD_BYTES, Chain, records_of

NO_PARTITION: Final = -1
_END: Final = 1 << 31
"""Kafka's partitions are 32-bit integers."""


class PartitionChains:
    """Takes batches in the order of each partition, those of several partitions in any order."""

    def __init__(self) -> None:
        self._chains: dict[Place, Chain] = {}

    def captured(self, batch: Batch) -> None:
        """Add the batch's records that say which partition they were captured from."""
        if batch.origins is not None:
            partitions = [origin.partition for origin in batch.origins.tolist()]
            known = [NO_PARTITION if one is None or not 0 <= one < _END else one for one in partitions]
            self.update(batch, np.array(known, np.int64))

    def update(self, batch: Batch, partitions: NDArray[np.int64]) -> None:
        """Add the records. ``partitions``: each one's, int64[n], or `NO_PARTITION`: then it is in no chain."""
        if not len(batch):
            return
        topics: dict[str, int] = {}
        numbers = [topics.setdefault(content.topic.name, len(topics)) for content in batch.contents]
        names = list(topics)
        column = np.where(partitions < 0, NO_PARTITION, np.array(numbers, np.int64)[batch.codes] * _END + partitions)
        order = np.argsort(column, kind="stable")
        view = records_of(batch, order)
        places, starts = np.unique(column[order], return_index=True)
        stops = [*starts[1:].tolist(), len(batch)]
        for place, start, stop in zip(places.tolist(), starts.tolist(), stops, strict=True):
            if place != NO_PARTITION:
                chain = self._chains.setdefault((names[place // _END], place % _END), Chain())
                chain.add(stop - start, view[start * RECORD_BYTES : stop * RECORD_BYTES])

    def chains(self) -> dict[Place, tuple[int, str]]:
        """Count and hash by topic and partition, in their order."""
        return {place: (chain.count, chain.digest().hex()) for place, chain in sorted(self._chains.items())}

    def told(self) -> dict[str, dict[int, str]]:
        """As a trailer has them: the hash by topic and partition."""
        found: dict[str, dict[int, str]] = {}
        for (topic, partition), (_, chain) in self.chains().items():
            found.setdefault(topic, {})[partition] = chain
        return found


def differing(a: dict[str, dict[int, str]], b: dict[str, dict[int, str]]) -> Iterator[Place]:
    """Topics and partitions, in their order, in which two trailers' chains differ, or which only one has."""
    places = sorted({(topic, number) for chains in (a, b) for topic in chains for number in chains[topic]})
    return ((topic, number) for topic, number in places if a.get(topic, {}).get(number) != b.get(topic, {}).get(number))
