"""Topics of a Kafka cluster: made as the contract says, looked at, cut, deleted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata, ConfigResource, NewTopic, OffsetSpec, ResourceType

from cta.broker.avro import topic_of
from cta.broker.checks import check_new_topic, check_partition, no_such_topic, other_partitions, topic_place
from cta.broker.kafka_client import REQUEST_TIMEOUT_S, Connection
from cta.model.errors import BrokerError
from cta.model.topics import TOPICS, Cleanup

T = TypeVar("T")

POLL_S: Final = 0.02
LOOK_S: Final = 0.5
REFUSED_S: Final = 3.0
"""How long a broker that refuses connections is asked again: it may be just starting."""

_GONE: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC})
_MOVING: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError._NOENT,  # librdkafka's own: it knows no leader, since the broker that was one is gone
    }
)


def topic_config(name: str) -> dict[str, str]:
    """What the contract asks of a topic."""
    return {
        "cleanup.policy": _cleanup(name),
        "message.timestamp.type": "CreateTime",  # a record's time is the event's
        "retention.ms": "-1",  # by event time, a scenario of last spring would be old the moment it is written
        "message.timestamp.after.max.ms": str(2**63 - 1),  # a scenario may be dated ahead of the broker's clock
    }


def _cleanup(name: str) -> Cleanup:
    known = topic_of(name) or next((topic for topic in TOPICS if name.endswith(topic.name)), None)
    return "delete" if known is None else known.cleanup


class KafkaAdmin:
    """Asks for and changes topics. What a topic's partitions are is kept."""

    def __init__(self, connection: Connection, replication_factor: int) -> None:
        self._connection = connection
        self._replication_factor = replication_factor
        self._partitions: dict[str, int] = {}
        self._client = connection.client(AdminClient, {}, {})

    def topics(self) -> dict[str, int]:
        """The partitions of each topic that there is, sorted by name. Errors: ServiceError."""
        found = self._metadata().topics
        # A topic without a leader everywhere is one that is just being made.
        there = {
            name: len(topic.partitions)
            for name, topic in sorted(found.items())
            if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values())
        }
        self._partitions = dict(there)
        return there

    def ids(self, names: Iterable[str]) -> dict[str, str]:
        """The ids of those topics that there are, be it without a leader for a moment: one made anew has another.

        Errors: ServiceError; BrokerError where the cluster lets nobody look.
        """
        ids = {}
        for name, future in self._client.describe_topics(TopicCollection(list(names))).items():
            try:
                ids[name] = str(future.result().topic_id)
            except KafkaException as error:
                if error.args[0].code() not in _GONE:
                    raise self._connection.error(error, topic_place(name)) from None
        return ids

    def _metadata(self) -> ClusterMetadata:
        """What the cluster says of itself; given up early where the client knows why nothing answers."""
        began_s = time.monotonic()
        while True:
            try:
                return self._client.list_topics(timeout=LOOK_S)
            except KafkaException as error:
                self._client.poll(0)  # so that the connection hears why
                patience_s = REQUEST_TIMEOUT_S if self._connection.complaint is None else REFUSED_S
                if self._connection.is_shut_out or time.monotonic() - began_s >= patience_s:
                    raise self._connection.error(error, doing="it cannot be reached") from None

    def partitions(self, topic: str) -> int:
        if topic not in self._partitions and topic not in self.topics():
            raise no_such_topic(topic)
        return self._partitions[topic]

    def check(self, topic: str, partition: int) -> None:
        """Raises if there is no such topic or partition."""
        check_partition(topic, partition, self.partitions(topic))

    def create(self, name: str, partitions: int) -> None:
        """Make the topic as `topic_config` says, or see that it is there and so. Errors: BrokerError with the differences."""
        check_new_topic(name, partitions)
        if name not in self.topics():
            wanted = NewTopic(name, partitions, self._replication_factor, config=topic_config(name))
            try:
                self._client.create_topics([wanted], request_timeout=REQUEST_TIMEOUT_S)[name].result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._connection.error(error, topic_place(name), "it was not made") from None
            self._wait_for(lambda: name in self.topics(), f"topic {name} was made and has no leader yet")
        self._compare(name, partitions)

    def _compare(self, name: str, partitions: int) -> None:
        if self._partitions[name] != partitions:
            raise other_partitions(name, self._partitions[name], partitions)
        there = self.config(name)
        wanted = topic_config(name)
        differing = [f"{key}={there.get(key)}, not {value}" for key, value in wanted.items() if there.get(key) != value]
        if differing:
            raise BrokerError(
                f"has {' and '.join(differing)}",
                where=topic_place(name),
                remedy="alter it, delete it or use another namespace",
            )

    def config(self, name: str) -> dict[str, str | None]:
        """All settings of a topic, the broker's defaults among them."""
        return self._config(ConfigResource(ResourceType.TOPIC, name), topic_place(name))

    def broker_config(self) -> dict[str, str | None]:
        """All settings of one of the brokers: a broker knows those of its version."""
        broker_id = min(self._metadata().brokers)
        return self._config(ConfigResource(ResourceType.BROKER, str(broker_id)), f"broker {broker_id}")

    def _config(self, resource: ConfigResource, where: str) -> dict[str, str | None]:
        try:
            entries = self._client.describe_configs([resource], request_timeout=REQUEST_TIMEOUT_S)[resource].result()
        except KafkaException as error:
            raise self._connection.error(error, where) from None
        return {key: entry.value for key, entry in entries.items()}

    def begin_offset(self, topic: str, partition: int) -> int:
        return self._offset(topic, partition, OffsetSpec.earliest())

    def end_offset(self, topic: str, partition: int) -> int:
        """What a reader of committed records can read to."""
        return self._offset(topic, partition, OffsetSpec.latest())

    def _offset(self, topic: str, partition: int, spec: Any) -> int:
        self.check(topic, partition)
        place = TopicPartition(topic, partition)
        found = self._settled(topic, lambda: self._list_offsets(place, spec))
        return int(found.offset)

    def _list_offsets(self, place: TopicPartition, spec: Any) -> Any:
        committed = IsolationLevel.READ_COMMITTED
        futures = self._client.list_offsets({place: spec}, isolation_level=committed, request_timeout=REQUEST_TIMEOUT_S)
        return futures[place].result()

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        place = TopicPartition(topic, partition, before_offset)
        self._settled(
            topic, lambda: self._client.delete_records([place], request_timeout=REQUEST_TIMEOUT_S)[place].result()
        )

    def _settled(self, topic: str, ask: Callable[[], T]) -> T:
        """The answer about a topic that is there, asked again while its partitions are being handed over or just made."""
        deadline_s = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            try:
                return ask()
            except KafkaException as error:
                code = error.args[0].code()
                if code in _GONE | _MOVING and topic not in self.topics():  # which also looks for the leaders anew
                    raise no_such_topic(topic) from None
                if code not in _GONE | _MOVING or time.monotonic() > deadline_s:
                    self._client.poll(0)
                    raise self._connection.error(error, topic_place(topic)) from None
            time.sleep(POLL_S)

    def delete_topics(self, names: Iterable[str]) -> None:
        """Delete topics and wait until they are gone; one that is not there is no error."""
        names = list(names)
        if not names:
            return
        for name, future in self._client.delete_topics(names, request_timeout=REQUEST_TIMEOUT_S).items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._connection.error(error, topic_place(name), "it was not deleted") from None
        self._wait_for(lambda: self.topics().keys().isdisjoint(names), f"topics {', '.join(names)} are not gone yet")

    def _wait_for(self, met: Callable[[], bool], late: str) -> None:
        deadline_s = time.monotonic() + REQUEST_TIMEOUT_S
        while not met():
            if time.monotonic() > deadline_s:
                raise self._connection.unreachable(late)
            time.sleep(POLL_S)
