"""``cta doctor``: each thing that can stand in the way is found, named, and has a remedy; what is right is said, too."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from cta.broker.kafka import KafkaBroker
from cta.commands.doctor import _generation
from cta.model.errors import BrokerError
from cta.model.settings import Settings
from cta.model.topics import ARRIVALS, RECORDED, STATIONS, TURNSTILE, WEATHER
from cta.stack.connect import Connect, Connector
from cta.stack.registry import Registry
from tests.cli.running import cta, write_scenario
from tests.e2e.pipeline import done, environment, run
from tests.e2e.services import free_port

Found = list[tuple[str, str, str | None]]
"""Level, what, remedy."""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Ten minutes of the Yellow Line."""
    return write_scenario(tmp_path / "small.json")


def examined(settings: Settings, code: int = 0, **variables: str) -> dict[str, Found]:
    """What ``cta doctor --json`` finds, by place; it ends with the code."""
    ended: subprocess.CompletedProcess[str] = cta("doctor", "--json", **environment(settings, **variables))
    assert ended.returncode == code, ended.stdout + ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    found: dict[str, Found] = {}
    for finding in document["findings"]:
        found.setdefault(finding["where"], []).append((finding["level"], finding["what"], finding["remedy"]))
    return found


def topic_place(settings: Settings, name: str) -> str:
    return f"topic {settings.namespace}{name}"


def test_an_empty_namespace_is_ready_for_a_replay(settings: Settings) -> None:
    """What isn't there yet is a note, with what makes it."""
    found = examined(settings)
    levels = {level for findings in found.values() for level, _, _ in findings}
    kafka = found[f"Kafka at {settings.bootstrap_servers}"]
    assert levels == {"ok", "note"}
    assert kafka[1] == ("ok", "version 3.6 or later", None)
    assert kafka[2][1].startswith(f"not there yet: {settings.namespace}{ARRIVALS.name}, ")
    assert kafka[2][2] == "'cta replay ... --to kafka' makes them"
    (registry,) = [findings for where, findings in found.items() if where.startswith("the schema registry at ")]
    assert re.fullmatch(r"reachable, .*version [0-9][0-9.]*, [0-9]+ subjects", registry[0][1])


def test_a_kafka_that_is_too_old_or_tells_nothing_is_said_to_be(
    kafka: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker that knows no such setting is older; one that lets nobody look is no problem.

    Both answers are put into the admin's mouth: no image of such a Kafka can be had everywhere, and rights for users
    would take a cluster of their own.
    """
    monkeypatch.setattr(kafka.admin, "broker_config", dict)
    (older,) = _generation(kafka, "Kafka")
    assert (older.level, older.what) == ("problem", "older than 3.6: it refuses records dated ahead of its clock")

    def refused() -> dict[str, str | None]:
        raise BrokerError("Cluster authorization failed")

    monkeypatch.setattr(kafka.admin, "broker_config", refused)
    (untold,) = _generation(kafka, "Kafka")
    assert (untold.level, untold.what) == (
        "note",
        "whether it is 3.6 or later is not told: Cluster authorization failed",
    )


def test_a_run_that_is_there_is_said_with_its_records(kafka: KafkaBroker, settings: Settings, small: Path) -> None:
    """No problem, but a replay would refuse it; every topic is as the contract says."""
    records = done(settings, "replay", small, "--to", "kafka")["records"]
    found = examined(settings)
    for topic in RECORDED:
        assert found[topic_place(settings, topic.name)] == [("ok", "as the contract says; partitions: 1", None)]
    level, what, remedy = found[f"Kafka at {settings.bootstrap_servers}"][-1]
    assert (level, remedy) == ("note", "a replay needs --fresh, or another --namespace")
    assert f"{settings.namespace}{TURNSTILE.name} {records[TURNSTILE.name]:,}" in what


def test_a_topic_of_another_make_is_a_problem_with_the_difference(kafka: KafkaBroker, settings: Settings) -> None:
    """A broker's own limits and retention: records would be refused, or old the moment they are written.

    The stations topic is its connector's: --fresh alone would not remove it.
    """
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    for name in (settings.namespace + WEATHER.name, settings.namespace + STATIONS.name):
        admin.create_topics([NewTopic(name, 1, 1, config={"retention.ms": "1000"})])[name].result()
    kafka.create_topic(settings.namespace + ARRIVALS.name, 3)
    found = examined(settings, 1)
    (level, what, remedy) = found[topic_place(settings, WEATHER.name)][0]
    assert (level, remedy) == ("problem", "alter it, or remove it with --fresh")
    assert what == ("has retention.ms=1000, not -1 and message.timestamp.after.max.ms=3600000, not 9223372036854775807")
    (level, _, remedy) = found[topic_place(settings, STATIONS.name)][0]
    assert (level, remedy) == ("problem", "alter it, or remove it with --via services --fresh")
    (level, what, _) = found[f"Kafka at {settings.bootstrap_servers}"][-1]
    assert (level, what) == (
        "problem",
        "topics of one run have different partitions: "
        f"{settings.namespace}{ARRIVALS.name} 3, {settings.namespace}{WEATHER.name} 1",
    )


def test_a_schema_that_ours_cannot_follow_is_a_problem(settings: Settings, registry: Registry) -> None:
    """Somebody else's subject of that name, and one that anything may follow."""
    subject = f"{settings.namespace}{WEATHER.name}-value"
    other = {"type": "record", "name": "other", "fields": [{"name": "x", "type": "bytes"}]}
    registry.register(subject, msgspec.to_builtins(other))
    assert examined(settings, 1)[f"subject {subject}"] == [
        ("problem", "holds a schema that ours can't follow", "use another --namespace, or delete the subject")
    ]
    registry.delete_subject(subject)


def test_a_connector_that_is_stopped_is_a_problem_until_it_is_started(
    kafka: KafkaBroker, worker: Connect, connector: Connector, with_connect: Settings
) -> None:
    """The remedy is all that it takes."""
    kafka.create_topic(with_connect.namespace + STATIONS.name, 1)
    worker.put(connector)
    worker.wait_ready(connector.name)
    worker.forget(connector.name)
    place, start = f"connector {connector.name}", f"'cta connect restart {connector.name}' starts it"
    assert examined(with_connect, 1)[place] == [("problem", f"{place} STOPPED, no tasks", start)]
    assert run(with_connect, *start.split("'")[1].split()[1:]).returncode == 0
    ((level, what, _),) = examined(with_connect)[place]
    assert (level, what.partition(",")[0]) == ("ok", "RUNNING")


def test_a_service_that_is_given_and_not_there_is_exit_code_3(settings: Settings) -> None:
    """One that is at its default address and isn't there is one that isn't used."""
    url = f"http://127.0.0.1:{free_port()}"
    found = examined(settings, 3, CTA_REST_PROXY_URL=url)
    assert found[f"REST Proxy at {url}"] == [
        ("unreachable", "it cannot be reached", "start it ('cta stack up') or check CTA_REST_PROXY_URL")
    ]


def test_no_password_is_shown(settings: Settings) -> None:
    """Neither in the settings nor in what is found."""
    secret = "postgresql://somebody:s3cret@127.0.0.1:1/cta"
    shown = cta("doctor", "--json", **environment(settings, CTA_POSTGRES_DSN=secret))
    assert "s3cret" not in shown.stdout + shown.stderr
    assert "postgresql://somebody:***@127.0.0.1:1/cta" in shown.stdout
    assert "s3cret" not in run(settings, "doctor").stdout
