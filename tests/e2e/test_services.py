"""``cta replay --to kafka --via services``: weather by the REST Proxy, stations by Postgres and Connect, the same run.

The REST Proxy is a stand-in (tests/e2e/stand_in.py), and the real one where there is one: CTA_REST_PROXY_URL, or an image.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import requests

from cta.broker.kafka import KafkaBroker
from cta.model.settings import Settings
from cta.model.topics import STATIONS, WEATHER
from cta.stack.connect import Connect, Connector
from cta.stack.postgres import Postgres
from tests.cli.running import cta, write_scenario
from tests.e2e.pipeline import BY_STOP, ROWS, done, environment, run, stations_in
from tests.e2e.services import Services, free_port
from tests.e2e.stand_in import StandIn
from tests.stack.replay import exchanges

BY_SERVICES = ("--to", "kafka", "--via", "services")
RECORDED = exchanges("rest-proxy-confluent-7.4.15.txt")


@pytest.fixture(params=["a stand-in", "the real proxy"])
def by_either(request: pytest.FixtureRequest, services: Services, with_connect: Settings) -> Settings:
    if request.param == "the real proxy":
        return replace(with_connect, rest_proxy_url=services.rest_proxy_url)
    by_stand_in: Settings = request.getfixturevalue("by_stand_in")
    return by_stand_in


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Two hours of the Yellow Line, and so two readings of the weather."""
    return write_scenario(tmp_path / "small.json", duration="PT2H")


def test_a_run_by_its_services_is_the_same_run(
    by_either: Settings, connector: Connector, kafka: KafkaBroker, scenarios: Path, small: Path, postgres: Postgres
) -> None:
    """From a table that isn't there: the run's digest, every station's row as Postgres has it, and nothing twice.

    Another run with --fresh: the connector reads everything anew, what was there is gone, and so is what it held in
    Postgres.
    """
    settings, rush_hour = by_either, scenarios / "rush_hour.json"
    into = (*BY_SERVICES, "--partitions", "3")
    postgres.drop()
    first = run(settings, "replay", rush_hour, *into, "--json")
    assert first.returncode == 0, first.stderr
    told = f"stations: 302 rows in Postgres (302 changed) and, by {connector.name}, in Kafka\n"
    assert first.stderr == told
    outcome = json.loads(first.stdout)
    assert outcome["kafka"]["via"] == "services"
    assert outcome["kafka"]["repeated"] == {"weather": 0, "stations": 0}
    verified = done(settings, "verify", rush_hour)
    assert (verified["same"], verified["records"]["b"]["digest"]) == (True, outcome["digest"])
    assert stations_in(kafka, settings) == BY_STOP
    assert postgres.rows() == ROWS

    publication = made_at(settings, connector)
    fresh = run(settings, "replay", small, *into, "--fresh")
    assert fresh.returncode == 0, fresh.stderr
    gone = [line for line in fresh.stderr.splitlines() if line.startswith("removing ")]
    assert gone[0] == f"removing what connector {connector.name} has read, and its slot in Postgres"
    assert f"removing topic {settings.namespace}{STATIONS.name}, 302 records" in gone
    assert "repeated      none\n" in fresh.stdout
    assert done(settings, "verify", small)["same"]
    assert records_in(kafka, settings, STATIONS.name) == len(ROWS)
    assert made_at(settings, connector) != publication


def test_weather_alone_goes_by_the_proxy(
    by_stand_in: Settings, connector: Connector, kafka: KafkaBroker, proxy: StandIn, small: Path
) -> None:
    """Each reading in the partition that is its own; a second run is refused before anything is sent; paced, too."""
    into = ("replay", small, *BY_SERVICES, "--partitions", "3", "--speed", "7200")
    records = done(by_stand_in, *into)["records"]
    assert proxy.written == {by_stand_in.namespace + WEATHER.name: records[WEATHER.name]}
    refused = run(by_stand_in, *into)
    assert refused.returncode == 2
    assert "topics hold records already: " in refused.stderr
    assert proxy.written == {by_stand_in.namespace + WEATHER.name: records[WEATHER.name]}


def test_what_had_no_answer_is_sent_again_and_told(
    with_connect: Settings, connector: Connector, kafka: KafkaBroker, small: Path
) -> None:
    """A proxy that writes and dies before it answers: a reading is there twice, replay says so, and verify finds it."""
    with StandIn(with_connect, lost=1) as proxy:
        settings = replace(with_connect, rest_proxy_url=proxy.url)
        ended = run(settings, "replay", small, *BY_SERVICES)
    assert ended.returncode == 0, ended.stderr
    assert "repeated      1 of weather may be there more than once\n" in ended.stdout
    found = run(settings, "verify", small, "--json")
    assert found.returncode == 1
    assert json.loads(found.stdout)["records"]["topics"][WEATHER.name]["extra"] == 1


