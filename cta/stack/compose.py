"""The stack's containers, by ``docker compose``: started, ended, looked at.

What compose says while it works is told line by line as it comes, without passwords; where it fails, its last words are
the error's.
"""

from __future__ import annotations

import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from cta.model.errors import CtaError, InputError, ServiceError
from cta.model.settings import HIDDEN, without_secrets

REMEDY: Final = (
    "install Docker with its compose plugin and start its engine; docs/stack.md says how without an image registry"
)
IMAGES: Final = "check that its registry can be reached; compose/offline makes images where none can be (docs/stack.md)"
TAKEN: Final = "another program has that port: move ours by its CTA_..._PORT (docs/stack.md), or end the other"
NAMES: Final = "docs/stack.md lists the services and their variables"
REMEDIES: Final = {
    "Cannot connect": REMEDY,
    "unknown": REMEDY,
    "port is already allocated": TAKEN,
    "address already in use": TAKEN,
    "No such image": IMAGES,
}
"""By what compose or the engine says. Of anything else the containers' logs say more."""
MISTAKES: Final = {
    "no such service": NAMES,
    "invalid hostPort": NAMES,
    "invalid project name": "choose another with --project",
}
"""What is wrong with what the user said, likewise."""
STAGES: Final = ("Pulling", "Network", "Container")
"""What compose works on, as its lines have it: nothing is made before all images are there, and nothing has logs."""
PASSWORD: Final = "CTA_POSTGRES_PASSWORD"


@dataclass(frozen=True)
class Container:
    """A service's container. ``health``: healthy, starting, unhealthy, or empty where nobody asks."""

    service: str
    state: str
    health: str
    ports: tuple[str, ...]
    """On this machine: ``127.0.0.1:9092``."""

    @property
    def good(self) -> bool:
        return self.state == "running" and self.health in ("healthy", "")


class Compose:
    """A compose file's project.

    Errors: InputError for no such file, service, project or port; ServiceError where docker cannot do it.
    """

    def __init__(self, file: Path, environment: Mapping[str, str], project: str | None = None) -> None:
        if not file.is_file():
            remedy = "run it in a checkout of cta, or name the file with --file"
            raise InputError("no such file", where=str(file), remedy=remedy)
        named = [] if project is None else ["--project-name", project]
        self._command = ["docker", "compose", *named, "--file", str(file)]
        self._environment = dict(environment)

    def up(self, services: tuple[str, ...], say: Callable[[str], None]) -> None:
        """Start services, all of the profile by default; they are ready when this returns."""
        self._told(["up", "--wait", *services], say)

    def down(self, *, volumes: bool, say: Callable[[str], None]) -> None:
        """End and remove all of them; with ``volumes`` what they hold, too."""
        self._told(["down", *(["--volumes"] if volumes else [])], say)

    def containers(self) -> list[Container]:
        """What there is, sorted by service."""
        ended = self._run("ps", "--all", "--format", "json")
        if ended.returncode:
            raise self._failed("ps", ended.stderr)
        return sorted(map(_container, _documents(ended.stdout)), key=lambda container: container.service)

    def logs(self, services: tuple[str, ...], *, tail: int) -> Iterator[str]:
        """The last lines of each service, without passwords."""
        ended = self._run("logs", "--no-color", "--tail", str(tail), *services)
        if ended.returncode:
            raise self._failed("logs", ended.stderr)
        yield from map(self._clear, ended.stdout.splitlines())

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [*self._command, *arguments], env=self._environment, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise _no_docker(error) from None

    def _told(self, arguments: list[str], say: Callable[[str], None]) -> None:
        """Run a command, and tell what it says as it comes, so that a wait is seen to be one."""
        last: deque[str] = deque(maxlen=3)
        stage = ""
        try:
            running = subprocess.Popen(
                [*self._command, "--progress", "plain", *arguments],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        except OSError as error:
            raise _no_docker(error) from None
        with running:
            assert running.stdout is not None
            for line in running.stdout:
                last.append(self._clear(line.rstrip()))
                say(last[-1])
                stage = next((word for word in STAGES if word in line), stage)
        if running.returncode:
            raise self._failed(arguments[0], last[-1] if last else "", IMAGES if stage == "Pulling" else None)

    def _failed(self, what: str, said: str, remedy: str | None = None) -> CtaError:
        line = self._clear(said.strip().splitlines()[-1] if said.strip() else "it said nothing")
        failed, where = f"{what} failed: {line}", "docker compose"
        for words, correction in MISTAKES.items():
            if words in line:
                return InputError(failed, where=where, remedy=correction)
        known = (remedy for words, remedy in REMEDIES.items() if words in line)
        return ServiceError(failed, where=where, remedy=remedy or next(known, "see 'cta stack logs'"))

    def _clear(self, line: str) -> str:
        password = self._environment.get(PASSWORD)
        return without_secrets(line.replace(password, HIDDEN) if password else line)


def _no_docker(error: OSError) -> ServiceError:
    return ServiceError(f"cannot be run: {error.strerror}", where="docker", remedy=REMEDY)


def _documents(text: str) -> list[dict[str, Any]]:
    """A container a line, as compose 2.21 and later print them, or all as one list, as those before did."""
    found: list[Any] = [msgspec.json.decode(line) for line in text.splitlines() if line.strip()]
    return [each for part in found for each in (part if isinstance(part, list) else [part])]


def _container(document: Mapping[str, Any]) -> Container:
    ports = {
        f"{port['URL']}:{port['PublishedPort']}" for port in document.get("Publishers") or () if port["PublishedPort"]
    }
    return Container(document["Service"], document["State"], document.get("Health", ""), tuple(sorted(ports)))
