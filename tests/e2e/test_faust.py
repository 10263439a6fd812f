"""Faust workers against a real broker: the stations table, and counts that are exact whatever happens to a worker."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random

from confluent_kafka import Producer as BareProducer

from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer
from cta.commands.tables import last_values
from cta.model.batch import Batch, Content
from cta.model.records import Entry, StationKey
from cta.model.settings import Settings
from cta.model.topics import STATIONS, STATIONS_TABLE, TURNSTILE, TURNSTILE_SUMMARY
from cta.network.load import chicago
from cta.pipeline.stations import PlatformRow, table_key, table_rows
from cta.pipeline.turnstile_summary import TurnstileSummary
from cta.stack.connect import Connect, Connector
from cta.stack.postgres import Postgres
from tests.cli.running import cta
from tests.conftest import ROOT
from tests.e2e.pipeline import ROWS, Worker, eventually
from tests.e2e.services import Services, free_port

NOON_MS = 1_778_695_200_000
LOSING = (sys.executable, ROOT / "tests" / "e2e" / "losing_worker.py")
WAVE = 10_000
"""Entries between two things that happen to the workers."""


def make_topics(kafka: KafkaBroker, settings: Settings, partitions: int = 1) -> None:
    for topic in (STATIONS, STATIONS_TABLE, TURNSTILE, TURNSTILE_SUMMARY):
        kafka.create_topic(settings.namespace + topic.name, partitions)


def write_rows(settings: Settings, values: list[bytes]) -> None:
    """Rows as Connect would have written them, and what it would never have."""
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    for value in values:
        producer.produce(settings.namespace + STATIONS.name, value, b"{}", 0)
    assert producer.flush(30) == 0


def table_of(rows: list[PlatformRow]) -> dict[bytes, bytes]:
    """The table topic's last values, by the pipeline."""
    made = [made for row in rows for made in table_rows(row)]
    return {table_key(row).encode(): json.dumps(_document(row), separators=(",", ":")).encode() for row in made}


def _document(row: object) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("station_id", "station_name", "order", "line")}


class Riders:
    """Entries at random stations, sent in waves, and the counts that they make."""

    def __init__(self, kafka: KafkaBroker, settings: Settings, partitions: int) -> None:
        self._producer = Producer(kafka, partitions, topics=[TURNSTILE], namespace=settings.namespace)
        self._random = Random(7)
        self._summary = TurnstileSummary()
        self._entries = [
            Content(TURNSTILE, StationKey(station.station_id), Entry(station.station_id, station.name, "red"))
            for station in chicago().stations.values()
        ]

    def send(self, entries: int) -> None:
        batch = Batch.of((NOON_MS + n, self._random.choice(self._entries)) for n in range(entries))
        self._summary.fold(batch)
        self._producer.send(batch)

    @property
    def counts(self) -> dict[bytes, bytes]:
        return dict(self._summary.records())


def test_rows_become_the_stations_table(kafka: KafkaBroker, settings: Settings, tmp_path: Path) -> None:
    """Every platform's row, through the pipeline, keyed line:station; SIGTERM ends the worker with 0."""
    make_topics(kafka, settings)
    write_rows(settings, [json.dumps(row).encode() for row in ROWS])
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.comes_to(lambda: last_values(kafka, settings.namespace + STATIONS_TABLE.name), table_of(ROWS))
        assert worker.stop() == 0
    assert worker.said.splitlines()[-1] == "stopped: read 302 of org.chicago.cta.stations; 0 bad records passed over"


