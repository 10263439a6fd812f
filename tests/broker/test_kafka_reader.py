"""Messages into batches, by the client's own message objects and without a cluster."""

from __future__ import annotations

import gc

import pytest
from confluent_kafka import KafkaError, Message, TopicPartition

from cta.broker.avro import Codec
from cta.broker.kafka_client import Connection
from cta.broker.kafka_reader import Decoder, KafkaReader, Unreadable, uncollected
from cta.model.errors import BrokerError, RecordError
from cta.model.raw import foreign
from cta.model.raw import raw as as_raw
from cta.model.records import StationKey
from cta.model.settings import Settings
from cta.model.topics import TURNSTILE
from cta.testing.registry import NumberedSchemas
from tests.broker.contract import entries_at
from tests.broker.strategies import MAY_2026_MS, log

CODEC = Codec(TURNSTILE.name, TURNSTILE, NumberedSchemas())
_, KEY, VALUE = CODEC.encode(entries_at(0).contents[0])


def message(offset: int, key: bytes | None = KEY, value: bytes | None = VALUE, error: int | None = None) -> Message:
    """A message of May 2026, so many milliseconds later as its offset says."""
    return Message(
        topic=TURNSTILE.name,
        partition=0,
        offset=offset,
        key=key,
        value=value,
        timestamp=(1, MAY_2026_MS + offset),
        error=None if error is None else KafkaError(error),
    )


def decoder(unreadable: Unreadable = "stop") -> Decoder:
    return Decoder(TURNSTILE.name, CODEC, unreadable)


@pytest.fixture(scope="module")
def reader() -> KafkaReader:
    return KafkaReader(Connection(Settings(bootstrap_servers="127.0.0.1:1")))


def test_messages_are_records_with_the_messages_times() -> None:
    """A content that repeats is one content of the batch."""
    batch = decoder().batch([message(0), message(1), message(5)])
    assert (log(batch), len(batch.contents)) == (log(entries_at(0, 1, 5)), 1)


@pytest.mark.parametrize("key, value", [(None, VALUE), (KEY, None), (KEY, b"x"), (VALUE, KEY)])
def test_a_message_that_is_no_record_stops_or_is_counted_or_is_raw(key: bytes | None, value: bytes | None) -> None:
    """Each time that it comes, and the records around it are what they are."""
    messages = [message(0), message(1, key, value), message(2), message(3, key, value)]
    with pytest.raises(RecordError, match=f"topic {TURNSTILE.name}, partition 0, offset 1: "):
        decoder().batch(messages)

    skipping = decoder("skip")
    assert log(skipping.batch(messages)) == log(entries_at(0, 2))
    assert log(skipping.batch(messages[:2])) == log(entries_at(0))
    assert skipping.passed_over == 3
    assert str(skipping.first_passed_over).startswith(f"topic {TURNSTILE.name}, partition 0, offset 1: ")

    raw = [content for _, content in decoder("raw").batch(messages)]
    assert raw[0] == raw[2]
    assert raw[1] == raw[3]
    assert raw[1].topic is foreign(TURNSTILE.name)
    assert raw[1].key == (StationKey(40380) if key is KEY else as_raw(key))
    assert raw[1].value == as_raw(value)


def test_a_record_whose_key_alone_is_ours_is_of_our_topic_under_any_namespace() -> None:
    """Its bytes are what a replay of it sends, to the partition of its key."""
    namespaced = Decoder(f"trial.{TURNSTILE.name}", CODEC, "raw")
    ((_, cut), (_, other)) = namespaced.batch([message(0, value=b'{"stat'), message(1, b"k", b"v")])
    assert (cut.topic.name, other.topic.name) == (TURNSTILE.name, f"trial.{TURNSTILE.name}")
    assert cut.entity == entries_at(0).contents[0].entity
    assert CODEC.encode(cut) == (cut, KEY, b'{"stat')


@pytest.mark.parametrize("end", [0, 1, 2, 3])
def test_an_end_of_the_partition_is_no_record_wherever_it_stands(reader: KafkaReader, end: int) -> None:
    """It may come before, among and after records that were appended meanwhile."""
    messages = [message(0), message(1), message(2)]
    messages.insert(end, message(end, None, b"No more messages", KafkaError._PARTITION_EOF))
    records, next_offset = reader._without_events(messages, TURNSTILE.name, 0)
    assert ([record.offset() for record in records], next_offset) == ([0, 1, 2], 3)


def test_an_end_of_the_partition_in_the_place_of_a_mark_is_no_record(reader: KafkaReader) -> None:
    """Offset 1 is a transaction's mark, and the end came where a record might have been."""
    messages = [message(0), message(2, None, b"No more messages", KafkaError._PARTITION_EOF), message(2)]
    records, next_offset = reader._without_events(messages, TURNSTILE.name, 0)
    assert ([record.offset() for record in records], next_offset) == ([0, 2], 3)


def test_an_end_of_the_partition_alone_moves_on_past_what_is_no_record(reader: KafkaReader) -> None:
    """Behind the last record stand a transaction's marks."""
    end = message(7, None, b"No more messages", KafkaError._PARTITION_EOF)
    assert reader._without_events([end], TURNSTILE.name, 0) == ([], 7)


def test_an_error_before_any_record_is_raised(reader: KafkaReader) -> None:
    refused = message(0, None, b"no", KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(BrokerError, match=f"topic {TURNSTILE.name}, partition 0: "):
        reader._without_events([refused], TURNSTILE.name, 0)


class Script:
    """A client that says what it is given to say; ``gone_to``: the offsets at which it was told to begin."""

    def __init__(self, *said: list[Message]) -> None:
        self.said = list(said)
        self.gone_to: list[int] = []

    def consume(self, count: int, wait_s: float) -> list[Message]:
        return self.said.pop(0)

    def assign(self, places: list[TopicPartition]) -> None:
        self.gone_to += [place.offset for place in places]


def test_what_the_client_heard_while_nobody_read_is_not_believed(
    reader: KafkaReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited at the end of a topic that was deleted and made again, and found it empty; an error has to be said twice."""
    beyond = message(1, None, b"no", KafkaError.OFFSET_OUT_OF_RANGE)
    # When librdkafka hears what is its own affair: here it is scripted, and tests/e2e meets it on a real topic made again.
    client = Script([message(0)], [beyond], [message(1)], [beyond], [message(0)], [beyond], [beyond])
    monkeypatch.setattr(reader, "_met", {TURNSTILE.name})
    monkeypatch.setattr(reader, "_client", client)
    assert [reader.read(TURNSTILE.name, 0, offset, 10)[1] for offset in (0, 1, 0)] == [1, 2, 1]
    with pytest.raises(BrokerError, match=f"topic {TURNSTILE.name}, partition 0: "):
        reader.read(TURNSTILE.name, 0, 5, 10)
    assert client.gone_to == [0, 1, 0, 0, 5, 5]


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was_after_a_read(enabled: bool) -> None:
    """Also after one that failed, and where somebody had turned it off."""

    def read() -> None:
        with uncollected():
            assert not gc.isenabled()
            raise KeyboardInterrupt

    was_enabled = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(KeyboardInterrupt):
            read()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()
