"""Stack: the services' containers, started, ended and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cta.stack.compose import Compose, Container

VARIABLES: Final = {
    "kafka": "CTA_BOOTSTRAP_SERVERS={0}",
    "schema-registry": "CTA_SCHEMA_REGISTRY_URL=http://{0}/apis/ccompat/v7",
    "connect": "CTA_CONNECT_URL=http://{0}",
    "ksqldb": "CTA_KSQLDB_URL=http://{0}",
    "rest-proxy": "CTA_REST_PROXY_URL=http://{0}",
    "postgres": "CTA_POSTGRES_DSN=\"host={1} port={2} user='${{CTA_POSTGRES_USER:-cta_admin}}' "
    "password='${{CTA_POSTGRES_PASSWORD:-chicago}}' dbname='${{CTA_POSTGRES_DB:-cta}}'\"",
}
"""How a command finds a service at an address, 0, of a host, 1, and a port, 2. A password is left to the shell to put in."""


def compose(file: str, environment: Mapping[str, str], project: str | None) -> Compose:
    return Compose(Path(file), environment, project)


def status(project: Compose) -> tuple[list[str], bool]:
    """A line a service, and whether each is ready; no container at all is not."""
    containers = project.containers()
    lines = [_line(container) for container in containers]
    return lines or ["nothing runs: 'cta stack up' starts it"], bool(containers) and all(
        each.good for each in containers
    )


def addresses(project: Compose) -> list[str]:
    """The variables that make commands use the services that run."""
    return [
        f"export {VARIABLES[container.service].format(container.ports[0], *container.ports[0].rsplit(':', 1))}"
        for container in project.containers()
        if container.service in VARIABLES and container.ports
    ]


def _line(container: Container) -> str:
    state = f"{container.state}, {container.health}" if container.health else container.state
    return f"{container.service:<16} {state:<20} {', '.join(container.ports)}".rstrip()
