"""Readers of one group: they share the partitions, and what one did not acknowledge another reads again."""

from __future__ import annotations

import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest
from confluent_kafka import Consumer as BareConsumer
from confluent_kafka import Producer as BareProducer

from cta.broker import kafka_member
from cta.broker.kafka import KafkaBroker
from cta.broker.kafka_client import Connection
from cta.broker.kafka_member import KafkaMember
from cta.model.errors import BrokerError
from cta.model.settings import Settings
from cta.recording.reader import Recording
from tests.cli.running import CTA
from tests.e2e.pipeline import environment, run

Held = Counter[tuple[str, int, int]]
"""How often each record was captured, by topic, partition and offset."""

PARTITIONS = 3
PATIENCE_S = 120.0


class Orders:
    """A topic of anybody's, and how many records were sent to each of its partitions."""

    def __init__(self, kafka: KafkaBroker, settings: Settings) -> None:
        self.topic = f"{settings.namespace}orders"
        kafka.create_topic(self.topic, PARTITIONS)
        self._producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
        self._sent: Counter[int] = Counter()

    def send(self, records: int) -> None:
        for n in range(records):
            number = n % PARTITIONS
            self._producer.produce(self.topic, b"order", None, number)
            self._sent[number] += 1
        assert self._producer.flush(30) == 0

    @property
    def all(self) -> Held:
        """Each record's partition and offset, once."""
        return Counter({(self.topic, number, offset): 1 for number, n in self._sent.items() for offset in range(n)})


@pytest.fixture
def orders(kafka: KafkaBroker, settings: Settings) -> Orders:
    return Orders(kafka, settings)


def held(*files: Path) -> Held:
    return Counter(
        (content.topic.name, origin.partition, origin.offset)
        for file in files
        for batch in Recording.open(file).batches()
        for (_, content), origin in zip(batch, batch.origins if batch.origins is not None else (), strict=True)
    )


# Members


@pytest.fixture
def seat(kafka: KafkaBroker, settings: Settings, orders: Orders) -> Iterator[Callable[[], KafkaMember]]:
    """Makes members of one group; they leave it at the end."""
    made: list[KafkaMember] = []

    def member() -> KafkaMember:
        made.append(KafkaMember(Connection(settings), f"{settings.namespace}readers", [orders.topic], kafka))
        return made[-1]

    yield member
    for each in made:
        each.close()


def together(*members: KafkaMember, until: Callable[[], bool]) -> None:
    """Members look up in turns until it is so."""
    deadline_s = monotonic() + PATIENCE_S
    while not until():
        assert monotonic() < deadline_s, [member.positions for member in members]
        for member in members:
            member._look(0.05)


def test_what_goes_to_another_member_is_exactly_what_was_not_acknowledged(
    orders: Orders, seat: Callable[[], KafkaMember]
) -> None:
    """Two of three partitions' first records were acknowledged, all were read: one who comes begins behind those."""
    orders.send(30)
    first = seat()
    first.wait()
    assert first.positions == {(orders.topic, number): 0 for number in range(PARTITIONS)}
    first.positions.update({(orders.topic, 0): 4, (orders.topic, 1): 7})
    first.acknowledge()
    first.positions.update(dict.fromkeys(first.positions, 10))  # read, and not acknowledged
    second = seat()
    together(first, second, until=lambda: len(second.positions) == 1 and len(first.positions) == 2)
    acknowledged = {(orders.topic, 0): 4, (orders.topic, 1): 7, (orders.topic, 2): 0}
    assert second.positions.items() <= acknowledged.items()
    assert second.positions.keys().isdisjoint(first.positions)
    assert set(first.positions.values()) == {10}  # what stayed is not interrupted

    first.acknowledge()
    stayed = dict(first.positions)
    first.close()
    together(second, until=lambda: len(second.positions) == PARTITIONS)
    assert stayed.items() <= second.positions.items()


