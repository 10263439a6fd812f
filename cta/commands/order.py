"""The order inside partitions: what a cluster holds against what the producer puts there.

The digest holds the order within a key. Keys of one partition are held apart by nothing but these chains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cta.broker.extent import Extent
from cta.broker.partition import partition
from cta.broker.port import Broker
from cta.model.batch import Batch
from cta.model.topics import short_name
from cta.recording.partitions import NO_PARTITION, PartitionChains


@dataclass(frozen=True)
class OtherOrder:
    """A partition that holds other records, or in another order, than the producer puts there."""

    topic: str
    partition: int
    expected_records: int
    found_records: int

    def __str__(self) -> str:
        found, expected = self.found_records, self.expected_records
        what = "in another order than sent" if found == expected else f"{found:,} records, not {expected:,}"
        return f"{short_name(self.topic)} partition {self.partition}: {what}"


@dataclass
class PartitionOrder:
    """Both sides' chains. ``partitions``: how many each topic has on the cluster, by the topic's own name."""

    partitions: Mapping[str, int]
    _expected: PartitionChains = field(default_factory=PartitionChains)
    _found: PartitionChains = field(default_factory=PartitionChains)

    def expect(self, batch: Batch) -> None:
        """Take in the run's next records, as they are sent."""
        self._expected.update(batch, self._placed(batch))

    def find(self, broker: Broker, extent: Extent) -> Iterator[Batch]:
        """What the cluster holds, taken in while it goes by."""
        for place in extent.ends:
            for batch in extent.partition(broker, place):
                self._found.update(batch, np.full(len(batch), place[1], np.int64))
                yield batch

    def differing(self) -> list[OtherOrder]:
        expected, found = self._expected.chains(), self._found.chains()
        none = (0, "")
        return [
            OtherOrder(*place, expected.get(place, none)[0], found.get(place, none)[0])
            for place in sorted(expected.keys() | found.keys())
            if expected.get(place, none) != found.get(place, none)
        ]

    def _placed(self, batch: Batch) -> NDArray[np.int64]:
        """The partition of each record, int64[n]; none of a topic that a run has not: that is a difference anyway."""
        of_contents = [
            partition(content.entity, self.partitions[content.topic.name])
            if content.topic.name in self.partitions
            else NO_PARTITION
            for content in batch.contents
        ]
        return np.array(of_contents, np.int64)[batch.codes]
