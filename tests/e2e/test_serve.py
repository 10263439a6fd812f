"""The page fed from Kafka: what it shows is what the pipeline makes of the run, whatever else is on the topics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest
import requests
from confluent_kafka import Producer as BareProducer

from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer
from cta.commands.target import Run, open_run
from cta.model.batch import Batch
from cta.model.settings import Settings
from cta.model.topics import ALERTS, ARRIVALS, STATIONS_TABLE, TOPICS, TURNSTILE_SUMMARY
from cta.network.load import chicago
from cta.pipeline.board import Board
from cta.recording.digest import Digest
from cta.simulation.plan import Window
from cta.stack.registry import Registry
from cta.web.feed import Feed
from cta.web.filling import Filling
from cta.web.scene import Scene, document_of
from tests.e2e.pipeline import eventually, served
from tests.e2e.services import Services


@pytest.fixture(scope="module")
def run() -> Run:
    return open_run("scenarios/blue_line_breakdown.json")


@pytest.fixture
def feed() -> Feed:
    return Feed(lambda: Scene(Board.for_network(chicago())))


@pytest.fixture
def filling(settings: Settings, registry: Registry, feed: Feed) -> Iterator[Filling]:
    """As `cta serve` reads."""
    with KafkaBroker(settings, registry, unreadable="raw") as broker:
        yield Filling(broker, settings.namespace, feed)


def replayed(run: Run, kafka: KafkaBroker, settings: Settings, partitions: int = 3) -> Board:
    """The run on Kafka; and the board that it makes."""
    producer = Producer(kafka, partitions, topics=TOPICS, namespace=settings.namespace)
    board = Board.for_network(run.network)
    for batch in run.batches(run.window):
        producer.post(batch)
        board.fold(batch)
    producer.flush()
    return board


def bare(settings: Settings, *messages: tuple[str, bytes, bytes | None]) -> None:
    """Messages with (topic, key, value) as they are."""
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    for topic, key, value in messages:
        producer.produce(settings.namespace + topic, key=key, value=value)
    assert producer.flush(30) == 0


def test_before_there_are_topics_it_is_starting(filling: Filling, feed: Feed) -> None:
    """An empty cluster is no error: there is nothing to show yet."""
    assert (filling.round(), feed.state) == (0, "starting")


def test_the_board_is_the_runs(run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed) -> None:
    """From several partitions: the same document, and the digest of all records."""
    board = replayed(run, kafka, settings)
    behind = filling.round()
    slots = feed.slots()
    assert (document_of(slots), feed.state) == (board.document(), "live")
    assert behind == slots["records"]["total"] > 30_000
    assert filling.round() == 0


def test_poison_is_counted_and_passed_over(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """On every kind of topic, before and after good records: the board is as if it weren't there."""
    board = replayed(run, kafka, settings)
    topics = (ARRIVALS, ALERTS, STATIONS_TABLE, TURNSTILE_SUMMARY)
    bare(settings, *((topic.name, b"\xff<script>", b"\x00\x01") for topic in topics))
    filling.round()
    slots = feed.slots()
    assert (document_of(slots), slots["records"]["unread"]) == (board.document(), len(topics))


