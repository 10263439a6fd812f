"""Batches into partitions: every record to its topic, and to the partition that its entity names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cta.broker.partition import partition
from cta.model.batch import Batch
from cta.model.topics import RECORDED, Place, Topic


class Sink(Protocol):
    """As much of a `cta.broker.port.Broker` as is written to."""

    def create_topic(self, name: str, partitions: int) -> None: ...

    def send(self, topic: str, partition: int, batch: Batch) -> None: ...

    def flush(self) -> None: ...


class Producer:
    """Sends batches to a broker; ``namespace`` is put before every topic's name.

    Makes the topics, each with so many partitions. Errors: BrokerError where one is there with another number.
    """

    def __init__(
        self, broker: Sink, partitions: int = 1, *, topics: Iterable[Topic] = RECORDED, namespace: str = ""
    ) -> None:
        self._broker = broker
        self._partitions = partitions
        self._namespace = namespace
        for topic in topics:
            broker.create_topic(namespace + topic.name, partitions)

    def send(self, batch: Batch) -> None:
        """Append the batch's records; those of one topic and partition keep their order. They can be read afterwards."""
        self.post(batch)
        self.flush()

    def post(self, batch: Batch) -> None:
        """As `send`, without waiting: a broker that is elsewhere takes batch upon batch while the next one is made."""
        places, place_codes = self._places(batch)
        for (topic, number), part in zip(places, _split(batch, place_codes, len(places)), strict=True):
            self._broker.send(topic, number, part)

    def flush(self) -> None:
        """Wait until all that was posted can be read. Errors: those of `cta.broker.port.Broker.flush`."""
        self._broker.flush()

    def _places(self, batch: Batch) -> tuple[list[Place], NDArray[np.uint16]]:
        """The places that the batch's records go to, and for each content in use the number of its place."""
        numbers: dict[Place, int] = {}
        place_codes = np.zeros(len(batch.contents), np.uint16)
        used = np.flatnonzero(np.bincount(batch.codes, minlength=len(batch.contents)))
        contents = [batch.contents[code] for code in used.tolist()]
        place_codes[used] = [
            numbers.setdefault((content.topic.name, partition(content.entity, self._partitions)), len(numbers))
            for content in contents
        ]
        return [(self._namespace + topic, number) for topic, number in numbers], place_codes


def _split(batch: Batch, place_codes: NDArray[np.uint16], places: int) -> Iterator[Batch]:
    """The batch's records of each place, in the batch's order."""
    places_of_records = place_codes[batch.codes]
    # A stable sort of 16-bit numbers is a radix sort: one pass for any number of places.
    sorted_batch = batch[np.argsort(places_of_records, kind="stable")]
    bounds = np.cumsum(np.bincount(places_of_records, minlength=places)).tolist()
    for start, stop in pairwise([0, *bounds]):
        yield sorted_batch[start:stop]
