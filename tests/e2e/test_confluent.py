"""ksqlDB and the REST Proxy from their official images, for which there are no twins: skipped where these can't be had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cta.broker.kafka import KafkaBroker
from cta.model import schemas
from cta.model.records import Weather, WeatherKey
from cta.model.settings import Settings
from cta.model.topics import TURNSTILE, WEATHER
from cta.stack.rest_proxy import AvroRecord, RestProxy, Sent
from tests.cli.running import cta
from tests.conftest import ROOT
from tests.e2e.pipeline import done, environment, eventually, run
from tests.e2e.services import Services

NOON_MS = 1_778_695_200_000
SUMMARY = "turnstile_summary"


@pytest.fixture
def ksqldb(services: Services, settings: Settings) -> Iterator[dict[str, str]]:
    """The variables of a server; what the test made in it is dropped afterwards."""
    variables = {"CTA_KSQLDB_URL": services.ksqldb_url}
    yield variables
    cta("ksql", "drop", "--folder", ROOT / "compose/ksql", **environment(settings, **variables))


def test_ksqldb_counts_what_the_pipeline_counts_and_fresh_removes_its_query(
    ksqldb: dict[str, str], kafka: KafkaBroker, settings: Settings, scenarios: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, made again (nothing happens), verified, and gone with the run that it counted."""
    monkeypatch.setenv("CTA_KSQLDB_URL", ksqldb["CTA_KSQLDB_URL"])
    rush_hour = scenarios / "rush_hour.json"
    replayed = done(settings, "replay", rush_hour, "--to", "kafka")
    for news in ("made", "was there"):
        applied = cta("ksql", "apply", "--folder", ROOT / "compose/ksql", **environment(settings))
        assert applied.returncode == 0, applied.stderr
        assert applied.stdout.count(news) == 2
    eventually(lambda: json.loads(run(settings, "verify", rush_hour, "--json").stdout)["tables"][SUMMARY]["same"], True)
    fresh = cta("replay", rush_hour, "--to", "kafka", "--fresh", **environment(settings))
    assert "removing table " in fresh.stderr
    assert f"{replayed['records'][TURNSTILE.name]:,}" in fresh.stderr


def test_weather_sent_through_the_rest_proxy_is_weather(
    services: Services, kafka: KafkaBroker, settings: Settings
) -> None:
    """Avro by schema, then by id; read back at the time that its key bears."""
    name = settings.namespace + WEATHER.name
    kafka.create_topic(name, 1)
    proxy = RestProxy(services.rest_proxy_url)
    for n in range(2):
        record = AvroRecord(0, {"timestamp": NOON_MS + n}, {"temperature": 54.5, "status": "sunny"})
        assert proxy.send(name, [record], schemas.load(WEATHER)) == Sent((n,), 0)
    batch, _ = kafka.read(name, 0, 0, 10)
    assert [(time_ms, content.key, content.value) for time_ms, content in batch] == [
        (NOON_MS + n, WeatherKey(NOON_MS + n), Weather(54.5, "sunny")) for n in range(2)
    ]
