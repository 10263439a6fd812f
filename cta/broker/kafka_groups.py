"""Consumer groups of a Kafka cluster: what they are, who is in them, and away with them."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from cta.broker.kafka_client import REQUEST_TIMEOUT_S, Connection


class KafkaGroups:
    """Errors of every method: ServiceError where the cluster cannot be reached, BrokerError where it refuses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client = AdminClient(connection.config({}, {}))

    def members(self, prefix: str) -> dict[str, int]:
        """How many members each group has whose name begins so, sorted by name."""
        try:
            found = self._client.list_consumer_groups(request_timeout=REQUEST_TIMEOUT_S).result()
            names = sorted(group.group_id for group in found.valid if group.group_id.startswith(prefix))
            if not names:
                return {}
            described = self._client.describe_consumer_groups(names, request_timeout=REQUEST_TIMEOUT_S)
            return {name: len(future.result().members) for name, future in described.items()}
        except KafkaException as error:
            self._client.poll(0)  # so that the connection hears why
            raise self._connection.error(error) from None

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
