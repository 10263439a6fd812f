"""A service that is stopped: each command that needs it says which, where and what to do, and works when it is back.

Kafka's own outage, under a run, is in test_replay.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from cta.model.settings import Settings
from cta.stack.connect import Connector
from tests.cli.running import write_scenario
from tests.conftest import ROOT
from tests.e2e.pipeline import DEBEZIUM, done, run, side_by_side
from tests.e2e.services import Services


@dataclass(frozen=True)
class Outage:
    """How commands call a service, and those that can't do without it."""

    name: str
    setting: str
    commands: tuple[str, ...]


OUTAGES = {
    "schema-registry": Outage(
        "the schema registry",
        "schema_registry_url",
        ("replay SMALL --to kafka --fresh", "verify SMALL", "capture --force -o OUT", "doctor"),
    ),
    "connect": Outage(
        "Connect",
        "connect_url",
        (
            "replay SMALL --to kafka --via services --fresh",
            f"connect apply {ROOT / DEBEZIUM}",
            "connect status",
            "connect restart NAME",
            "connect delete NAME --forget",
            "doctor",
        ),
    ),
    "postgres": Outage(
        "Postgres",
        "postgres_dsn",
        (
            "replay SMALL --to kafka --via services --fresh",
            "stations load",
            "stations show",
            "stations set 30001 station_name=Renamed",
            "doctor",
        ),
    ),
}


@pytest.mark.parametrize("service", OUTAGES)
def test_commands_without_a_service_say_so_and_work_when_it_is_back(
    services: Services, by_stand_in: Settings, connector: Connector, tmp_path: Path, service: str
) -> None:
    """Exit code 3, one line: which, where, the remedy. What is in Kafka is not touched meanwhile."""
    services.ours(service)
    outage, small = OUTAGES[service], write_scenario(tmp_path / "small.json")
    places = {"SMALL": str(small), "OUT": str(tmp_path / "out.jsonl"), "NAME": connector.name}
    commands = [[places.get(word, word) for word in command.split()] for command in outage.commands]
    done(by_stand_in, "replay", small, "--to", "kafka")

    services.stop(service)
    try:
        ended = side_by_side(by_stand_in, commands)
    finally:
        services.start(service)
    where = getattr(by_stand_in, outage.setting).rpartition("@")[2]
    for command, (code, told) in zip(commands, ended, strict=True):
        assert (command, code) == (command, 3)
        assert f"{outage.name} at " in told
        assert where in told
        assert "it cannot be reached" in told
        assert f"start it ('cta stack up') or check CTA_{outage.setting.upper()}" in told
    assert done(by_stand_in, "verify", small)["same"]

    for command in commands:
        again = run(by_stand_in, *command)
        assert (command, again.returncode) == (command, 0), again.stdout + again.stderr
