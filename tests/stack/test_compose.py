"""What docker compose prints, in its two forms, and what is made of it; a stand-in for docker says what it is told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cta.model.errors import CtaError, ServiceError
from cta.stack.compose import Compose, Container
from tests.cli.running import cta

KAFKA = {
    "Service": "kafka",
    "State": "running",
    "Health": "healthy",
    "Publishers": [
        {"URL": "127.0.0.1", "TargetPort": 9094, "PublishedPort": 9092},
        {"URL": "", "TargetPort": 9092, "PublishedPort": 0},
    ],
}
UI = {"Service": "ui", "State": "exited", "Publishers": None}
FOUND = [Container("kafka", "running", "healthy", ("127.0.0.1:9092",)), Container("ui", "exited", "", ())]


def compose(folder: Path, *, says: str, code: int = 0, to: str = "&1", **variables: str) -> Compose:
    """A project whose docker prints a text and ends with a code."""
    (folder / "compose.yml").write_text("services: {}\n")
    (folder / "says").write_text(says)
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\n/bin/cat {folder / 'says'} >{to}\nexit {code}\n")
    docker.chmod(0o755)
    return Compose(folder / "compose.yml", {"PATH": str(folder), **variables})


@pytest.mark.parametrize(
    "says",
    [f"{json.dumps(UI)}\n{json.dumps(KAFKA)}\n", json.dumps([UI, KAFKA])],
    ids=["a line a container", "one list"],
)
def test_containers_are_read_in_both_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """Since 2.21 a container a line, before that one list; ports that nobody published are none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    containers = compose(tmp_path, says=says).containers()
    assert containers == FOUND
    assert [container.good for container in containers] == [True, False]


def test_no_password_stands_in_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the database's own nor what stands in a URL or a DSN."""
    monkeypatch.setenv("PATH", str(tmp_path))
    said = "postgres-1 | set s3cret\nconnect-1 | postgresql://me:hidden@db/cta password=other\n"
    made = compose(tmp_path, says=said, CTA_POSTGRES_PASSWORD="s3cret")
    assert list(made.logs((), tail=10)) == [
        "postgres-1 | set ***",
        "connect-1 | postgresql://me:***@db/cta password=***",
    ]


def test_what_fails_is_told_line_by_line_and_its_last_words_are_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that doesn't answer has another remedy than a service that doesn't start."""
    monkeypatch.setenv("PATH", str(tmp_path))
    told: list[str] = []
    with pytest.raises(ServiceError) as caught:
        compose(tmp_path, says="Creating\ncontainer kafka-1 is unhealthy\n", code=1).up((), told.append)
    assert told == ["Creating", "container kafka-1 is unhealthy"]
    assert str(caught.value) == ("docker compose: up failed: container kafka-1 is unhealthy; see 'cta stack logs'")
    with pytest.raises(ServiceError, match="install Docker"):
        compose(tmp_path, says="Cannot connect to the Docker daemon\n", code=1, to="&2").containers()


UNREACHABLE = (
    'Error response from daemon: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host'
)


@pytest.mark.parametrize(
    "says",
    [
        f" kafka Pulling\n kafka Error\n{UNREACHABLE}\n",
        f" Image kafka:1 Pulling\n postgres Pulling\n postgres Pulled\n{UNREACHABLE}\n",
        " kafka Pulling\nError response from daemon: manifest for kafka:1 not found: manifest unknown\n",
    ],
)
def test_an_image_that_cannot_be_had_has_its_own_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    """There are no logs of a container that never was."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceError, match="; check that its registry can be reached; compose/offline makes images "):
        compose(tmp_path, says=says, code=1).up((), lambda line: None)


@pytest.mark.parametrize(
    ("said", "remedy", "code"),
    [
        ("Bind for 127.0.0.1:9092 failed: port is already allocated", "another program has that port: move ours", 3),
        ("listen tcp4 127.0.0.1:9092: bind: address already in use", "another program has that port: move ours", 3),
        ("Error response from daemon: No such image: cta-twin-kafka:1", "check that its registry can be reached", 3),
        ("no such service: kafak", "docs/stack.md lists the services and their variables", 2),
        ("invalid hostPort: abc", "docs/stack.md lists the services and their variables", 2),
        ('invalid project name "My Stack": must consist only of', "choose another with --project", 2),
    ],
)
def test_what_never_started_has_no_logs_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, remedy: str, code: int
) -> None:
    """Compose's own last line, what to do about it, and whose fault it is."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CtaError) as caught:
        compose(tmp_path, says=f" Container cta-kafka-1  Starting\n{said}\n", code=1).up((), lambda line: None)
    assert str(caught.value).startswith(f"docker compose: up failed: {said}; {remedy}")
    assert caught.value.exit_code == code


def test_what_fails_after_its_images_were_pulled_has_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    says = " kafka Pulling\n kafka Pulled\n Container cta-kafka-1 Started\ncontainer cta-kafka-1 is unhealthy\n"
    with pytest.raises(ServiceError, match="unhealthy; see 'cta stack logs'"):
        compose(tmp_path, says=says, code=1).up((), lambda line: None)


def test_logs_of_nothing_say_so(tmp_path: Path) -> None:
    """Whoever was sent there is told where to look."""
    compose(tmp_path, says="")
    told = cta("stack", "logs", "--file", tmp_path / "compose.yml", PATH=str(tmp_path))
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "no logs: 'cta stack status' says what runs\n")
