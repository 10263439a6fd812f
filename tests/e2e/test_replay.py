"""``cta replay --to kafka`` and ``cta verify``: what was simulated is what stands in Kafka, and no run is put on another."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from confluent_kafka import Producer as BareProducer

from cta.broker.consumer import Consumer
from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer
from cta.commands.target import open_run
from cta.model.settings import Settings
from cta.model.topics import ARRIVALS, TURNSTILE
from cta.pipeline.board import Board
from cta.pipeline.stations import station_table
from cta.recording.digest import Digest
from tests.cli.running import CTA, interrupted, write_scenario
from tests.e2e.pipeline import done, environment, eventually, run, side_by_side
from tests.e2e.services import Services, free_port


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten minutes of the Yellow Line: a run where it doesn't matter which."""
    return write_scenario(tmp_path / "small.json")


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_rush_hour_reads_back_with_the_digest_and_the_board_of_the_simulation(
    kafka: KafkaBroker, settings: Settings, scenarios: Path, partitions: str
) -> None:
    """The embedded pipeline and Kafka with any number of partitions: one digest of records, one of the board."""
    scenario = scenarios / "rush_hour.json"
    embedded = done(settings, "replay", scenario)
    into_kafka = done(settings, "replay", scenario, "--to", "kafka", "--partitions", partitions)
    del embedded["wall_s"], into_kafka["wall_s"]
    how = into_kafka.pop("kafka")
    assert into_kafka == embedded
    assert how.pop("records_per_s") > 0
    lag = {"unacknowledged_records": 0, "behind_s": None, "unread_records": dict[str, int]()}
    assert how == {"via": "broker", "lag": lag, "repeated": {}}

    simulated = open_run(str(scenario))
    digest, board = Digest(), Board(station_table(simulated.station_rows()).values(), simulated.network.lines)
    for batch in Consumer(kafka, namespace=settings.namespace).poll():
        digest.update(batch)
        board.fold(batch)
    assert (digest.hexdigest(), board.digest()) == (embedded["digest"], embedded["board_digest"])

    verified = done(settings, "verify", scenario)
    assert (verified["same"], verified["records"]["b"]["digest"]) == (True, embedded["digest"])


def test_keys_that_changed_places_inside_a_partition_are_seen(
    kafka: KafkaBroker, settings: Settings, small: Path
) -> None:
    """The digest is the run's own, and verify names the partition all the same."""
    simulated = open_run(str(small))
    producer = Producer(kafka, 1, namespace=settings.namespace)
    for batch in simulated.batches(simulated.window):
        keys = [batch.contents[code].chain_key for code in batch.codes.tolist()]
        of_riders = [n for n, rank in enumerate(batch.ranks().tolist()) if rank == TURNSTILE.rank]
        order = np.arange(len(batch))
        one, other = next(pair for pair in pairwise(of_riders) if keys[pair[0]] != keys[pair[1]])
        order[[one, other]] = other, one
        producer.send(batch[order])
    verified = run(settings, "verify", small)
    assert verified.returncode == 1
    assert verified.stdout.startswith("different: the order inside partitions; the records are the same\n")
    assert "order         turnstile partition 0: in another order than sent" in verified.stdout


def test_a_second_run_is_refused_and_fresh_starts_clean(
    kafka: KafkaBroker, settings: Settings, scenarios: Path, small: Path
) -> None:
    """The refusal names each topic with its records and changes nothing; --fresh lists what goes, and it is gone."""
    first = done(settings, "replay", scenarios / "rush_hour.json", "--to", "kafka")
    refused = run(settings, "replay", small, "--to", "kafka")
    entries = f"{settings.namespace}{TURNSTILE.name} {first['records'][TURNSTILE.name]:,}"
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "topics hold records already: " in refused.stderr
    assert entries in refused.stderr
    assert refused.stderr.endswith("; remove them with --fresh, or choose another --namespace\n")
    assert done(settings, "verify", scenarios / "rush_hour.json")["same"]

    fresh = run(settings, "replay", small, "--to", "kafka", "--fresh", "--partitions", "2")
    assert fresh.returncode == 0, fresh.stderr
    assert f"removing topic {entries.replace(' ', ', ')} records\n" in fresh.stderr
    assert done(settings, "verify", small)["same"]
    assert kafka.admin.topics()[settings.namespace + ARRIVALS.name] == 2


