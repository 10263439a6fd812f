"""Consumer groups of a Kafka cluster: what they are, who is in them, and away with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, MemberDescription, OffsetSpec

from cta.broker.kafka_client import REQUEST_TIMEOUT_S, Connection


class KafkaGroups:
    """Errors of every method: ServiceError where the cluster cannot be reached, BrokerError where it refuses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = connection.client(AdminClient, {}, {})

    def members(self, prefix: str) -> dict[str, int]:
        """How many members each group has whose name begins so, sorted by name."""
        with self._errors():
            return {name: len(members) for name, members in self._members(prefix).items()}

    def unread(self, prefix: str) -> dict[str, int]:
        """How many records each group whose name begins so has yet to read, sorted by name.

        Of the partitions that it has committed an offset in or that a member has; from their beginning, where there is
        no offset yet.
        """
        with self._errors():
            return {name: self._unread(name, members) for name, members in self._members(prefix).items()}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._client.poll(0)  # so that the connection hears why
            raise self._connection.error(error) from None

    def _members(self, prefix: str) -> dict[str, list[MemberDescription]]:
        found = self._client.list_consumer_groups(request_timeout=REQUEST_TIMEOUT_S).result()
        names = sorted(group.group_id for group in found.valid if group.group_id.startswith(prefix))
        if not names:
            return {}
        described = self._client.describe_consumer_groups(names, request_timeout=REQUEST_TIMEOUT_S)
        return {name: future.result().members for name, future in described.items()}

    def _unread(self, group: str, members: Iterable[MemberDescription]) -> int:
        asked = self._client.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=REQUEST_TIMEOUT_S
        )
        places = {(place.topic, place.partition): place.offset for place in asked[group].result().topic_partitions}
        for member in members:
            for place in member.assignment.topic_partitions:
                places.setdefault((place.topic, place.partition), OFFSET_INVALID)
        begins, ends = self._offsets(places, OffsetSpec.earliest()), self._offsets(places, OffsetSpec.latest())
        return sum(max(0, end - max(places[place], begins[place])) for place, end in ends.items() if place in begins)

    def _offsets(self, places: Iterable[tuple[str, int]], spec: OffsetSpec) -> dict[tuple[str, int], int]:
        """The offset that is meant of each partition; a topic that is gone has none."""
        asked = {TopicPartition(*place): spec for place in places}
        futures = self._client.list_offsets(asked, request_timeout=REQUEST_TIMEOUT_S) if asked else {}
        offsets = {}
        for place, future in futures.items():
            try:
                offsets[place.topic, place.partition] = future.result().offset
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise
        return offsets

    def delete(self, names: Iterable[str]) -> None:
        """Forget groups and their offsets; one that is not there is no error."""
        names = list(names)
        if not names:
            return
        for name, future in self._client.delete_consumer_groups(names, request_timeout=REQUEST_TIMEOUT_S).items():
            try:
                future.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                    where = f"consumer group {name}"
                    raise self._connection.error(error, where, "it was not deleted") from None
