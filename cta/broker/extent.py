"""What partitions hold at one moment: it can be read again and again, and is the same each time, however a producer goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cta.broker.consumer import MAX_RECORDS
from cta.broker.port import Broker
from cta.broker.share import Whole
from cta.model.batch import Batch
from cta.model.topics import Place


@dataclass(frozen=True)
class Extent:
    """The offsets from a begin to before an end, by topic and partition."""

    ends: dict[Place, tuple[int, int]]

    @classmethod
    def of(cls, broker: Broker, topics: Iterable[str]) -> Extent:
        """From the topics' begin offsets to their end offsets now. Errors: BrokerError for a topic that isn't there."""
        return cls.onward(broker, Whole(broker, topics).positions)

    @classmethod
    def onward(cls, broker: Broker, positions: Mapping[Place, int]) -> Extent:
        """From the positions to the partitions' end offsets now."""
        return cls({place: (offset, broker.end_offset(*place)) for place, offset in positions.items()})

    @property
    def records(self) -> int:
        """How many offsets there are; fewer records, where some were compacted away."""
        return sum(end - begin for begin, end in self.ends.values())

    def batches(self, broker: Broker) -> Iterator[Batch]:
        """All of it, topic by topic and partition by partition."""
        for place in self.ends:
            yield from self.partition(broker, place)

    def partition(self, broker: Broker, place: Place) -> Iterator[Batch]:
        """One partition's records, in order."""
        offset, end = self.ends[place]
        while offset < end:
            batch, offset = broker.read(*place, offset, min(MAX_RECORDS, end - offset))
            yield batch
