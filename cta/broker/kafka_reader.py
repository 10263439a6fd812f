"""Records from Kafka: a partition from an offset on, in order, as messages and as batches."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, Literal, cast

import numpy as np
from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition
from numpy.typing import NDArray

from cta.broker.avro import MEMO_CONTENTS, Codec
from cta.broker.checks import topic_place
from cta.broker.kafka_client import REQUEST_TIMEOUT_S, Connection
from cta.model.batch import Batch, Content
from cta.model.errors import BrokerError, RecordError
from cta.model.raw import Origin, foreign, raw

Unreadable = Literal["stop", "skip", "raw"]
"""What is done with a record whose bytes are no record of ours: raise, pass over, or take it as `cta.model.raw` has it."""

CHUNK_RECORDS: Final = 10_000
CHUNK_WAIT_S: Final = 0.1
SILENCE_S: Final = 30.0
"""Without a record that is known to be there, a broker counts as gone."""

FIXED: Final = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
}
PRESET: Final = {
    "group.id": "cta",  # the client asks for one; it is never joined
    "fetch.queue.backoff.ms": 5,  # at its default of 1000 reading is five times slower
    "fetch.wait.max.ms": 5,  # a fetch at a log's end is waited for before another partition is read
    "fetch.error.backoff.ms": 100,
}


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looks for cycles: there are 14 while 10,000 messages are made, at none of which there is anything to find.

    They cost 0.25 us a message, which is more than a third of `consume`.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class KafkaReader:
    """Reads one partition at a time; going on where it left off costs nothing, going elsewhere a round trip or two."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._position: tuple[str, int, int] | None = None
        self._met: set[str] = set()
        self._client = connection.client(Client, PRESET, FIXED)

    def read(self, topic: str, partition: int, offset: int, count: int) -> tuple[list[Message], int]:
        """Messages from ``offset`` on and the offset after them; at most ``count``.

        There must be some to read at ``offset`` or behind it; there may be fewer of them than offsets, where a topic is
        compacted or holds the marks of transactions, and none in the worst case. Errors: ServiceError after
        ``SILENCE_S`` without any.
        """
        if self._position != (topic, partition, offset):
            self._go_to(topic, partition, offset)
        # What the client heard while nobody read stays in its queue and is no news: it may have waited at the end of a
        # topic that was deleted, and have found the one that was made again shorter. So an error has to be said twice.
        with suppress(BrokerError):
            return self._next(topic, partition, offset, count)
        self._go_to(topic, partition, offset)
        return self._next(topic, partition, offset, count)

    def _next(self, topic: str, partition: int, offset: int, count: int) -> tuple[list[Message], int]:
        self._position = None  # until it is known again
        deadline_s = time.monotonic() + SILENCE_S
        while True:
            with uncollected():
                messages = self._client.consume(min(count, CHUNK_RECORDS), CHUNK_WAIT_S)
            if messages:
                break
            if time.monotonic() > deadline_s:
                raise self._connection.unreachable(f"nothing came from {topic_place(topic, partition)}")
        messages, next_offset = self._without_events(messages, topic, partition)
        next_offset = offset if next_offset is None else next_offset
        self._position = topic, partition, next_offset
        return messages, next_offset

    def _go_to(self, topic: str, partition: int, offset: int) -> None:
        if topic not in self._met:
            # Else the client looks for the leader of a topic that is new to it once a second.
            try:
                self._met.update(self._client.list_topics(timeout=REQUEST_TIMEOUT_S).topics)
            except KafkaException as error:
                raise self._connection.error(error, doing="it cannot be reached") from None
        self._client.assign([TopicPartition(topic, partition, offset)])

    def _without_events(self, messages: list[Message], topic: str, partition: int) -> tuple[list[Message], int | None]:
        """The records among messages, and the offset after the last of all. An end of partition is an event, too."""
        if not any(map(Message.error, messages)):
            return messages, (messages[-1].offset() or 0) + 1
        records: list[Message] = []
        next_offset = None
        for message in messages:
            error = message.error()
            if error is None:
                records.append(message)
                next_offset = (message.offset() or 0) + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                next_offset = message.offset()
            elif not records:
                raise self._connection.error(error, topic_place(topic, partition))
        return records, next_offset

    def close(self) -> None:
        self._client.close()