def test_a_bad_row_is_counted_and_logged_and_the_rest_goes_on(
    kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """No JSON, no object, a missing field, a wrong type, nothing at all: five bad, one good behind them."""
    make_topics(kafka, settings)
    bad = [b"{", b"[1]", b"{}", json.dumps({**ROWS[0], "station_id": "no"}).encode(), b""]
    write_rows(settings, [*bad, json.dumps(ROWS[0]).encode()])
    with Worker(settings, tmp_path / "worker.log") as worker:
        worker.comes_to(lambda: last_values(kafka, settings.namespace + STATIONS_TABLE.name), table_of(ROWS[:1]))
        assert worker.stop() == 0
    assert "read 6 of org.chicago.cta.stations; 5 bad records passed over" in worker.said
    place = f"{settings.namespace}org.chicago.cta.stations, partition 0, offset 3"
    assert f"{place}: passed over, bad record 4 of this worker: " in worker.said
    assert "station_id is 'no'; it must be a whole number from 0" in worker.said


def test_a_changed_row_travels_from_postgres_to_the_table(
    worker: Connect, connector: Connector, postgres: Postgres, kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """Postgres, Connect, Faust: the whole way, first all rows, then the one that was changed."""
    make_topics(kafka, settings)
    worker.put(connector)
    topic = settings.namespace + STATIONS_TABLE.name
    with Worker(settings, tmp_path / "worker.log"):
        eventually(lambda: last_values(kafka, topic), table_of(ROWS))
        (change,) = postgres.change([30_001], {"station_name": "Renamed"})
        eventually(lambda: last_values(kafka, topic), table_of([*ROWS, change.now]))


def test_a_worker_killed_and_started_again_counts_exactly(
    kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """Killed twice in the middle of the stream, at no moment of its choosing; no entry is lost or counted twice."""
    make_topics(kafka, settings, 3)
    riders = Riders(kafka, settings, 3)
    summary = settings.namespace + TURNSTILE_SUMMARY.name
    for life in range(2):
        riders.send(WAVE)
        with Worker(settings, tmp_path / f"life{life}.log", "--summary") as worker:
            worker.ready()
            riders.send(WAVE)
            _counting(kafka, summary)
            worker.kill()
    with Worker(settings, tmp_path / "last.log", "--summary") as worker:
        worker.comes_to(lambda: last_values(kafka, summary), riders.counts)
        assert worker.stop() == 0


def test_two_workers_share_the_work_and_one_that_leaves_or_dies_changes_no_count(
    kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """A second worker joins in the middle, the first leaves, a third joins, the second is killed: the same counts."""
    make_topics(kafka, settings, 3)
    riders = Riders(kafka, settings, 3)
    summary = settings.namespace + TURNSTILE_SUMMARY.name
    logs = [tmp_path / f"worker{n}.log" for n in range(3)]
    with Worker(settings, logs[0], "--summary") as first:
        first.ready()
        riders.send(WAVE)
        with Worker(settings, logs[1], "--summary") as second:
            second.ready()
            riders.send(WAVE)
            assert first.stop() == 0
            riders.send(WAVE)
            with Worker(settings, logs[2], "--summary") as third:
                third.ready()
                riders.send(WAVE)
                second.kill()
                third.comes_to(lambda: last_values(kafka, summary), riders.counts)
                assert third.stop() == 0, third.said


def test_a_broker_that_dies_under_a_worker_loses_no_count(
    services: Services, kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """The worker waits for it, or ends with 3 and goes on when it is started again; the counts are exact either way."""
    services.ours("kafka")
    make_topics(kafka, settings)
    riders = Riders(kafka, settings, 1)
    summary = settings.namespace + TURNSTILE_SUMMARY.name
    riders.send(WAVE)
    with Worker(settings, tmp_path / "before.log", "--summary") as worker:
        worker.ready()
        _counting(kafka, summary)
        services.kill("kafka")
        services.start("kafka")
        riders.send(WAVE)
        worker.kill()
    with Worker(settings, tmp_path / "after.log", "--summary") as worker:
        worker.comes_to(lambda: last_values(kafka, summary), riders.counts)
        assert worker.stop() == 0


def test_records_that_the_consumer_loses_are_read_again_and_counted_once(
    kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    """Sent back every fifty records, in the middle of reading, it goes on, and every entry is counted once."""
    make_topics(kafka, settings, 3)
    riders = Riders(kafka, settings, 3)
    riders.send(WAVE // 2)
    with Worker(settings, tmp_path / "worker.log", "--summary", command=LOSING) as worker:
        worker.ready()
        riders.send(WAVE // 2)
        worker.comes_to(lambda: last_values(kafka, settings.namespace + TURNSTILE_SUMMARY.name), riders.counts)
        assert worker.stop() == 0, worker.said


def test_a_bad_key_is_passed_over_and_the_rest_counted(kafka: KafkaBroker, settings: Settings, tmp_path: Path) -> None:
    make_topics(kafka, settings)
    riders = Riders(kafka, settings, 1)
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.namespace + TURNSTILE.name, b"?", b"junk", 0)
    assert producer.flush(30) == 0
    riders.send(100)
    with Worker(settings, tmp_path / "worker.log", "--summary") as worker:
        worker.comes_to(lambda: last_values(kafka, settings.namespace + TURNSTILE_SUMMARY.name), riders.counts)
        assert worker.stop() == 0
    assert "read 101 of org.chicago.cta.turnstile.v1; 1 bad records passed over" in worker.said


def test_topics_that_are_missing_are_named(settings: Settings) -> None:
    """Nothing is made or waited for: the line says which, and what makes them."""
    environment = {"CTA_BOOTSTRAP_SERVERS": settings.bootstrap_servers, "CTA_NAMESPACE": settings.namespace}
    refused = cta("stream", **environment)
    topics = f"{settings.namespace}org.chicago.cta.stations, {settings.namespace}org.chicago.cta.stations.table.v1"
    assert (refused.returncode, refused.stdout) == (2, "")
    assert f"no topic {topics}; make the topics first" in refused.stderr


def test_a_broker_that_cannot_be_reached_is_one_line_and_exit_code_3() -> None:
    port = free_port()
    refused = cta("stream", CTA_BOOTSTRAP_SERVERS=f"127.0.0.1:{port}")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith(f"error: Kafka at 127.0.0.1:{port}: ")
    assert refused.stderr.count("\n") == 1
    assert "start it ('cta stack up') or check CTA_BOOTSTRAP_SERVERS" in refused.stderr


def _counting(kafka: KafkaBroker, summary: str) -> None:
    """Return once something was counted: what happens next happens in the middle of it."""
    eventually(lambda: kafka.end_offset(summary, 0) > 0, True)
