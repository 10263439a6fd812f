"""The memory broker is put through the contract, and holds its promise on memory."""

from __future__ import annotations

import tracemalloc
from itertools import count

import numpy as np
import pytest

from cta.broker.consumer import Consumer
from cta.broker.memory import MemoryBroker
from cta.broker.port import Broker
from cta.broker.producer import Producer
from cta.model.batch import Batch
from tests.broker.contract import BrokerContract, FreshNamespace, entries_at


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def broker(self) -> Broker:
        return MemoryBroker()

    @pytest.fixture
    def fresh_namespace(self) -> FreshNamespace:
        numbers = count()
        return lambda: f"run{next(numbers)}."


def test_a_reader_cannot_change_the_log() -> None:
    """Columns that were read are views of the log and cannot be written to."""
    broker = MemoryBroker()
    broker.create_topic("entries", 1)
    broker.append("entries", 0, entries_at(0))
    batch, _ = broker.read("entries", 0, 0, 1)
    with pytest.raises(ValueError, match="read-only"):
        batch.times[0] = 0


def test_memory_stays_flat_when_what_was_consumed_is_trimmed() -> None:
    """A hundred hours of entries (43 MB of columns) pass through in the memory of an hour or two."""
    hour = entries_at(*range(27_000))
    broker = MemoryBroker()
    producer, consumer = Producer(broker), Consumer(broker)
    tracemalloc.start()
    for _ in range(100):
        producer.send(Batch(hour.times, hour.codes, hour.contents))
        assert sum(int(np.size(batch.times)) for batch in consumer.poll()) == len(hour)
        consumer.trim()
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 3 * (hour.times.nbytes + hour.codes.nbytes)
