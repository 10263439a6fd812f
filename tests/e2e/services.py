"""The services that the end-to-end tests use: each started when it is first asked for, unless it is given.

A service whose CTA_* variable is set is used as it is. The others come from compose/docker-compose.yml, under a project
name and ports of their own, by testcontainers; CTA_*_IMAGE name other images, as anywhere.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from uuid import uuid4

import pytest
from testcontainers.compose import DockerCompose

from cta.model.settings import Settings
from tests.conftest import ROOT

SHOWN_LINES: Final = 15
CONFLUENT: Final = frozenset({"ksqldb", "rest-proxy"})
"""Services of the profile ``confluent``: there are no twins of them."""


def free_port() -> int:
    """A port that nothing listens on now."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Services:
    """Services by what is used of them. Those not given are containers of one compose project, ended by `down`.

    Or when this process is gone, whatever ended it: a process of its own waits for that.

    ``overlay``: a compose file over the project's own, for services that are to be otherwise.
    """

    def __init__(self, environment: Mapping[str, str], overlay: Path | None = None) -> None:
        self._environment = environment
        self._files = ["docker-compose.yml", *([] if overlay is None else [str(overlay)])]
        self._ports = {
            name: free_port()
            for name in ("KAFKA", "SCHEMA_REGISTRY", "CONNECT", "POSTGRES", "KSQLDB", "REST_PROXY", "UI")
        }
        self._started: set[str] = set()
        self._end: subprocess.Popen[bytes] | None = None
        self.project = f"cta-e2e-{uuid4().hex[:8]}"

    @property
    def bootstrap_servers(self) -> str:
        return self._given("CTA_BOOTSTRAP_SERVERS") or self._up("kafka", f"127.0.0.1:{self._ports['KAFKA']}")

    @property
    def schema_registry_url(self) -> str:
        url = f"http://127.0.0.1:{self._ports['SCHEMA_REGISTRY']}/apis/ccompat/v7"
        return self._given("CTA_SCHEMA_REGISTRY_URL") or self._up("schema-registry", url)

    @property
    def connect_url(self) -> str:
        return self._given("CTA_CONNECT_URL") or self._up("connect", f"http://127.0.0.1:{self._ports['CONNECT']}")

    @property
    def postgres_dsn(self) -> str:
        dsn = f"postgresql://cta_admin:chicago@127.0.0.1:{self._ports['POSTGRES']}/cta"
        return self._given("CTA_POSTGRES_DSN") or self._up("postgres", dsn)

    @property
    def ksqldb_url(self) -> str:
        return self._given("CTA_KSQLDB_URL") or self._up("ksqldb", f"http://127.0.0.1:{self._ports['KSQLDB']}")

    @property
    def rest_proxy_url(self) -> str:
        url = f"http://127.0.0.1:{self._ports['REST_PROXY']}"
        return self._given("CTA_REST_PROXY_URL") or self._up("rest-proxy", url)

    def settings(self, *, namespace: str = "") -> Settings:
        """Settings for Kafka and the registry, both running."""
        return Settings.of(
            self._environment,
            bootstrap_servers=self.bootstrap_servers,
            schema_registry_url=self.schema_registry_url,
            namespace=namespace,
        )

    def ours(self, service: str) -> None:
        """Skip a test that stops a service which is not ours to stop."""
        variable = {"kafka": "CTA_BOOTSTRAP_SERVERS", "postgres": "CTA_POSTGRES_DSN"}.get(
            service, f"CTA_{service.upper().replace('-', '_')}_URL"
        )
        if self._given(variable):
            skip(f"{service} is given by {variable} and not ours to stop")

    def kill(self, service: str) -> None:
        """End a service at once, as a crash would."""
        self._compose("kill", service)

    def stop(self, service: str) -> None:
        self._compose("stop", service)

    def start(self, service: str) -> None:
        """Start a stopped service again; it is ready afterwards."""
        self._compose("up", "--wait", "--no-deps", service)

    def logs(self) -> str:
        """The last lines of each container."""
        return self._compose("logs", "--tail", str(SHOWN_LINES), "--no-color") if self._end else ""

    def down(self) -> None:
        """Remove every container, network and volume of the project, and see that they are gone."""
        if self._end is None:
            return
        self._end.communicate()
        with self._said:
            self._said.seek(0)
            assert self._end.returncode == 0, f"down: {self._said.read().decode()}"
        self._started.clear()
        self._end = None
        mine = f"label=com.docker.compose.project={self.project}"
        left = subprocess.run(["docker", "ps", "-aq", "--filter", mine], capture_output=True, text=True, check=True)
        assert left.stdout == "", f"containers of {self.project} are left: {left.stdout}"

    def _given(self, variable: str) -> str | None:
        return self._environment.get(variable) or None

    def _up(self, service: str, url: str) -> str:
        """The URL, once the service is ready."""
        if service in CONFLUENT and "confluent" not in self._environment.get("COMPOSE_PROFILES", "confluent"):
            skip(f"{service} has no image that can be had here")
        if service not in self._started:
            self._end = self._end or self._at_the_end()
            self._compose("up", "--wait", service)
            self._started.add(service)
        return url

    def _at_the_end(self) -> subprocess.Popen[bytes]:
        """What removes everything when its standard input is closed: by `down`, or because this process is gone."""
        self._said = TemporaryFile()  # noqa: SIM115 # a pipe would end with this process, and what writes to it, too
        return subprocess.Popen(
            ["sh", "-c", 'cat && exec "$@"', "sh", *self._command("down", "--volumes", "--timeout", "2")],
            cwd=ROOT / "compose",
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            start_new_session=True,  # Ctrl+C is not for it
        )

    def _compose(self, *arguments: str) -> str:
        finished = subprocess.run(
            self._command(*arguments),
            cwd=ROOT / "compose",
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, f"{' '.join(arguments)}: {finished.stderr}"
        return finished.stdout

    def _command(self, *arguments: str) -> list[str]:
        return [*DockerCompose(ROOT / "compose", self._files).docker_compose_command(), *arguments]

    @property
    def variables(self) -> dict[str, str]:
        """With which compose finds the project, and its services their ports."""
        ports = {f"CTA_{name}_PORT": str(port) for name, port in self._ports.items()}
        return {**os.environ, **ports, "COMPOSE_PROJECT_NAME": self.project}


def skip(why: str) -> None:
    """Skip the test, or fail it where nothing may be skipped (``nox -s e2e -- --strict``)."""
    if os.environ.get("CTA_E2E_STRICT"):
        pytest.fail(f"--strict allows no skip: {why}")
    pytest.skip(why)
