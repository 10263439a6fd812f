"""The whole way: Postgres, Connect, Faust, a run in Kafka; what stands in the tables is what the pure pipeline makes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from cta.broker.kafka import KafkaBroker
from cta.commands import connect as commands
from cta.model.errors import ServiceError
from cta.model.settings import Settings
from cta.model.topics import TURNSTILE_SUMMARY
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows
from cta.stack.connect import read
from cta.stack.namespace import identifier
from cta.stack.postgres import Postgres
from tests.cli.running import CTA, cta
from tests.conftest import ROOT
from tests.e2e.pipeline import DEBEZIUM, Worker, environment, eventually, last_values
from tests.e2e.services import Services
from tests.e2e.test_replay import done, run

ROWS = platform_rows(chicago())
STATION_ROWS = len({(row["station_id"], line) for row in ROWS for line in chicago().lines if row[line]})


@pytest.fixture
def postgres(services: Services, settings: Settings) -> Iterator[Postgres]:
    """The platforms, in a database whose log a connector of the test's namespace reads for as long as the test."""
    database = Postgres(services.postgres_dsn)
    database.load(ROWS)
    worker = commands.connect(replace(settings, connect_url=services.connect_url))
    connector = read(ROOT / DEBEZIUM, namespace=settings.namespace)
    yield database
    worker.delete(connector.name)
    eventually(lambda: _forgotten(database, settings.namespace), True)


def _forgotten(database: Postgres, namespace: str) -> bool:
    """Whether the slot could be removed: a connector lets go of it a moment after it was deleted."""
    try:
        database.forget_reader(f"{identifier(namespace)}cta_stations")
    except ServiceError:
        return False
    return True


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of a page that is fed from the test's namespace."""
    server = subprocess.Popen(
        [CTA, "serve", "--port", "0"], env=environment(settings), stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.communicate()


def test_a_run_goes_the_whole_way_and_verify_says_so(
    services: Services, postgres: Postgres, kafka: KafkaBroker, settings: Settings, scenarios: Path, tmp_path: Path
) -> None:
    """Topics, connector, worker, run, each by its command: records, both tables, all the same, with 3 partitions.

    Then a platform is renamed, the page shows it, and verify the row. Then a second run is refused while the worker runs,
    and starts clean once it is stopped: the worker that comes back fills both tables anew.
    """
    rush_hour = scenarios / "rush_hour.json"
    summary = settings.namespace + TURNSTILE_SUMMARY.name
    done(settings, "replay", rush_hour, "--to", "kafka", "--partitions", "3")
    empty = run(settings, "verify", rush_hour, "--tables")
    assert empty.returncode == 1
    assert "different: stations_table, turnstile_summary; the records are the same\n" in empty.stdout
    applied = cta("connect", "apply", ROOT / DEBEZIUM, **environment(settings, CTA_CONNECT_URL=services.connect_url))
    assert applied.stdout.endswith("RUNNING; it has read rows\n"), applied.stderr
    with Worker(settings, tmp_path / "worker.log", "--summary") as worker:
        verified = done(settings, "verify", rush_hour, "--tables", "--wait", "60")
        assert verified["tables"] == {
            "stations_table": {"rows": STATION_ROWS, "same": True, "differences": []},
            "turnstile_summary": {"rows": len(last_values(kafka, summary)), "same": True, "differences": []},
        }

        was = next(row for row in ROWS if row["stop_id"] == 30_001)
        postgres.change(30_001, {"station_name": "Renamed"})
        with served(settings) as url:
            eventually(lambda: '"Renamed"' in requests.get(f"{url}api/board", timeout=10).text, True)
        differs = run(settings, "verify", rush_hour)
        assert differs.returncode == 1
        assert "different: stations_table; the records are the same\n" in differs.stdout
        postgres.change(30_001, {"station_name": was["station_name"]})

        refused = run(settings, "replay", rush_hour, "--to", "kafka", "--fresh", "--seed", "8")
        assert refused.returncode == 2
        group = f"{settings.namespace}cta-stations-and-summary"
        assert f"workers are running: {group} (1); nothing was removed; stop 'cta stream' first" in refused.stderr
        assert worker.stop() == 0

    other = run(settings, "replay", rush_hour, "--to", "kafka", "--fresh", "--seed", "8")
    assert other.returncode == 0, other.stderr
    assert f"removing consumer group {group}, with its offsets\n" in other.stderr
    assert f"removing topic {group}-turnstile_summary-changelog, " in other.stderr
    with Worker(settings, tmp_path / "second.log", "--summary") as worker:
        assert done(settings, "verify", rush_hour, "--seed", "8", "--tables", "--wait", "60")["same"]
        assert worker.stop() == 0


def test_the_page_of_the_cluster_is_the_run_s_at_three_moments(
    kafka: KafkaBroker, settings: Settings, scenarios: Path
) -> None:
    """Replay to a moment, go on to the next, and to the end: each time the served board becomes the run's.

    Held against another run, the page differs, and the place in its JSON is shown.
    """
    rush_hour = scenarios / "rush_hour.json"
    with served(settings) as url:
        page = ("--board-url", url)
        moments: list[list[str]] = [["--until", "07:40"], ["--until", "08:20"], []]
        for moment in moments:
            done(settings, "replay", rush_hour, "--to", "kafka", "--partitions", "3", "--resume", *moment)
            verified = done(settings, "verify", rush_hour, *moment, *page, "--wait", "30")
            assert (verified["same"], verified["page"]["same"]) == (True, True)
        other = run(settings, "verify", rush_hour, *page, "--seed", "8", "--json")
        assert other.returncode == 1
        assert json.loads(other.stdout)["page"]["difference"].startswith("$.lines[")