def test_entries_are_the_summarys_once_it_has_any(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """Until then they are counted from the entries themselves; a station's last value counts."""
    replayed(run, kafka, settings)
    filling.round()
    counted = feed.slots()["entries/40380"]
    key = (40380).to_bytes(4, "big")
    bare(settings, *((TURNSTILE_SUMMARY.name, key, b'{"STATION_ID":40380,"COUNT":%d}' % n) for n in (1, 2)))
    filling.round()
    entries = {name: value for name, value in feed.slots().items() if name.startswith("entries/")}
    assert (counted > 2, entries) == (True, {"entries/40380": 2})


def test_a_station_is_renamed_by_the_table(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """The stations table's rows come before the network's own."""
    replayed(run, kafka, settings)
    row = b'{"station_id":40380,"station_name":"Clark & Lake","order":16,"line":"blue"}'
    bare(settings, (STATIONS_TABLE.name, b"blue:40380", row))
    filling.round()
    blue = next(line for line in feed.slots()["layout"] if line["line"] == "blue")
    assert [station["name"] for station in blue["stations"] if station["station_id"] == 40380] == ["Clark & Lake"]


def test_topics_made_anew_begin_the_page_anew(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """As after `cta replay --fresh`: nothing of the run before is left on the board."""
    replayed(run, kafka, settings)
    filling.round()
    kafka.delete_topics(settings.namespace + topic.name for topic in TOPICS)
    filling.round()
    board = replayed(run, kafka, settings)
    filling.round()
    slots = feed.slots()
    assert (document_of(slots), slots["feed"]["round"]) == (board.document(), 1)


def test_topics_made_anew_between_two_looks_are_seen_to_be(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """Another run, and by the next look more of it than was read of the first: offsets alone would go on in its middle."""
    other = open_run("scenarios/blue_line_breakdown.json", seed=8)
    beginning, _ = halved(other.window)
    replayed(replace(other, window=beginning), kafka, settings)
    filling.round()
    kafka.delete_topics(settings.namespace + topic.name for topic in TOPICS)
    board = replayed(run, kafka, settings)
    filling.round()
    slots = feed.slots()
    assert (document_of(slots), slots["feed"]["round"]) == (board.document(), 1)


def test_records_that_were_deleted_before_they_were_read_are_counted(
    run: Run, kafka: KafkaBroker, settings: Settings, filling: Filling, feed: Feed
) -> None:
    """As retention does where the page is far behind: it goes on from where the topic begins now, and says so."""
    arrivals = Batch.of(
        [record for batch in run.batches(run.window) for record in batch if record[1].topic is ARRIVALS]
    )
    name = settings.namespace + ARRIVALS.name
    kafka.create_topic(name, 1)
    board = Board.for_network(run.network)
    for part in (arrivals[:100], arrivals[200:]):
        board.fold(part)
    kafka.append(name, 0, arrivals[:100])
    filling.round()
    kafka.append(name, 0, arrivals[100:300])
    kafka.delete_records(name, 0, 200)
    filling.round()
    kafka.append(name, 0, arrivals[300:])
    filling.round()
    slots = feed.slots()
    assert (document_of(slots), feed.state, slots["feed"]["round"]) == (board.document(), "live", 0)
    assert (slots["records"]["missed"], slots["records"]["total"]) == (100, len(arrivals) - 100)


def test_kafka_goes_away_and_comes_back(run: Run, kafka: KafkaBroker, settings: Settings, services: Services) -> None:
    """The page says so and goes on by itself: not a record is lost, none is counted twice, nothing began anew."""
    services.ours("kafka")
    board, digest = Board.for_network(run.network), Digest()
    halves = [list(run.batches(window)) for window in halved(run.window)]
    with served(settings) as address:
        for half in halves:
            producer = Producer(kafka, topics=TOPICS, namespace=settings.namespace)
            for batch in half:
                producer.post(batch)
                board.fold(batch)
                digest.update(batch)
            producer.flush()
            eventually(lambda: requests.get(f"{address}api/moment", timeout=10).json()["digest"], digest.hexdigest())
            if half is halves[0]:
                services.stop("kafka")
                try:
                    eventually(lambda: health(address), (503, "no Kafka"))
                finally:
                    services.start("kafka")
                eventually(lambda: health(address), (200, "live"))
        shown = requests.get(f"{address}api/moment", timeout=10).json()
    assert (document_of(shown), shown["feed"]["round"]) == (msgspec.to_builtins(board.document()), 0)
    assert (shown["records"]["total"], shown["records"]["unread"]) == (digest.total, 0)


def halved(window: Window) -> tuple[Window, Window]:
    middle_ms = (window.start_ms + window.end_ms) // 2
    return Window(window.start_ms, middle_ms), Window(middle_ms, window.end_ms)


def health(address: str) -> tuple[int, str]:
    answer = requests.get(f"{address}healthz", timeout=10)
    return answer.status_code, answer.json()["state"]
