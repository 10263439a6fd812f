"""``cta stack``: the containers of a project, looked at and read."""

from __future__ import annotations

import subprocess

import pytest

from cta.stack.postgres import Postgres
from tests.cli.running import CTA, cta
from tests.conftest import ROOT
from tests.e2e.pipeline import ROWS
from tests.e2e.services import Services, free_port

FILE = ROOT / "compose" / "docker-compose.yml"


def test_status_says_what_is_ready_and_where(services: Services) -> None:
    """A line a service that was started; exit code 1 once one of them is stopped, 0 when it is back."""
    services.ours("kafka")
    address = services.bootstrap_servers
    project = ("--file", FILE, "-p", services.project)
    ready = cta("stack", "status", *project)
    assert f"kafka            running, healthy     {address}\n" in ready.stdout
    assert ready.returncode == 0
    services.stop("kafka")
    try:
        stopped = cta("stack", "status", *project)
        assert stopped.returncode == 1
        assert "kafka            exited" in stopped.stdout
    finally:
        services.start("kafka")


def test_what_up_prints_makes_commands_use_what_it_started(services: Services) -> None:
    """On ports that were moved, the database too; its password is left to the shell to put in."""
    services.ours("postgres")
    assert services.postgres_dsn
    made = cta("stack", "up", "postgres", "--file", FILE, "-p", services.project, **services.variables)
    assert "password='${CTA_POSTGRES_PASSWORD:-chicago}'" in made.stdout
    shell = f"{made.stdout}\n'{CTA}' stations load --json"
    loaded = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert Postgres(services.postgres_dsn).rows() == ROWS


def test_logs_are_the_services_own_last_lines(services: Services) -> None:
    services.ours("kafka")
    assert services.bootstrap_servers
    logs = cta("stack", "logs", "kafka", "--tail", "2", "--file", FILE, "-p", services.project)
    assert (logs.returncode, logs.stderr) == (0, "")
    assert [line.startswith("kafka-1") for line in logs.stdout.splitlines()] == [True, True]


def test_a_project_without_containers_is_not_ready(services: Services) -> None:
    services.ours("kafka")
    ended = cta("stack", "status", "--file", FILE, "-p", f"{services.project}-nobody")
    assert (ended.returncode, ended.stdout) == (1, "nothing runs: 'cta stack up' starts it\n")


def test_an_image_that_cannot_be_had_is_said_to_be(services: Services) -> None:
    """The engine's own words; tests/stack has those of other engines and registries."""
    services.ours("kafka")
    project = f"{services.project}-nobody"
    nowhere = {"CTA_KAFKA_IMAGE": f"127.0.0.1:{free_port()}/none:1", "CTA_PULL_POLICY": "always"}
    ended = cta("stack", "up", "kafka", "--file", FILE, "-p", project, **nowhere)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.splitlines()[-1].endswith(
        "check that its registry can be reached; compose/offline makes images where none can be (docs/stack.md)"
    )


@pytest.mark.parametrize(("strict", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_what_cannot_be_had_is_skipped_or_under_strict_a_failure(
    monkeypatch: pytest.MonkeyPatch, strict: str, outcome: type[BaseException]
) -> None:
    """A service without an image, and one that isn't ours to stop: each with its reason."""
    monkeypatch.setenv("CTA_E2E_STRICT", strict)
    elsewhere = Services({"COMPOSE_PROFILES": "", "CTA_BOOTSTRAP_SERVERS": "somewhere:9092"})
    with pytest.raises(outcome, match="ksqldb has no image that can be had here"):
        _ = elsewhere.ksqldb_url
    with pytest.raises(outcome, match="kafka is given by CTA_BOOTSTRAP_SERVERS and not ours to stop"):
        elsewhere.ours("kafka")
