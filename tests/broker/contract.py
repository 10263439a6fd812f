"""The contract of `cta.broker.port.Broker`, in tests: whatever implements the port is put through it unchanged.

Bind it with a subclass whose name begins with ``Test`` and that has the two fixtures that the tests ask for: ``broker``, a
`Broker`, which may be one for all tests, and ``fresh_namespace``, a `FreshNamespace`. The broker may be shared, slow, and
hold other people's topics; so every test makes its topics under a fresh namespace, compares records by value, and reads in
as many calls as it takes.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from threading import Event, Thread

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cta.broker.consumer import Consumer
from cta.broker.port import Broker
from cta.broker.producer import Producer
from cta.model.batch import Batch, Content
from cta.model.errors import BrokerError
from cta.model.records import Entry, StationKey
from cta.model.topics import RECORDED, TURNSTILE
from tests.broker.strategies import MAY_2026_MS, Log, batches, entry_batches, log

FreshNamespace = Callable[[], str]
"""Gives a prefix under which the broker has no topics."""

law = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,  # a namespace is fresh at each call: examples share nothing
        HealthCheck.differing_executors,  # one law for many brokers is what this class is for
    ],
)


def entries_at(*offsets_ms: int) -> Batch:
    """Entries at Clark/Lake, so many milliseconds after a moment in May 2026."""
    content = Content(TURNSTILE, StationKey(40380), Entry(40380, "Clark/Lake", "blue"))
    return Batch.of((MAY_2026_MS + offset_ms, content) for offset_ms in offsets_ms)


def read_all(broker: Broker, topic: str, partition: int, offset: int, max_records: int = 1000) -> Log:
    """What a partition holds from an offset on, in as many reads as it takes."""
    records: Log = []
    while offset < broker.end_offset(topic, partition):
        batch, next_offset = broker.read(topic, partition, offset, max_records)
        assert 1 <= len(batch) <= max_records
        assert next_offset == offset + len(batch)
        records += log(batch)
        offset = next_offset
    return records


class BrokerContract:
    """A class of tests; see the module's docstring."""

    @pytest.fixture
    def topic(self, broker: Broker, fresh_namespace: FreshNamespace) -> str:
        """A topic of entries with two empty partitions."""
        name = fresh_namespace() + TURNSTILE.name
        broker.create_topic(name, 2)
        return name

    @pytest.fixture
    def eager_threads(self) -> Iterator[None]:
        """Threads that take turns every few microseconds, so that a race shows."""
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        yield
        sys.setswitchinterval(interval_s)

    # Topics

    def test_a_new_topic_is_listed_and_empty(self, broker: Broker, topic: str) -> None:
        """It is among the sorted names, with the partitions asked for, each beginning and ending at 0."""
        assert topic in broker.topics()
        assert broker.topics() == sorted(broker.topics())
        assert broker.partitions(topic) == 2
        assert [(broker.begin_offset(topic, p), broker.end_offset(topic, p)) for p in (0, 1)] == [(0, 0), (0, 0)]

    def test_a_topic_that_is_there_as_asked_is_left_as_it_is(self, broker: Broker, topic: str) -> None:
        """Creating it again with the same number of partitions keeps its records."""
        broker.append(topic, 0, entries_at(0, 1))
        broker.create_topic(topic, 2)
        assert read_all(broker, topic, 0, 0) == log(entries_at(0, 1))

    def test_a_topic_with_other_partitions_is_refused(self, broker: Broker, topic: str) -> None:
        """The error says how many there are, and the topic keeps them."""
        with pytest.raises(BrokerError, match=f"{topic}: has 2 partitions, not 3; "):
            broker.create_topic(topic, 3)
        assert broker.partitions(topic) == 2

    def test_a_topic_without_partitions_is_refused(self, broker: Broker, fresh_namespace: FreshNamespace) -> None:
        """Nothing could be written to it."""
        name = fresh_namespace() + TURNSTILE.name
        with pytest.raises(BrokerError, match=f"{name}: 0 partitions"):
            broker.create_topic(name, 0)
        assert name not in broker.topics()

    @pytest.mark.parametrize("name", ["", ".", "..", "L/arrivals", "Ñandú", "a" * 250])
    def test_a_name_that_kafka_would_refuse_is_refused(self, broker: Broker, name: str) -> None:
        """A run that works on one broker works on the other."""
        with pytest.raises(BrokerError, match="no legal name"):
            broker.create_topic(name, 1)

    # Errors

    @pytest.mark.parametrize("partition", [-1, 2])
    def test_a_partition_that_is_not_there_is_an_error_everywhere(
        self, broker: Broker, topic: str, partition: int
    ) -> None:
        """Every method that takes a partition names it and the topic."""
        uses: list[Callable[[], object]] = [
            lambda: broker.append(topic, partition, entries_at(0)),
            lambda: broker.read(topic, partition, 0, 1),
            lambda: broker.begin_offset(topic, partition),
            lambda: broker.end_offset(topic, partition),
            lambda: broker.delete_records(topic, partition, 0),
        ]
        for use in uses:
            with pytest.raises(BrokerError, match=f"{topic}: no partition {partition}; it has 2"):
                use()

    def test_a_topic_that_is_not_there_is_an_error_everywhere(
        self, broker: Broker, fresh_namespace: FreshNamespace
    ) -> None:
        """Nothing makes a topic but create_topic."""
        name = fresh_namespace() + TURNSTILE.name
        uses: list[Callable[[], object]] = [
            lambda: broker.partitions(name),
            lambda: broker.append(name, 0, entries_at(0)),
            lambda: broker.read(name, 0, 0, 1),
            lambda: broker.begin_offset(name, 0),
            lambda: broker.end_offset(name, 0),
            lambda: broker.delete_records(name, 0, 0),
        ]
        for use in uses:
            with pytest.raises(BrokerError, match=f"{name}: no such topic"):
                use()
        assert name not in broker.topics()

    @pytest.mark.parametrize("offset", [-1, 4])
    def test_an_offset_outside_the_log_is_an_error(self, broker: Broker, topic: str, offset: int) -> None:
        """Neither read nor deleted: the error says which offsets can be used, and the log is as it was."""
        broker.append(topic, 0, entries_at(0, 1, 2))
        out_of_range = f"{topic}, partition 0: offset {offset} is out of range; offsets from 0 to 3 can be used"
        with pytest.raises(BrokerError, match=out_of_range):
            broker.read(topic, 0, offset, 1)
        with pytest.raises(BrokerError, match=out_of_range):
            broker.delete_records(topic, 0, offset)
        assert read_all(broker, topic, 0, 0) == log(entries_at(0, 1, 2))

    def test_reading_no_records_at_all_is_an_error(self, broker: Broker, topic: str) -> None:
        """A loop of reads that asks for nothing would never end."""
        with pytest.raises(BrokerError, match="0 records asked for"):
            broker.read(topic, 0, 0, 0)

    # Logs

    @law
    @given(appended=st.lists(entry_batches, max_size=6), max_records=st.integers(1, 7), data=st.data())
    def test_what_was_appended_is_what_is_read_from_any_offset(
        self,
        broker: Broker,
        fresh_namespace: FreshNamespace,
        appended: list[Batch],
        max_records: int,
        data: st.DataObject,
    ) -> None:
        """Times, keys and values come back in order from wherever reading starts, however many are asked for."""
        topic = fresh_namespace() + TURNSTILE.name
        broker.create_topic(topic, 1)
        for batch in appended:
            broker.append(topic, 0, batch)
        everything = [record for batch in appended for record in log(batch)]
        offset = data.draw(st.integers(0, len(everything)))
        assert read_all(broker, topic, 0, offset, max_records) == everything[offset:]

    @law
    @given(appended=st.lists(st.tuples(st.integers(0, 1), entry_batches), max_size=6))
    def test_offsets_are_dense_in_each_partition(
        self, broker: Broker, fresh_namespace: FreshNamespace, appended: list[tuple[int, Batch]]
    ) -> None:
        """Each batch's offsets follow on those before it in its partition, whatever goes to the other one."""
        topic = fresh_namespace() + TURNSTILE.name
        broker.create_topic(topic, 2)
        ends = [0, 0]
        for partition, batch in appended:
            assert broker.append(topic, partition, batch) == range(ends[partition], ends[partition] + len(batch))
            ends[partition] += len(batch)
            assert [broker.end_offset(topic, p) for p in (0, 1)] == ends

    def test_reading_at_the_end_gives_nothing_yet(self, broker: Broker, topic: str) -> None:
        """The end offset can be read from: the batch is empty and the place to go on from stays."""
        broker.append(topic, 0, entries_at(0, 1))
        batch, next_offset = broker.read(topic, 0, 2, 10)
        assert (log(batch), next_offset) == ([], 2)

    def test_a_log_keeps_what_it_was_given(self, broker: Broker, topic: str) -> None:
        """Columns that are changed after appending do not change the log."""
        batch = entries_at(0, 1)
        broker.append(topic, 0, batch)
        batch.times[:] = 0
        batch.codes[:] = 0
        assert read_all(broker, topic, 0, 0) == log(entries_at(0, 1))

    def test_a_batch_becomes_visible_whole(self, broker: Broker, topic: str, eager_threads: None) -> None:
        """A reader beside the writer never sees an end offset inside a batch."""
        batch, stopped = entries_at(*range(1000)), Event()

        def write() -> None:
            while not stopped.is_set():
                broker.append(topic, 0, batch)

        writer = Thread(target=write)
        writer.start()
        ends: set[int] = set()
        while len(ends) < 30 and writer.is_alive():
            ends.add(broker.end_offset(topic, 0))
        stopped.set()
        writer.join()
        assert len(ends) == 30
        assert {end % len(batch) for end in ends} == {0}

    # Deletion

    @law
    @given(appended=st.lists(entry_batches, min_size=1, max_size=4), later=entry_batches, data=st.data())
    def test_a_deleted_prefix_cannot_be_read_and_the_rest_stays(
        self,
        broker: Broker,
        fresh_namespace: FreshNamespace,
        appended: list[Batch],
        later: Batch,
        data: st.DataObject,
    ) -> None:
        """Offsets stay what they were: the first to read is the one named, and appending goes on at the end."""
        topic = fresh_namespace() + TURNSTILE.name
        broker.create_topic(topic, 1)
        for batch in appended:
            broker.append(topic, 0, batch)
        everything = [record for batch in appended for record in log(batch)]
        before = data.draw(st.integers(0, len(everything)))

        broker.delete_records(topic, 0, before)

        broker.append(topic, 0, later)
        assert (broker.begin_offset(topic, 0), broker.end_offset(topic, 0)) == (before, len(everything) + len(later))
        assert read_all(broker, topic, 0, before) == everything[before:] + log(later)
        if before:
            with pytest.raises(BrokerError, match=f"offset {before - 1} is out of range; offsets from {before} to "):
                broker.read(topic, 0, before - 1, 1)

    def test_deleting_less_than_was_deleted_brings_nothing_back(self, broker: Broker, topic: str) -> None:
        """The begin offset never goes back."""
        broker.append(topic, 0, entries_at(0, 1, 2))
        broker.delete_records(topic, 0, 2)
        broker.delete_records(topic, 0, 1)
        assert broker.begin_offset(topic, 0) == 2

    # Producer and consumer

    @law
    @given(sent=st.lists(batches, max_size=4), partitions=st.sampled_from([1, 2, 3, 7]))
    def test_any_number_of_partitions_gives_the_same_records_a_key_in_the_same_order(
        self, broker: Broker, fresh_namespace: FreshNamespace, sent: list[Batch], partitions: int
    ) -> None:
        """What is sent comes back, key by key, in the order sent; a key is in one partition."""
        namespace = fresh_namespace()
        producer = Producer(broker, partitions, namespace=namespace)
        consumer = Consumer(broker, namespace=namespace)
        received = []
        for batch in sent:
            producer.send(batch)
            received += list(consumer.poll())
        assert _by_key(received) == _by_key(sent)
        assert sum(consumer.positions.values()) == sum(map(len, sent))

    def test_a_large_batch_keeps_its_order_in_every_partition(
        self, broker: Broker, fresh_namespace: FreshNamespace
    ) -> None:
        """An hour's worth of records at once: sorting them into partitions moves none past another of its key."""
        contents = [Content(TURNSTILE, StationKey(station), Entry(station, "", "blue")) for station in range(20)]
        sent = Batch.of((MAY_2026_MS + n, contents[n * n % 20]) for n in range(3000))
        namespace = fresh_namespace()
        producer, consumer = Producer(broker, 3, namespace=namespace), Consumer(broker, namespace=namespace)
        producer.send(sent)
        assert _by_key(list(consumer.poll())) == _by_key([sent])

    def test_a_consumer_reads_on_from_where_it_was(self, broker: Broker, fresh_namespace: FreshNamespace) -> None:
        """A poll ends at the end offsets; the next one gives what came since, and nothing twice."""
        namespace = fresh_namespace()
        producer, consumer = Producer(broker, namespace=namespace), Consumer(broker, namespace=namespace)
        polled = []
        for batch in (entries_at(0, 1), entries_at(2), entries_at()):
            producer.send(batch)
            polled.append([record for part in consumer.poll() for record in log(part)])
        assert polled == [log(entries_at(0, 1)), log(entries_at(2)), []]

    def test_a_poll_ends_where_the_log_ended_when_it_began(
        self, broker: Broker, fresh_namespace: FreshNamespace
    ) -> None:
        """What is sent while a poll is read belongs to the next poll."""
        namespace = fresh_namespace()
        producer, consumer = Producer(broker, namespace=namespace), Consumer(broker, namespace=namespace)
        producer.send(entries_at(0))
        poll = consumer.poll()
        producer.send(entries_at(1))
        assert [record for part in poll for record in log(part)] == log(entries_at(0))
        assert [record for part in consumer.poll() for record in log(part)] == log(entries_at(1))

    def test_trimming_deletes_what_was_consumed_and_nothing_else(
        self, broker: Broker, fresh_namespace: FreshNamespace
    ) -> None:
        """A topic begins, after it, where the consumer stands."""
        namespace = fresh_namespace()
        producer, consumer = Producer(broker, namespace=namespace), Consumer(broker, namespace=namespace)
        producer.send(entries_at(0, 1))
        list(consumer.poll())
        producer.send(entries_at(2))
        consumer.trim()
        name = namespace + TURNSTILE.name
        assert (broker.begin_offset(name, 0), broker.end_offset(name, 0)) == (2, 3)
        assert [record for part in consumer.poll() for record in log(part)] == log(entries_at(2))

    def test_contents_that_no_record_uses_go_nowhere(self, broker: Broker, fresh_namespace: FreshNamespace) -> None:
        """A slice of a batch keeps all its contents; only its records are sent."""
        namespace = fresh_namespace()
        producer, consumer = Producer(broker, namespace=namespace), Consumer(broker, namespace=namespace)
        producer.send(entries_at(0, 1, 2)[np.zeros(3, np.bool_)])
        assert consumer.positions == {(namespace + topic.name, 0): 0 for topic in RECORDED}
        assert list(consumer.poll()) == []


def _by_key(stream: list[Batch]) -> dict[bytes, Log]:
    records: dict[bytes, Log] = defaultdict(list)
    for batch in stream:
        for time_ms, content in batch:
            records[content.chain_key].append((time_ms, content.fragment))
    return records