def test_a_member_that_gets_nothing_says_so(seat: Callable[[], KafkaMember], monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one has every partition and doesn't look up: it keeps them as long as it is at work."""
    monkeypatch.setattr(kafka_member, "SEAT_S", 1.0)  # its fifteen seconds would pass, and nothing else happen in them
    seat().wait()
    with pytest.raises(BrokerError, match=r"consumer group .*readers: it gave no partition within 1 s: .*; wait until"):
        seat().wait()


def test_a_group_of_other_readers_is_refused(
    settings: Settings, orders: Orders, seat: Callable[[], KafkaMember]
) -> None:
    """Theirs take partitions from one another at once: nothing could be kept until it is acknowledged."""
    other = BareConsumer({"bootstrap.servers": settings.bootstrap_servers, "group.id": f"{settings.namespace}readers"})
    other.subscribe([orders.topic])
    deadline_s = monotonic() + PATIENCE_S
    while not other.assignment():
        assert monotonic() < deadline_s
        other.poll(0.1)
    with pytest.raises(BrokerError, match="readers: others share partitions in it another way; use another group"):
        seat().wait()
    other.close()


# Captures


def captured(settings: Settings, orders: Orders, file: Path) -> Held:
    """What a capture of the group gets that goes to the end offsets."""
    ended = run(settings, "capture", "-o", file, "--topics", orders.topic, "--group", "shared")
    assert ended.returncode == 0, ended.stderr
    return held(file)


class Following:
    """``cta capture --follow`` of a group; partitions are its own when the block begins."""

    def __init__(self, settings: Settings, orders: Orders, file: Path) -> None:
        self.file = file
        self._process = subprocess.Popen(
            [CTA, "capture", "-o", file, "--topics", orders.topic, "--group", "shared", "--follow"],
            env=environment(settings),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        said = self._process.stderr.readline()
        assert said.endswith(" records were there; following, until Ctrl+C\n"), said

    def end(self) -> None:
        """Ctrl+C."""
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, said

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def test_a_capture_goes_on_where_the_groups_last_one_ended(settings: Settings, orders: Orders, tmp_path: Path) -> None:
    """Each record is in one file: also where a capture failed between two that did not."""
    orders.send(30)
    first = captured(settings, orders, tmp_path / "monday.jsonl")
    assert first == orders.all
    orders.send(12)
    failed = run(settings, "capture", "-o", tmp_path / "no" / "x.jsonl", "--topics", orders.topic, "--group", "shared")
    assert failed.returncode == 2, failed.stderr
    second = captured(settings, orders, tmp_path / "tuesday.jsonl")
    assert first + second == orders.all
    assert captured(settings, orders, tmp_path / "wednesday.jsonl") == Counter()


def test_captures_that_come_and_go_hold_each_record_once_together(
    settings: Settings, orders: Orders, tmp_path: Path
) -> None:
    """The second takes partitions over in the middle of the stream, the first ends, the second goes on with its own."""
    orders.send(3_000)
    first = Following(settings, orders, tmp_path / "first.jsonl.zst")
    orders.send(3_000)
    second = Following(settings, orders, tmp_path / "second.jsonl.zst")
    orders.send(3_000)
    first.end()
    orders.send(3_000)
    second.end()
    rest = captured(settings, orders, tmp_path / "rest.jsonl")  # of partitions that came to the second no more
    assert held(first.file)
    assert held(second.file)
    assert held(first.file, second.file) + rest == orders.all


def test_what_a_killed_capture_had_is_held_by_another(settings: Settings, orders: Orders, tmp_path: Path) -> None:
    """It had acknowledged nothing, so nothing is lost, though its file was never whole."""
    orders.send(3_000)
    first = Following(settings, orders, tmp_path / "first.jsonl")
    second = Following(settings, orders, tmp_path / "second.jsonl")
    orders.send(3_000)
    first.kill()
    second.end()
    rest = captured(settings, orders, tmp_path / "rest.jsonl")
    assert not first.file.exists()
    assert held(second.file) + rest == orders.all
