"""Records to Kafka: in order, each once, with the event's time as the record's.

The loop that hands a record over is the whole cost of producing (0.6 us a call), so it is one positional call; what a
record's bytes are was settled once a content.
"""

from __future__ import annotations

from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka import Producer as Client

from cta.broker.avro import Codec
from cta.broker.checks import topic_place
from cta.broker.kafka_client import Connection
from cta.model.batch import Batch
from cta.model.errors import CtaError, RecordError

CHUNK_RECORDS: Final = 10_000
"""Between two looks at what was delivered."""
FULL_QUEUE_WAIT_S: Final = 0.05
DELIVERY_TIMEOUT_S: Final = 60.0
"""A broker that was killed is back within it."""

FIXED: Final = {
    "enable.idempotence": True,
    "acks": "all",
    "delivery.report.only.error": True,  # a report on each record costs 17 %
}
PRESET: Final = {
    "compression.type": "lz4",
    "linger.ms": 5,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 500_000,
    "message.timeout.ms": int(DELIVERY_TIMEOUT_S * 1000),
}


class KafkaProducer:
    """Writes batches to partitions. Failures are counted as they are reported, and raised by `flush`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._failures = 0
        self._first_failure: tuple[KafkaError, str] | None = None
        self._client = connection.client(Client, {**PRESET, "on_delivery": self._failed}, FIXED)
        self._timeout_s = int(connection.config(PRESET, FIXED)["message.timeout.ms"]) / 1000

    def send(self, codec: Codec, topic: str, partition: int, batch: Batch) -> None:
        """Hand the batch's records over, in order. Errors: RecordError, before any of them; or the client's refusal."""
        if not batch.times.all():
            what = "a record of time 0, which Kafka's client takes for none: it would bear the wall clock's"
            raise RecordError(what, where=topic_place(topic, partition))
        batch = batch.compact()
        encoded = [codec.encode(content) for content in batch.contents]
        keys, values = [key for _, key, _ in encoded], [value for _, _, value in encoded]
        times, codes = batch.times.tolist(), batch.codes.tolist()
        produce = self._client.produce
        try:
            for start in range(0, len(codes), CHUNK_RECORDS):
                chunk = slice(start, start + CHUNK_RECORDS)
                for time_ms, code in zip(times[chunk], codes[chunk], strict=True):
                    try:
                        # topic, value, key, partition, callback, on_delivery, timestamp: keywords would cost a third
                        produce(topic, values[code], keys[code], partition, None, None, time_ms)
                    except BufferError:
                        self._produce_when_there_is_room(topic, values[code], keys[code], partition, time_ms)
                self._client.poll(0)
        except KafkaException as error:
            raise self._connection.error(error, topic_place(topic, partition)) from None

    def _produce_when_there_is_room(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int, time_ms: int
    ) -> None:
        while True:
            self._client.poll(FULL_QUEUE_WAIT_S)
            try:
                return self._client.produce(topic, value, key, partition, None, None, time_ms)
            except BufferError:
                continue  # each record in the queue is delivered or fails within its time, so there will be room

    @property
    def unacknowledged(self) -> int:
        """How many records were handed over and are neither delivered nor given up. Without a broker the client counts its complaints, too."""
        return len(self._client)

    def flush(self) -> None:
        """Wait until every record is delivered. Errors: ServiceError or BrokerError with how many were not."""
        # Each record has its own time limit; a second more is for the reports.
        left = self._client.flush(self._timeout_s + 1.0)
        if left:
            self._client.purge()
            self._client.flush(1.0)
        failures, first = self._failures, self._first_failure
        self._failures, self._first_failure = 0, None
        if failures:
            raise self._error(failures, first)

    def _error(self, failures: int, first: tuple[KafkaError, str] | None) -> CtaError:
        records = "1 record was" if failures == 1 else f"{failures} records were"
        what = f"{records} not delivered"
        if first is None:
            return self._connection.unreachable(what)
        error, where = first
        return self._connection.error(error, where, f"{what}, the first: {error.str()}")

    def _failed(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            return
        self._failures += 1
        if self._first_failure is None:
            self._first_failure = error, topic_place(str(message.topic()), message.partition())

    def close(self) -> None:
        """Let go of what was not flushed."""
        self._client.purge()
        self._client.flush(1.0)
