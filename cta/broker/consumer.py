"""Partitions back into batches: reads on from where it stands, to where the partitions end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cta.broker.port import Broker
from cta.broker.share import Whole
from cta.model.batch import Batch
from cta.model.topics import RECORDED, Place, Topic

MAX_RECORDS: Final = 100_000
"""The most records in a batch: a simulated hour at its busiest and more."""


class Consumer:
    """Reads topics of a broker from their begin offsets on; ``namespace`` is put before every topic's name."""

    def __init__(self, broker: Broker, topics: Iterable[Topic] = RECORDED, *, namespace: str = "") -> None:
        """Errors: BrokerError for a topic that isn't there."""
        self._broker = broker
        self.positions = Whole(broker, [namespace + topic.name for topic in topics]).positions
        """The next offset to read, by topic and partition."""

    def poll(self) -> Iterator[Batch]:
        """What has been appended since: batch upon batch, topic by topic and partition by partition.

        Ends at the end offsets of the moment it is called, so it ends however fast a producer is. A batch counts as
        consumed once it is yielded.
        """
        ends = {(name, number): self._broker.end_offset(name, number) for name, number in self.positions}
        return self._read_to(ends)

    def _read_to(self, ends: dict[Place, int]) -> Iterator[Batch]:
        for (name, number), end in ends.items():
            while (offset := self.positions[name, number]) < end:
                batch, next_offset = self._broker.read(name, number, offset, min(MAX_RECORDS, end - offset))
                self.positions[name, number] = next_offset
                yield batch

    def trim(self) -> None:
        """Delete what was consumed, so that a run of any length takes the memory of what is under way."""
        for (name, number), offset in self.positions.items():
            self._broker.delete_records(name, number, offset)
