"""A topic that misbehaves, on Kafka: what a consumer there meets is what the embedded pipeline met, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from cta.broker.consumer import Consumer
from cta.broker.kafka import KafkaBroker
from cta.commands.target import open_run
from cta.model.errors import RecordError
from cta.model.settings import Settings
from cta.model.topics import TURNSTILE
from cta.pipeline.turnstile_summary import TurnstileSummary
from cta.recording.reader import Recording
from tests.cli.running import cta, write_scenario
from tests.cli.test_stream_faults import FAULTS, replayed
from tests.e2e.pipeline import Worker, done, environment, eventually, run
from tests.e2e.test_pipeline import entries_counted


@pytest.fixture
def unreliable(tmp_path: Path) -> Path:
    """Twenty minutes of the Blue Line with all that there is."""
    return write_scenario(tmp_path / "unreliable.json", lines=["blue"], duration="PT20M", stream_faults=FAULTS)


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_a_delivery_on_kafka_is_the_one_in_memory(
    kafka: KafkaBroker, settings: Settings, unreliable: Path, tmp_path: Path, partitions: str
) -> None:
    """Sent from the scenario, verified, captured: one digest; gone on with, there is nothing left to send."""
    embedded = replayed(unreliable)
    sent = done(settings, "replay", unreliable, "--to", "kafka", "--partitions", partitions)
    assert (sent["digest"], sent["board_digest"]) == (embedded["digest"], embedded["board_digest"])
    verified = run(settings, "verify", unreliable)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    captured = run(settings, "capture", "-o", tmp_path / "captured.jsonl")
    assert captured.returncode == 0, captured.stderr
    trailer = Recording.open(tmp_path / "captured.jsonl").trailer
    assert (trailer.digest, trailer.records) == (embedded["digest"], embedded["records"])
    again = done(settings, "replay", unreliable, "--to", "kafka", "--partitions", partitions, "--resume")
    assert again["digest"] == embedded["digest"]
    assert run(settings, "verify", tmp_path / "captured.jsonl").returncode == 0


def test_a_consumer_that_trusts_the_topic_meets_a_value_that_it_cannot_read(
    kafka: KafkaBroker, settings: Settings, unreliable: Path
) -> None:
    """The error names topic, partition and offset; one that passes over such records counts them."""
    done(settings, "replay", unreliable, "--to", "kafka")
    with pytest.raises(RecordError, match=r"offset \d+: .*-value: not in Confluent's framing"):
        list(Consumer(kafka, [TURNSTILE], namespace=settings.namespace).poll())


def test_a_captured_delivery_is_sent_as_it_was(
    kafka: KafkaBroker, settings: Settings, unreliable: Path, tmp_path: Path
) -> None:
    """Unreadable values, too, are sent again as the bytes that they are."""
    recording = tmp_path / "run.jsonl"
    assert cta("record", unreliable, "-o", recording, **environment(settings)).returncode == 0
    sent = done(settings, "replay", recording, "--to", "kafka")
    assert sent["digest"] == Recording.open(recording).trailer.digest
    assert run(settings, "verify", recording).returncode == 0


def test_a_worker_counts_each_entry_that_can_be_read_as_often_as_it_comes(
    kafka: KafkaBroker, settings: Settings, unreliable: Path, tmp_path: Path
) -> None:
    """Its table is the pure pipeline's: repeated and late entries are in it, unreadable ones are not."""
    done(settings, "replay", unreliable, "--to", "kafka", "--partitions", "2")
    opened = open_run(str(unreliable))
    summary = TurnstileSummary()
    for batch in opened.batches(opened.window):
        summary.fold(batch)
    with Worker(settings, tmp_path / "worker.log", "--summary") as worker:
        eventually(lambda: entries_counted(kafka, settings) >= summary.counts.total(), True)
        assert done(settings, "verify", unreliable, "--wait", "120")["same"]
        assert entries_counted(kafka, settings) == summary.counts.total()
        assert worker.stop() == 0
        assert "the value is no entry" in worker.said