class Decoder:
    """Messages of one topic into batches. What was decoded once is remembered by its bytes."""

    def __init__(self, name: str, codec: Codec | None, unreadable: Unreadable, *, origins: bool = False) -> None:
        """``codec`` None: the topic is not one of ours. ``origins``: batches say where each record stood."""
        self._name = name
        self._codec = codec
        self._policy = unreadable
        self._origins = origins
        self._timed_by_key = codec is not None and codec.topic.event_time == "key"
        self._contents: list[Content] = []
        self._codes: dict[tuple[bytes | None, bytes | None], int] = {}
        self.passed_over = 0
        """Records that were no records of ours, where such are skipped."""
        self.first_passed_over: str | None = None
        """What was wrong with the first of them, and where it stands."""

    def batch(self, messages: list[Message]) -> Batch:
        """The messages' records. Errors: RecordError for unreadable ones, where it is to stop at them."""
        if len(self._contents) > MEMO_CONTENTS:
            self._contents, self._codes = [], {}
        # In C as far as it goes: this is done for each record, and a getter costs 0.1 us.
        places = zip(map(Message.key, messages), map(Message.value, messages), strict=True)
        found = list(map(self._codes.get, places))
        if None in found:
            found = [
                self._code(message) if code is None else code for message, code in zip(messages, found, strict=True)
            ]
            messages = [message for message, code in zip(messages, found, strict=True) if code is not None]
        codes = [code for code in found if code is not None]
        times = [time_ms for _, time_ms in map(Message.timestamp, messages)]
        if self._timed_by_key:
            times = [_key_time_ms(self._contents[code], time_ms) for code, time_ms in zip(codes, times, strict=True)]
        origins = _origins(messages) if self._origins else None
        return Batch(np.array(times, np.int64), np.array(codes, np.intp), self._contents, origins).compact()

    def _code(self, message: Message) -> int | None:
        """The code of a record's content; None: pass over it."""
        key, value = message.key(), message.value()
        place = key, value
        code = self._codes.get(place)
        if code is None:
            content = self._decode(message, key, value)
            if content is None:
                return None
            code = self._codes[place] = len(self._contents)
            self._contents.append(content)
        return code

    def _decode(self, message: Message, key: bytes | None, value: bytes | None) -> Content | None:
        try:
            if self._codec is not None:
                return self._codec.decode(key, value)
            what = "no topic of ours"
        except RecordError as error:
            what = str(error)
        if self._policy == "raw":
            return self._unexplained(key, value)
        where = f"{topic_place(self._name, message.partition())}, offset {message.offset()}"
        if self._policy == "stop":
            raise RecordError(what, where=where, remedy="pass over such records, or read the topic raw")
        self.passed_over += 1
        self.first_passed_over = self.first_passed_over or f"{where}: {what}"
        return None

    def _unexplained(self, key: bytes | None, value: bytes | None) -> Content:
        """A record whose key is one of ours is of our topic all the same, whatever its value is."""
        if self._codec is not None:
            with suppress(RecordError):
                return Content(foreign(self._codec.topic.name), self._codec.decode_key(key), raw(value))
        return Content(foreign(self._name), raw(key), raw(value))


def _origins(messages: list[Message]) -> NDArray[np.object_]:
    """The `Origin` of each message."""
    column = np.empty(len(messages), np.object_)
    column[:] = [
        Origin(message.partition(), message.offset(), tuple((name, raw(data)) for name, data in _headers(message)))
        for message in messages
    ]
    return column


def _headers(message: Message) -> list[tuple[str, bytes | None]]:
    """A message's headers; of one that was read they are never the dict or the text that may be sent."""
    return cast("list[tuple[str, bytes | None]]", message.headers() or [])


def _key_time_ms(content: Content, record_ms: int) -> int:
    """Weather bears its time in its key: the REST Proxy takes none for a record."""
    return int(getattr(content.key, "timestamp", record_ms))
