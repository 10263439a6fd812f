"""What the services are given: Postgres its rows, Connect its connectors, ksqlDB its statements."""

import json
import re
from typing import Any

import pytest

from cta.model.topics import STATIONS, TURNSTILE, TURNSTILE_SUMMARY
from cta.network.load import chicago
from cta.stack.stations_table import KEY, TABLE, script
from tests.compose.test_docker_compose import COMPOSE, SERVICES

CONNECTORS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((COMPOSE / "connectors").glob("*.json"))
}
CONVERTER = "org.apache.kafka.connect.json.JsonConverter"

every_connector = pytest.mark.parametrize("name", CONNECTORS)


def test_postgres_starts_with_the_rows_that_cta_loads() -> None:
    """compose/postgres/stations.sql is what compose/postgres/generate writes; run it where this fails."""
    assert (COMPOSE / "postgres" / "stations.sql").read_text("utf-8") == script(chicago())


def test_the_connectors_are_debeziums_and_the_originals() -> None:
    assert {name: connector["connector.class"] for name, connector in CONNECTORS.items()} == {
        "stations-debezium": "io.debezium.connector.postgresql.PostgresConnector",
        "stations-jdbc": "io.confluent.connect.jdbc.JdbcSourceConnector",
    }


@every_connector
def test_a_connector_writes_plain_json(name: str) -> None:
    """Rows, not rows within their schema."""
    connector = CONNECTORS[name]
    converters = {
        side: (connector[f"{side}.converter"], connector[f"{side}.converter.schemas.enable"])
        for side in ("key", "value")
    }
    assert converters == {"key": (CONVERTER, "false"), "value": (CONVERTER, "false")}


@every_connector
def test_a_connector_names_its_secrets_and_the_worker_has_them(name: str) -> None:
    """A worker shows configurations to everybody, so user and password are names that it resolves itself."""
    worker = SERVICES["connect"]["environment"]
    allowed = worker["CONNECT_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN"]
    connector = CONNECTORS[name]
    secrets = [value for field, value in connector.items() if field.endswith((".user", ".password"))]
    assert secrets == ["${env:POSTGRES_USER}", "${env:POSTGRES_PASSWORD}"]
    for variable in re.findall(r"\$\{env:(\w+)\}", json.dumps(connector)):
        assert re.fullmatch(allowed, variable)
        assert worker[variable] == SERVICES["postgres"]["environment"][variable]


def test_debezium_writes_to_the_stations_topic() -> None:
    """Its own name for the table's topic, routed."""
    connector = CONNECTORS["stations-debezium"]
    own_name = f"{connector['topic.prefix']}.{connector['table.include.list']}"
    replacement = connector["transforms.route.replacement"].replace("$", "\\")
    assert re.sub(connector["transforms.route.regex"], replacement, own_name) == STATIONS.name
    assert "wal_level=logical" in SERVICES["postgres"]["command"]


def test_the_jdbc_source_writes_to_the_stations_topic() -> None:
    """Incrementing on the table's key, which is made the record's key: without that it would be null."""
    connector = CONNECTORS["stations-jdbc"]
    assert connector["topic.prefix"] + connector["table.whitelist"] == STATIONS.name
    assert (connector["mode"], connector["incrementing.column.name"]) == ("incrementing", KEY)
    assert (connector["table.whitelist"], connector["transforms.key.fields"]) == (TABLE, KEY)


def test_ksqldb_counts_the_turnstile_topic_into_the_summary() -> None:
    """A statement a file, from and to the contract's topics."""
    statements = {path.stem: path.read_text("utf-8") for path in (COMPOSE / "ksql").glob("*.sql")}
    topics = {name: re.findall(r"KAFKA_TOPIC = '([^']+)'", text) for name, text in statements.items()}
    assert topics == {"turnstile": [TURNSTILE.name], "turnstile_summary": [TURNSTILE_SUMMARY.name]}
    assert {name: text.count(";") for name, text in statements.items()} == dict.fromkeys(statements, 1)
