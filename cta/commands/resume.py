"""Going on with a run that ended early: what stands in Kafka must be this run's beginning, partition by partition.

An idempotent producer leaves a prefix of the run in each partition, whenever it dies. So the run is first made once
without sending anything, and held record by record against what is there; then once more, without what is there. Both are
done behind the producer, which splits a run into partitions as ever.
"""

from __future__ import annotations

from collections.abc import Iterable

from cta.broker.checks import topic_place
from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer
from cta.model.batch import Batch, Content
from cta.model.errors import BrokerError
from cta.model.time import format_timestamp
from cta.model.topics import Place

REMEDY = "it can't be gone on with: choose --fresh, another --namespace, or the run that is there"


class _There:
    """A sink that takes nothing: each record it is sent must be there already, as far as there are any."""

    def __init__(self, broker: KafkaBroker) -> None:
        self._broker = broker
        self.seen: dict[Place, int] = {}
        """How many records of each place were found to be there."""

    def create_topic(self, name: str, partitions: int) -> None:
        self._broker.create_topic(name, partitions)
        for number in range(partitions):
            if self._broker.begin_offset(name, number):
                raise BrokerError("its beginning is gone", where=topic_place(name, number), remedy=REMEDY)
            self.seen[name, number] = 0

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        place = topic, partition
        offset = self.seen[place]
        expected = batch[: self._broker.end_offset(*place) - offset]
        there: list[tuple[int, Content]] = []
        while len(there) < len(expected):
            found, next_offset = self._broker.read(*place, offset + len(there), len(expected) - len(there))
            there += found
            if next_offset != offset + len(there):
                raise BrokerError("records are missing in it", where=topic_place(*place), remedy=REMEDY)
        for n, (mine, theirs) in enumerate(zip(expected, there, strict=True)):
            if mine != theirs:
                what = f"{_told(theirs)} stands where this run has {_told(mine)}"
                raise BrokerError(what, where=f"{topic_place(*place)}, offset {offset + n}", remedy=REMEDY)
        self.seen[place] += len(expected)

    def flush(self) -> None:
        """Whatever was asked about is known."""


class Rest:
    """A sink that passes over as many records of each place as are there, and sends the rest to the broker."""

    def __init__(self, broker: KafkaBroker, there: dict[Place, int]) -> None:
        self._broker = broker
        self._left = dict(there)

    def create_topic(self, name: str, partitions: int) -> None:
        self._broker.create_topic(name, partitions)

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        place = topic, partition
        there = min(self._left[place], len(batch))
        self._left[place] -= there
        if there < len(batch):
            self._broker.send(topic, partition, batch[there:])

    def flush(self) -> None:
        self._broker.flush()


def beginning(broker: KafkaBroker, partitions: int, run: Iterable[Batch]) -> dict[Place, int]:
    """How many records of the run stand in each partition. Errors: BrokerError where anything else stands there."""
    there = _There(broker)
    producer = Producer(there, partitions, namespace=broker.settings.namespace)
    for batch in run:
        producer.send(batch)
    for place, seen in there.seen.items():
        more = broker.end_offset(*place) - seen
        if more:
            raise BrokerError(f"holds {more:,} records more than this run", where=topic_place(*place), remedy=REMEDY)
    return there.seen


def _told(record: tuple[int, Content]) -> str:
    time_ms, content = record
    return f"{format_timestamp(time_ms)} {content.fragment.decode()}"