@pytest.mark.parametrize("partitions", ["1", "3"])
def test_a_run_that_ended_early_is_gone_on_with(
    kafka: KafkaBroker, settings: Settings, scenarios: Path, partitions: str
) -> None:
    """--resume holds what is there against the run and sends the rest: the whole run, each record once."""
    rush_hour = scenarios / "rush_hour.json"
    into = ("replay", rush_hour, "--to", "kafka", "--partitions", partitions)
    begun = done(settings, *into, "--until", "08:13")
    resumed = run(settings, *into, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stderr == (
        f"going on: {begun['total']:,} records are there, and are this run's first in every partition\n"
    )
    assert done(settings, "verify", rush_hour)["same"]
    again = done(settings, *into, "--resume")
    assert done(settings, "verify", rush_hour)["records"]["b"]["total"] == again["total"]


def test_what_is_not_the_run_s_beginning_is_not_gone_on_with(
    kafka: KafkaBroker, settings: Settings, small: Path
) -> None:
    """Another seed's records, or more than the run has: where they part is said, and nothing is sent."""
    into = ("replay", small, "--to", "kafka")
    done(settings, *into)
    other = run(settings, *into, "--resume", "--seed", "8")
    assert (other.returncode, other.stdout) == (2, "")
    assert f"error: topic {settings.namespace}" in other.stderr
    assert " stands where this run has " in other.stderr
    shorter = run(settings, *into, "--resume", "--until", "07:05")
    assert shorter.returncode == 2
    assert "records more than this run; it can't be gone on with: choose --fresh" in shorter.stderr
    assert done(settings, "verify", small)["same"]


def test_another_run_is_different_and_the_first_divergence_is_shown(
    kafka: KafkaBroker, settings: Settings, small: Path
) -> None:
    """Exit code 1: the counts, both digests, the record at which they part."""
    done(settings, "replay", small, "--to", "kafka")
    ended = run(settings, "verify", small, "--seed", "8")
    assert (ended.returncode, ended.stderr) == (1, "")
    verdict, *_ = ended.stdout.splitlines()
    assert verdict.startswith("different: ")
    assert "first difference: " in ended.stdout
    assert "is the run's" in ended.stdout


def test_a_record_too_many_is_found_whatever_its_bytes(kafka: KafkaBroker, settings: Settings, small: Path) -> None:
    """Bytes of no schema in one of the topics: they count as one extra record."""
    done(settings, "replay", small, "--to", "kafka")
    producer = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    producer.produce(settings.namespace + ARRIVALS.name, b"junk", b"?", 0)
    assert producer.flush(30) == 0
    ended = run(settings, "verify", small, "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["same"]) == (1, False)
    assert found["records"]["topics"][settings.namespace + ARRIVALS.name]["extra"] == 1


def test_a_part_of_a_run_is_verified_as_that_part(kafka: KafkaBroker, settings: Settings, small: Path) -> None:
    """--from and --until mean the same to replay and to verify; the whole run is more than the part."""
    part = ("--from", "07:02", "--until", "07:08")
    done(settings, "replay", small, "--to", "kafka", *part)
    assert done(settings, "verify", small, *part)["same"]
    assert run(settings, "verify", small).returncode == 1


def test_a_paced_run_is_the_same_run(kafka: KafkaBroker, settings: Settings, small: Path) -> None:
    """In slices, each delivered before the next."""
    done(settings, "replay", small, "--to", "kafka", "--speed", "300")
    assert done(settings, "verify", small)["same"]


def test_an_interrupted_run_says_what_is_in_kafka(
    kafka: KafkaBroker, settings: Settings, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl+C: exit code 130, and each record that was counted is there, once. Until then rate and lag are shown."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    code, out, seen = interrupted("replay", small, "--to", "kafka", "--speed", "60")
    digest = Digest()
    for batch in Consumer(kafka, namespace=settings.namespace).poll():
        digest.update(batch)
    assert code == 130
    assert f"digest        {digest.hexdigest()}" in out
    assert f"interrupted: {digest.total:,} records are in Kafka, each once" in seen
    assert re.search(r"/s\s+[\d,]+ unacknowledged, \d+\.\d s behind the clock", seen)


def test_a_cluster_that_is_not_there_is_named_with_a_remedy(small: Path, tmp_path: Path) -> None:
    """From each command exit code 3, one line: which service, where, what to do. Nothing is written."""
    port, out = free_port(), tmp_path / "out.jsonl"
    commands: list[list[str | Path]] = [
        ["replay", small, "--to", "kafka"],
        ["verify", small],
        ["capture", "-o", out],
        ["doctor"],
    ]
    nowhere = Settings(bootstrap_servers=f"127.0.0.1:{port}")
    for command, (code, told) in zip(commands, side_by_side(nowhere, commands), strict=True):
        assert (command, code) == (command, 3)
        assert f"Kafka at 127.0.0.1:{port}: it cannot be reached" in told
        assert "start it ('cta stack up') or check CTA_BOOTSTRAP_SERVERS" in told
        assert command == ["doctor"] or told.count("\n") == 1
    assert not out.exists()


def test_a_registry_that_is_not_there_is_named_before_anything_is_changed(
    kafka: KafkaBroker, settings: Settings, small: Path
) -> None:
    """--fresh too: what is there stays there."""
    done(settings, "replay", small, "--to", "kafka")
    port = free_port()
    url = f"http://127.0.0.1:{port}/apis/ccompat/v7"
    ended = run(settings, "replay", small, "--to", "kafka", "--fresh", "--schema-registry-url", url)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == (
        f"error: the schema registry at {url}: it cannot be reached; start it ('cta stack up') or check "
        "CTA_SCHEMA_REGISTRY_URL\n"
    )
    assert done(settings, "verify", small)["same"]


def test_a_broker_that_dies_under_a_run_ends_it_with_what_was_not_delivered(
    services: Services, kafka: KafkaBroker, settings: Settings, scenarios: Path, tmp_path: Path
) -> None:
    """Exit code 3 and how many records are missing; when the broker is back, --resume gives the whole run.

    Meanwhile each command that needs it fails the same way: which service, where, what to do.
    """
    services.ours("kafka")
    rush_hour = scenarios / "rush_hour.json"
    into: list[str | Path] = ["replay", rush_hour, "--to", "kafka"]
    properties = tmp_path / "impatient.properties"
    properties.write_text("message.timeout.ms=3000\n")
    variables = environment(settings, CTA_KAFKA_PROPERTIES=str(properties))
    running = subprocess.Popen(
        [CTA, *into, "--speed", "600"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: _holds_records(kafka, settings.namespace + TURNSTILE.name), True)
    services.kill("kafka")
    _, said = running.communicate(timeout=60)
    try:
        assert running.returncode == 3, said
        assert f"Kafka at {settings.bootstrap_servers}: " in said
        assert "not delivered" in said
        assert "start it ('cta stack up') or check CTA_BOOTSTRAP_SERVERS" in said
        commands: list[list[str | Path]] = [
            into,
            ["verify", rush_hour],
            ["capture", "-o", tmp_path / "out.jsonl"],
            ["doctor"],
            ["serve", "--port", "0"],
            ["stream"],
        ]
        for command, (code, told) in zip(commands, side_by_side(settings, commands), strict=True):
            assert (command, code) == (command, 3)
            assert f"Kafka at {settings.bootstrap_servers}: it cannot be reached" in told
            assert "start it ('cta stack up') or check CTA_BOOTSTRAP_SERVERS" in told
    finally:
        services.start("kafka")
    done(settings, *into, "--resume")
    assert done(settings, "verify", rush_hour)["same"]


def _holds_records(kafka: KafkaBroker, topic: str) -> bool:
    return topic in kafka.topics() and kafka.end_offset(topic, 0) > 0
