"""A seat in a consumer group: its members share the topics' partitions, each of which is one member's at a time.

Theory of operation. The group's client only takes its seat: it says which partitions are this member's, and keeps on the
cluster how far they were acknowledged. Its partitions are paused, and records are read by their offsets, as everywhere
else: so nothing that a client has in hand while partitions move can be read twice or passed over. A partition comes with
the offset that the group acknowledged last. One that goes takes with it what was read of it and not acknowledged:
whoever gets it reads exactly that again. It goes only inside `poll`, however long the group has to wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from cta.broker.kafka_client import REQUEST_TIMEOUT_S, Connection
from cta.broker.port import Broker
from cta.model.errors import BrokerError
from cta.model.topics import Place

SEAT_S: Final = 15.0
"""How long the group may take to give a partition: a member that was killed keeps its own until its session ends."""
POLL_S: Final = 0.1

FIXED: Final = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "partition.assignment.strategy": "cooperative-sticky",  # a partition that stays with its reader is not interrupted
}
PRESET: Final = {
    "session.timeout.ms": 6_000,  # a killed member's partitions go to the others
    "heartbeat.interval.ms": 1_500,
    "max.poll.interval.ms": 3_600_000,  # a member may read and write a long time before it looks up
}

_SETTLING: Final = frozenset({KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION})
"""Another member is coming or going: a moment later the group takes what this one still holds."""


class KafkaMember:
    """A `cta.broker.share.Share`.

    Errors of every method: ServiceError where the cluster cannot be reached, BrokerError where it refuses.
    """

    def __init__(
        self,
        connection: Connection,
        group: str,
        topics: Sequence[str],
        broker: Broker,
        *,
        revoked: Callable[[Iterable[Place]], None] = lambda places: None,
    ) -> None:
        """``revoked`` is told of partitions that go."""
        self.positions: dict[Place, int] = {}
        self._given: list[TopicPartition] = []
        self.where = f"consumer group {group}"
        self._connection = connection
        self._broker = broker
        self._revoked = revoked
        self._client = connection.client(Client, PRESET, {**FIXED, "group.id": group})
        self._client.subscribe(list(topics), on_assign=self._come, on_revoke=self._go)

    def wait(self) -> None:
        """Return when the group has given this member a partition. Errors: BrokerError where it gives none."""
        deadline_s = time.monotonic() + SEAT_S
        while not self.positions:
            if time.monotonic() > deadline_s:
                raise BrokerError(
                    f"it gave no partition within {SEAT_S:g} s: its other members have them all, or are busy writing",
                    where=self.where,
                    remedy="wait until one of them has ended, or use another group",
                )
            self._look(POLL_S)

    def poll(self) -> None:
        self._look(0)

    def _look(self, wait_s: float) -> None:
        message = self._client.poll(wait_s)
        error = None if message is None else message.error()
        if error is not None and error.code() == KafkaError.INCONSISTENT_GROUP_PROTOCOL:
            raise BrokerError("others share partitions in it another way", where=self.where, remedy="use another group")
        # One that did not look up for too long has lost its partitions; that is all that the other error says.
        if error is not None and error.code() != KafkaError._MAX_POLL_EXCEEDED:
            raise self._connection.error(error, self.where)
        self._take_up()

    def acknowledge(self) -> None:
        """As the port says. An error: the group stands where it stood, or some partitions of it do."""
        offsets = [TopicPartition(*place, offset) for place, offset in self.positions.items()]
        deadline_s = time.monotonic() + REQUEST_TIMEOUT_S
        while offsets and (error := self._refusal(offsets)) is not None:
            if error.code() not in _SETTLING or time.monotonic() > deadline_s:
                raise self._connection.error(error, self.where)
            time.sleep(POLL_S)

    def _refusal(self, offsets: list[TopicPartition]) -> KafkaError | None:
        """Commit; what was refused, if anything was."""
        try:
            answers = self._client.commit(offsets=offsets, asynchronous=False) or []
        except KafkaException as error:
            refused: KafkaError = error.args[0]
            return refused
        return next((answer.error for answer in answers if answer.error is not None), None)

    def _come(self, client: Any, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            partition.offset = 0  # of no consequence: the client is not to read
        client.incremental_assign(partitions)
        client.pause(partitions)
        self._given += partitions

    def _take_up(self) -> None:
        """Begin each partition that came where the group acknowledged it last, or with what is left of it."""
        given, self._given = self._given, []
        try:
            acknowledged = self._client.committed(given, timeout=REQUEST_TIMEOUT_S) if given else []
        except KafkaException as error:
            raise self._connection.error(error, self.where) from None
        for partition in acknowledged:
            if partition.error is not None:
                raise self._connection.error(partition.error, self.where)
            place = partition.topic, partition.partition
            self.positions[place] = max(partition.offset, self._broker.begin_offset(*place))

    def _go(self, client: Any, partitions: list[TopicPartition]) -> None:
        places = [(partition.topic, partition.partition) for partition in partitions]
        self._given = [partition for partition in self._given if (partition.topic, partition.partition) not in places]
        for place in places:
            self.positions.pop(place, None)
        self._revoked(places)

    def close(self) -> None:
        """Leave the group and give every partition back, as far as it was acknowledged."""
        self._client.close()
