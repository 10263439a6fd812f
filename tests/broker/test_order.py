"""The order inside partitions, as the producer makes it and as it is read back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cta.broker.extent import Extent
from cta.broker.memory import MemoryBroker
from cta.broker.producer import Producer
from cta.commands.order import OtherOrder, PartitionOrder
from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.model.topics import ARRIVALS, RECORDED
from cta.recording.digest import Digest
from tests.recording.records import ARRIVAL, PULL_OUT, START_MS, Records, ordered_streams, split


def order_of(run: list[Batch], broker: MemoryBroker, partitions: int) -> tuple[PartitionOrder, str]:
    """What a run was to be and what the broker holds, with the digest of that."""
    order, digest = PartitionOrder({topic.name: partitions for topic in RECORDED}), Digest()
    for batch in run:
        order.expect(batch)
    for batch in order.find(broker, Extent.of(broker, [topic.name for topic in RECORDED])):
        digest.update(batch)
    return order, digest.hexdigest()


@given(records=ordered_streams, cuts=st.lists(st.integers(0, 30), max_size=3), partitions=st.integers(1, 4))
def test_what_a_producer_sends_is_in_its_order(records: Records, cuts: list[int], partitions: int) -> None:
    """However the run is cut, through any number of partitions."""
    broker = MemoryBroker()
    producer = Producer(broker, partitions)
    for batch in split(records, cuts):
        producer.send(batch)
    order, _ = order_of([Batch.of(records)], broker, partitions)
    assert order.differing() == []


def test_two_keys_swapped_inside_a_partition_are_named() -> None:
    """The digest is the run's own; topic and partition are told."""
    run = Batch.of([(START_MS, ARRIVAL), (START_MS, PULL_OUT)])
    broker, digest = MemoryBroker(), Digest()
    Producer(broker, 1).send(run[::-1])
    digest.update(run)
    order, found = order_of([run], broker, 1)
    assert found == digest.hexdigest()
    assert order.differing() == [OtherOrder(ARRIVALS.name, 0, 2, 2)]
    assert str(order.differing()[0]) == "arrivals partition 0: in another order than sent"


def test_a_record_in_another_partition_is_named() -> None:
    """Both partitions are, with how many records they hold."""
    run = Batch.of([(START_MS, ARRIVAL), (START_MS, PULL_OUT)])
    broker = MemoryBroker()
    Producer(broker, 2).send(run)
    order, _ = order_of([run], broker, 2)
    assert order.differing() == []
    other = MemoryBroker()
    for topic in RECORDED:
        other.create_topic(topic.name, 2)
    other.send(ARRIVALS.name, 0, run)
    moved, _ = order_of([run], other, 2)
    assert sum(each.found_records for each in moved.differing()) == 2
    assert any("records, not" in str(each) for each in moved.differing())


def test_a_capture_of_another_topic_is_expected_nowhere() -> None:
    """Its records lack on the cluster, which the digest says."""
    run = Batch.of([(START_MS, ARRIVAL), (START_MS, Content(foreign("orders"), None, Raw(text="x")))])
    broker = MemoryBroker()
    Producer(broker, 1).send(run[:1])
    order, _ = order_of([run], broker, 1)
    assert order.differing() == []
