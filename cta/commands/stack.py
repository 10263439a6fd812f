"""Stack: the services' containers, started, ended and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cta.stack.compose import Compose, Container

VARIABLES: Final = {
    "kafka": "CTA_BOOTSTRAP_SERVERS={}",
    "schema-registry": "CTA_SCHEMA_REGISTRY_URL=http://{}/apis/ccompat/v7",
    "connect": "CTA_CONNECT_URL=http://{}",
    "ksqldb": "CTA_KSQLDB_URL=http://{}",
    "rest-proxy": "CTA_REST_PROXY_URL=http://{}",
    "postgres": "CTA_POSTGRES_DSN=\"host={0} port={1} user='${{CTA_POSTGRES_USER:-cta_admin}}' "
    "password='${{CTA_POSTGRES_PASSWORD:-chicago}}' dbname='${{CTA_POSTGRES_DB:-cta}}'\"",
}
"""How a command finds a service at an address: ``{}``, or host and port. A password is left to the shell to put in."""


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
        f"export {_variable(container.service, container.ports[0])}"
        for container in project.containers()
        if container.service in VARIABLES and container.ports
    ]


def _variable(service: str, address: str) -> str:
    return VARIABLES[service].format(*(address.rsplit(":", 1) if service == "postgres" else [address]))


def _line(container: Container) -> str:
    state = f"{container.state}, {container.health}" if container.health else container.state
    return f"{container.service:<16} {state:<20} {', '.join(container.ports)}".rstrip()
