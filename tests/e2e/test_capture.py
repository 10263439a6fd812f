"""``cta capture``: topics of a cluster as a recording, ours and anybody's."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from confluent_kafka import Producer as BareProducer

from cta.broker.kafka import KafkaBroker
from cta.model.raw import Origin, Raw
from cta.model.settings import Settings
from cta.model.topics import ALERTS, RECORDED, STATIONS
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows
from cta.recording.reader import Recording
from tests.cli.running import CTA, write_scenario
from tests.e2e.pipeline import done, environment, run
from tests.e2e.services import Services


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten minutes of the Yellow Line."""
    return write_scenario(tmp_path / "small.json")


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_what_is_captured_is_the_run_that_was_replayed(
    kafka: KafkaBroker, settings: Settings, scenarios: Path, tmp_path: Path, partitions: str
) -> None:
    """`cta diff` finds nothing; the capture is in the order of time and replays to the run's own board."""
    scenario = scenarios / "rush_hour.json"
    sent = done(settings, "replay", scenario, "--to", "kafka", "--partitions", partitions)
    file = tmp_path / "received.jsonl.zst"
    captured = run(settings, "capture", "-o", file)
    assert (captured.returncode, captured.stdout) == (0, f"{sent['digest']}  {file}\n")
    assert run(settings, "diff", scenario, file).stdout.startswith("the same\n")
    assert Recording.open(file).header.order == "time"
    assert done(settings, "replay", file)["board_digest"] == sent["board_digest"]


def test_any_topic_is_captured_as_it_is(kafka: KafkaBroker, settings: Settings, tmp_path: Path) -> None:
    """Text, bytes, nulls, headers, times that go back: each record with its partition and offset."""
    topic = f"{settings.namespace}orders"
    kafka.create_topic(topic, 2)
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(topic, b"one", b"k", 0, timestamp=2_000, headers=[("trace", b"\xff"), ("empty", None)])
    producer.produce(topic, None, b"k", 0, timestamp=1_000)
    producer.produce(topic, b"\x00\xff", None, 1, timestamp=3_000)
    assert producer.flush(30) == 0

    file = tmp_path / "orders.jsonl"
    captured = run(settings, "capture", "-o", file, "--topics", topic)
    assert captured.returncode == 0, captured.stderr
    recording = Recording.open(file)
    assert (recording.header.order, recording.header.start_ms, recording.header.end_ms) == ("arrival", 1_000, 3_001)
    records = [
        (time_ms, content.topic.name, content.key, content.value, origin)
        for batch in recording.batches()
        for (time_ms, content), origin in zip(batch, batch.origins if batch.origins is not None else (), strict=True)
    ]
    headers = (("trace", Raw(base64=b"\xff")), ("empty", None))
    assert records == [
        (2_000, topic, Raw(text="k"), Raw(text="one"), Origin(0, 0, headers)),
        (1_000, topic, Raw(text="k"), None, Origin(0, 1)),
        (3_000, topic, None, Raw(base64=b"\x00\xff"), Origin(1, 0)),
    ]


def test_a_tombstone_among_our_records_is_kept_as_what_it_is(
    kafka: KafkaBroker, settings: Settings, small: Path, tmp_path: Path
) -> None:
    """It is none of our records, and no record is lost for it."""
    sent = done(settings, "replay", small, "--to", "kafka")
    name = settings.namespace + ALERTS.name
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(name, None, b"gone", 0, timestamp=0)
    assert producer.flush(30) == 0
    assert run(settings, "capture", "-o", tmp_path / "run.jsonl").returncode == 0
    records = Recording.open(tmp_path / "run.jsonl").trailer.records
    assert records == {**sent["records"], name: 1}


def test_the_stations_of_a_captured_run_are_those_that_connect_has_read(
    kafka: KafkaBroker, settings: Settings, small: Path, tmp_path: Path
) -> None:
    """Good rows by stop, bad ones left out; where there are none, the network's own."""
    done(settings, "replay", small, "--to", "kafka")
    rows = platform_rows(chicago())
    assert run(settings, "capture", "-o", tmp_path / "before.jsonl").returncode == 0
    assert list(Recording.open(tmp_path / "before.jsonl").header.stations) == rows
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    renamed = {**rows[0], "station_name": "Renamed"}
    bad: list[object] = [[1], {}, {**rows[2], "stop_id": "three"}, "\ud83d"]
    for n, row in enumerate([rows[1], renamed, *bad]):
        producer.produce(settings.namespace + STATIONS.name, json.dumps(row).encode(), str(n).encode(), 0)
    producer.produce(settings.namespace + STATIONS.name, b"\xff", b"bytes", 0)
    assert producer.flush(30) == 0
    assert run(settings, "capture", "-o", tmp_path / "after.jsonl").returncode == 0
    assert list(Recording.open(tmp_path / "after.jsonl").header.stations) == [renamed, rows[1]]


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_following_takes_what_comes_and_ends_whole(
    kafka: KafkaBroker, settings: Settings, small: Path, tmp_path: Path, by: signal.Signals
) -> None:
    """Started on empty topics; Ctrl+C or SIGTERM after the run gives exactly the run, and nothing else is left."""
    for recorded in RECORDED:
        kafka.create_topic(settings.namespace + recorded.name, 1)
    folder = tmp_path / "captured"
    following = _following(settings, folder)
    sent = done(settings, "replay", small, "--to", "kafka", "--speed", "300")
    following.send_signal(by)
    out, said = following.communicate(timeout=60)
    assert (following.returncode, out) == (0, f"{sent['digest']}  {folder / 'live.jsonl.zst'}\n"), said
    assert [file.name for file in folder.iterdir()] == ["live.jsonl.zst"]
    assert run(settings, "diff", small, folder / "live.jsonl.zst").stdout.startswith("the same\n")


def test_following_a_cluster_that_goes_away_ends_with_what_came(
    services: Services, kafka: KafkaBroker, settings: Settings, small: Path, tmp_path: Path
) -> None:
    """Exit code 3, and how many records are in the file: those of the run that was there."""
    services.ours("kafka")
    sent = done(settings, "replay", small, "--to", "kafka")
    following = _following(settings, tmp_path / "captured")
    services.kill("kafka")
    try:
        _, said = following.communicate(timeout=60)
    finally:
        services.start("kafka")
    file = tmp_path / "captured" / "live.jsonl.zst"
    assert following.returncode == 3, said
    assert f"; the {sent['total']:,} records that came before are in {file}; start it ('cta stack up')" in said
    assert Recording.open(file).trailer.digest == sent["digest"]


def _following(settings: Settings, folder: Path) -> subprocess.Popen[str]:
    """``cta capture --follow`` into a new folder, with all that was there."""
    folder.mkdir()
    following = subprocess.Popen(
        [CTA, "capture", "-o", folder / "live.jsonl.zst", "--follow"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert following.stderr is not None
    assert following.stderr.readline().endswith(" records were there; following, until Ctrl+C\n")
    assert [file.name for file in folder.iterdir()] == ["live.jsonl.zst.following.jsonl.zst.partial"]
    return following


def test_topics_that_are_not_there_are_refused_with_those_that_are(
    kafka: KafkaBroker, settings: Settings, tmp_path: Path
) -> None:
    kafka.create_topic(f"{settings.namespace}orders", 1)
    refused = run(settings, "capture", "-o", tmp_path / "out.jsonl", "--topics", "nowhere")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no topic nowhere; choose others with --topics" in refused.stderr
    assert f"{settings.namespace}orders" in refused.stderr
    assert list(tmp_path.iterdir()) == []
