"""The broker that is Kafka: `cta.broker.port.Broker` over a cluster, with a registry for the schemas.

A client library's threads and connections are made when they are first needed: who only reads has no producer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from threading import Lock
from types import TracebackType

import numpy as np
from confluent_kafka import Message

from cta.broker.avro import Codec, Schemas, topic_of
from cta.broker.checks import check_offset, check_records, topic_place
from cta.broker.kafka_admin import KafkaAdmin
from cta.broker.kafka_client import Connection
from cta.broker.kafka_producer import KafkaProducer
from cta.broker.kafka_reader import Decoder, KafkaReader, Unreadable
from cta.model.batch import Batch
from cta.model.errors import BrokerError, RecordError
from cta.model.settings import Settings


class KafkaBroker:
    """A `cta.broker.port.Broker`, a context manager too. It may be shared between threads.

    Names are the cluster's, a namespace included. ``unreadable`` says what is done with a record that is none of ours;
    ``origins``, for captures, that batches say where each record stood.
    """

    def __init__(
        self, settings: Settings, schemas: Schemas, *, unreadable: Unreadable = "stop", origins: bool = False
    ) -> None:
        self.settings = settings
        self._schemas = schemas
        self._unreadable = unreadable
        self._origins = origins
        self._connection = Connection(settings)
        self._codecs: dict[str, Codec | None] = {}
        self._decoders: dict[str, Decoder] = {}
        self._writing, self._reading = Lock(), Lock()
        self.admin = KafkaAdmin(self._connection, settings.replication_factor)

    @cached_property
    def _producer(self) -> KafkaProducer:
        return KafkaProducer(self._connection)

    @cached_property
    def _reader(self) -> KafkaReader:
        return KafkaReader(self._connection)

    def create_topic(self, name: str, partitions: int) -> None:
        """As the port says; also its schemas are registered, and a topic with other settings is refused."""
        self.admin.create(name, partitions)
        codec = self._codec(name)
        if codec is not None:
            codec.register()

    def topics(self) -> list[str]:
        return list(self.admin.topics())

    def partitions(self, topic: str) -> int:
        return self.admin.partitions(topic)

    def append(self, topic: str, partition: int, batch: Batch) -> range:
        """As the port says, and raises where another producer's records stand among the batch's.

        An error may leave a part of the batch behind: what was delivered before it.
        """
        with self._writing:
            begin = self.admin.end_offset(topic, partition)
            self._send(topic, partition, batch)
            self._producer.flush()
            end = self.admin.end_offset(topic, partition)
        if end - begin != len(batch):
            raise BrokerError(
                f"{end - begin} records were appended while {len(batch)} were sent",
                where=topic_place(topic, partition),
                remedy="let one producer write to it, or send without asking for offsets",
            )
        return range(begin, end)

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        with self._writing:
            self._send(topic, partition, batch)

    def _send(self, topic: str, partition: int, batch: Batch) -> None:
        self.admin.check(topic, partition)
        codec = self._codec(topic)
        if codec is None:
            raise RecordError("no topic of ours: no schema says what it holds", where=topic_place(topic))
        self._producer.send(codec, topic, partition, batch)

    def flush(self) -> None:
        with self._writing:
            self._producer.flush()

    @property
    def unacknowledged(self) -> int:
        """How many records were sent and are not known to be delivered."""
        return self._producer.unacknowledged if "_producer" in self.__dict__ else 0

    def read(self, topic: str, partition: int, offset: int, max_records: int) -> tuple[Batch, int]:
        """As the port says. Where offsets bear no record of ours (a compacted topic, transactions, bytes that are passed
        over), the batch may be empty before the end, and the next offset is further.
        """
        end = self.admin.end_offset(topic, partition)
        check_records(topic, max_records)
        check_offset(topic, partition, offset, self.admin.begin_offset(topic, partition), end)
        parts = []
        stop = min(end, offset + max_records)
        with self._reading:
            decoder = self._decoder(topic)
            while offset < stop:
                messages, offset = self._reader.read(topic, partition, offset, stop - offset)
                parts.append(decoder.batch(messages))
        return _joined(parts), offset

    def messages(self, topic: str, partition: int, offset: int, max_records: int) -> tuple[list[Message], int]:
        """As `read`, undecoded and of any topic: at most 10,000 of the client's own messages."""
        end = self.admin.end_offset(topic, partition)
        check_records(topic, max_records)
        check_offset(topic, partition, offset, self.admin.begin_offset(topic, partition), end)
        if offset == end:
            return [], offset
        with self._reading:
            return self._reader.read(topic, partition, offset, min(max_records, end - offset))

    def begin_offset(self, topic: str, partition: int) -> int:
        return self.admin.begin_offset(topic, partition)

    def end_offset(self, topic: str, partition: int) -> int:
        return self.admin.end_offset(topic, partition)

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        """As the port says; Kafka refuses it for a topic that is compacted."""
        check_offset(topic, partition, before_offset, 0, self.admin.end_offset(topic, partition))
        if before_offset > self.admin.begin_offset(topic, partition):
            self.admin.delete_records(topic, partition, before_offset)

    def delete_topics(self, names: Iterable[str]) -> None:
        """Delete topics and wait until they are gone; one that is not there is no error."""
        self.admin.delete_topics(names)

    @property
    def passed_over(self) -> int:
        """How many records were read that are none of ours, where such are skipped."""
        return sum(decoder.passed_over for decoder in self._decoders.values())

    @property
    def first_passed_over(self) -> str | None:
        """What was wrong with the first of them, and where it stands."""
        firsts = (decoder.first_passed_over for decoder in self._decoders.values())
        return next((first for first in firsts if first is not None), None)

    def _codec(self, name: str) -> Codec | None:
        if name not in self._codecs:
            topic = topic_of(name)
            self._codecs[name] = None if topic is None else Codec(name, topic, self._schemas)
        return self._codecs[name]

    def _decoder(self, name: str) -> Decoder:
        if name not in self._decoders:
            self._decoders[name] = Decoder(name, self._codec(name), self._unreadable, origins=self._origins)
        return self._decoders[name]

    def close(self) -> None:
        """Let go of the cluster; what was not flushed is lost."""
        with self._writing, self._reading:
            for name in ("_producer", "_reader"):
                if name in self.__dict__:
                    self.__dict__.pop(name).close()

    def __enter__(self) -> KafkaBroker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _joined(parts: list[Batch]) -> Batch:
    """Batches of one topic as one, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Batch.joined(parts) if parts else Batch(np.empty(0, np.int64), np.empty(0, np.intp), ())