def test_a_run_that_ended_early_is_gone_on_with_by_the_broker(
    by_stand_in: Settings, connector: Connector, kafka: KafkaBroker, small: Path
) -> None:
    """What the proxy wrote is as much the run's beginning as what the producer did."""
    done(by_stand_in, "replay", small, *BY_SERVICES, "--until", "08:10")
    done(by_stand_in, "replay", small, "--to", "kafka", "--resume")
    assert done(by_stand_in, "verify", small)["same"]


def test_a_connector_runs_again_where_a_fresh_start_fails(
    by_stand_in: Settings, connector: Connector, worker: Connect, kafka: KafkaBroker, small: Path
) -> None:
    """Stopped while what it has read is removed: where its slot may not be, it goes on, and that is said."""
    done(by_stand_in, "replay", small, *BY_SERVICES)
    with reader_only(by_stand_in) as settings:
        ended = run(settings, "replay", small, *BY_SERVICES, "--fresh")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "permission denied" in ended.stderr.splitlines()[-1]
    assert ended.stderr.splitlines()[-2] == f"connector {connector.name} is resumed"
    assert worker.wait_running(connector.name).running
    assert done(by_stand_in, "verify", small)["same"]


@pytest.mark.parametrize("service", ["rest_proxy_url", "connect_url", "postgres_dsn"])
def test_a_service_that_is_not_there_is_named_before_anything_is_sent(
    by_stand_in: Settings, kafka: KafkaBroker, proxy: StandIn, small: Path, service: str
) -> None:
    """Exit code 3, one line: which, where, what to do. --fresh lists nothing, and no topic was made."""
    port = free_port()
    scheme, path = ("postgresql", "/cta") if service == "postgres_dsn" else ("http", "")
    away = {f"CTA_{service.upper()}": f"{scheme}://127.0.0.1:{port}{path}"}
    ended = cta("replay", small, *BY_SERVICES, "--fresh", **{**environment(by_stand_in), **away})
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (3, "", 1)
    name = {"rest_proxy_url": "REST Proxy", "connect_url": "Connect", "postgres_dsn": "Postgres"}[service]
    assert ended.stderr.startswith(f"error: {name} at ")
    assert f"127.0.0.1:{port}" in ended.stderr
    assert ended.stderr.endswith(f"start it ('cta stack up') or check CTA_{service.upper()}\n")
    assert [name for name in kafka.topics() if name.startswith(by_stand_in.namespace)] == []


@pytest.mark.parametrize(
    "title",
    [
        "avro ok",
        "unknown topic avro",
        "bad schema (not parseable avro)",
        "no schema at all",
        "key without key_schema",
        "unknown schema id",
        "bad record (missing field)",
        "bad record (enum)",
        "mixed good+bad records",
        "wrong content type",
    ],
)
def test_the_stand_in_answers_as_the_real_one_was_recorded(settings: Settings, kafka: KafkaBroker, title: str) -> None:
    """The recorded request gets the recorded status, keys and codes; offsets, ids and messages are of the day."""
    asked = RECORDED[title].request
    topic = asked.path.removeprefix("/topics/")
    if not topic.startswith("no.such"):
        topic = settings.namespace + topic
        kafka.admin.create(topic, 1)
    body = {name: json.dumps(part) if name.endswith("_schema") else part for name, part in asked.body.items()}
    with StandIn(settings) as proxy:
        answer = requests.post(f"{proxy.url}/topics/{topic}", json=body, headers=asked.headers, timeout=30)
    assert (answer.status_code, codes(answer.json())) == (RECORDED[title].status, codes(recorded_answer(title)))


def recorded_answer(title: str) -> Any:
    return json.loads(RECORDED[title].answer)


def codes(answer: dict[str, Any]) -> tuple[list[str], Any]:
    """The answer's keys, and its code or its records' codes."""
    results = [(sorted(result), result["error_code"]) for result in answer.get("offsets", [])]
    return sorted(answer), answer.get("error_code", results)


@contextmanager
def reader_only(settings: Settings) -> Iterator[Settings]:
    """The settings of one who may log in to Postgres and look, and nothing else."""
    with closing(psycopg2.connect(settings.postgres_dsn)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("CREATE ROLE looker LOGIN PASSWORD 'looks'")
        try:
            yield replace(settings, postgres_dsn=settings.postgres_dsn.replace("cta_admin:chicago", "looker:looks"))
        finally:
            cursor.execute("DROP ROLE looker")


def made_at(settings: Settings, connector: Connector) -> int:
    """The number of the connector's publication: one that was dropped and made again has another."""
    with closing(psycopg2.connect(settings.postgres_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT oid FROM pg_publication WHERE pubname = %s", (connector.config["publication.name"],))
        ((number,),) = cursor.fetchall()
        return int(number)


def records_in(kafka: KafkaBroker, settings: Settings, topic: str) -> int:
    name = settings.namespace + topic
    return sum(kafka.end_offset(name, number) for number in range(kafka.partitions(name)))
