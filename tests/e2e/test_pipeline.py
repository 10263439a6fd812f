"""The whole way: Postgres, Connect, Faust, a run in Kafka; what stands in the tables is what the pure pipeline makes."""

from __future__ import annotations

import json
from pathlib import Path

import requests

from cta.broker.kafka import KafkaBroker
from cta.commands.tables import last_values
from cta.model.settings import Settings
from cta.model.topics import TURNSTILE, TURNSTILE_SUMMARY
from cta.network.load import chicago
from cta.stack.connect import Connector
from tests.cli.running import write_scenario
from tests.conftest import ROOT
from tests.e2e.pipeline import DEBEZIUM, ROWS, Worker, done, eventually, run, served

STATION_ROWS = len({(row["station_id"], line) for row in ROWS for line in chicago().lines if row[line]})


def test_a_run_goes_the_whole_way_and_verify_says_so(
    connector: Connector, kafka: KafkaBroker, with_connect: Settings, tmp_path: Path
) -> None:
    """Topics, connector, worker, run, each by its command: records, both tables, all the same, with 3 partitions.

    Then a platform is renamed, the page shows it, and verify the row. Then a second run is refused while the worker runs,
    and starts clean once it is stopped: the worker that comes back fills both tables anew.
    """
    settings = with_connect
    morning = write_scenario(tmp_path / "morning.json", lines=["blue"], duration="PT20M")
    summary = settings.namespace + TURNSTILE_SUMMARY.name
    done(settings, "replay", morning, "--to", "kafka", "--partitions", "3")
    empty = run(settings, "verify", morning, "--tables")
    assert empty.returncode == 1
    assert "different: stations_table, turnstile_summary; the records are the same\n" in empty.stdout
    applied = run(settings, "connect", "apply", ROOT / DEBEZIUM)
    assert applied.stdout.endswith("RUNNING; it has read rows\n"), applied.stderr
    with Worker(settings, tmp_path / "worker.log", "--summary") as worker:
        verified = done(settings, "verify", morning, "--tables", "--wait", "180")
        assert verified["tables"] == {
            "stations_table": {"rows": STATION_ROWS, "same": True, "differences": []},
            "turnstile_summary": {"rows": len(last_values(kafka, summary)), "same": True, "differences": []},
        }

        (change,) = done(settings, "stations", "set", "30001", "station_name=Renamed")
        assert change["now"]["station_name"] == "Renamed"
        with served(settings) as url:
            eventually(lambda: '"Renamed"' in requests.get(f"{url}api/board", timeout=10).text, True)
        differs = run(settings, "verify", morning)
        assert differs.returncode == 1
        assert "different: stations_table; the records are the same\n" in differs.stdout
        assert done(settings, "stations", "load")["updated"] == 1

        refused = run(settings, "replay", morning, "--to", "kafka", "--fresh", "--seed", "8")
        assert refused.returncode == 2
        group = f"{settings.namespace}cta-stations-and-summary"
        assert f"workers are running: {group} (1); nothing was removed; stop 'cta stream' first" in refused.stderr
        assert worker.stop() == 0

    other = run(settings, "replay", morning, "--to", "kafka", "--fresh", "--seed", "8")
    assert other.returncode == 0, other.stderr
    assert connector.name not in other.stderr
    assert f"removing consumer group {group}, with its offsets\n" in other.stderr
    assert f"removing topic {group}-turnstile_summary-changelog, " in other.stderr
    with Worker(settings, tmp_path / "second.log", "--summary") as worker:
        assert done(settings, "verify", morning, "--seed", "8", "--tables", "--wait", "180")["same"]
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
            verified = done(settings, "verify", rush_hour, *moment, *page, "--wait", "120")
            assert (verified["same"], verified["page"]["same"]) == (True, True)
        other = run(settings, "verify", rush_hour, *page, "--seed", "8", "--json")
        assert other.returncode == 1
        assert json.loads(other.stdout)["page"]["difference"].startswith("$.lines[")


def test_what_a_worker_has_not_read_is_told(kafka: KafkaBroker, settings: Settings, tmp_path: Path) -> None:
    """A worker that stopped in the middle: its group's lag is the entries that were sent since."""
    small, into = write_scenario(tmp_path / "small.json"), ("--to", "kafka", "--partitions", "2")
    before = done(settings, "replay", small, *into, "--until", "07:05")["records"][TURNSTILE.name]
    with Worker(settings, tmp_path / "worker.log", "--summary") as worker:
        eventually(lambda: entries_counted(kafka, settings), before)
        assert worker.stop() == 0
    resumed = done(settings, "replay", small, *into, "--resume")
    group = f"{settings.namespace}cta-stations-and-summary"
    assert resumed["kafka"]["lag"]["unread_records"] == {group: resumed["records"][TURNSTILE.name] - before}


def entries_counted(kafka: KafkaBroker, settings: Settings) -> int:
    """The sum of the summary's counts."""
    counts = last_values(kafka, settings.namespace + TURNSTILE_SUMMARY.name).values()
    return sum(json.loads(count)["COUNT"] for count in counts)
