"""The compose file, read as it stands: what a user's machine and a second stack beside it may rely on."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

COMPOSE = Path(__file__).parents[2] / "compose"
FILE: dict[str, Any] = yaml.safe_load((COMPOSE / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
FOR_PEOPLE = {"ui"}
BYTES = {"m": 2**20, "g": 2**30}

every_service = pytest.mark.parametrize("name", SERVICES)


def variable(name: str, what: str) -> str:
    return f"CTA_{name.upper().replace('-', '_')}_{what}"


def default_image(name: str) -> str:
    match = re.fullmatch(r"\$\{(\w+):-(.+)\}", SERVICES[name]["image"])
    assert match, SERVICES[name]["image"]
    assert match[1] == variable(name, "IMAGE")
    return match[2]


def test_the_services_are_those_of_the_stack() -> None:
    """`confluent` holds what has no twin, `ui` what no test needs; the others start always."""
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert profiles == {
        "kafka": [],
        "schema-registry": [],
        "postgres": [],
        "connect": [],
        "ksqldb": ["confluent"],
        "rest-proxy": ["confluent"],
        "ui": ["ui"],
    }


def test_who_asks_for_nothing_gets_the_whole_stack() -> None:
    """compose/.env, which `docker compose -f compose/docker-compose.yml` reads, names the profile."""
    assert "COMPOSE_PROFILES=confluent" in (COMPOSE / ".env").read_text("utf-8").splitlines()


@every_service
def test_an_image_is_pinned_and_can_be_another(name: str) -> None:
    """A tag with a version, never `latest`, behind the variable CTA_<SERVICE>_IMAGE."""
    repository, _, tag = default_image(name).partition(":")
    assert repository
    assert re.fullmatch(r"\d+(\.\w+)*", tag)


def test_images_name_no_host_but_where_the_publisher_has_one_place_only() -> None:
    """So that a machine's own mirror serves them all; Debezium publishes its images at quay.io alone."""
    hosts = {name: default_image(name).split("/")[0] for name in SERVICES if default_image(name).count("/") > 1}
    assert hosts == {"connect": "quay.io"}


@every_service
def test_ports_are_bound_to_this_machine_and_can_be_moved(name: str) -> None:
    """127.0.0.1, behind the variable CTA_<SERVICE>_PORT."""
    wanted = rf"127\.0\.0\.1:\$\{{{variable(name, 'PORT')}:-\d+\}}:\d+"
    (port,) = SERVICES[name]["ports"]
    assert re.fullmatch(wanted, port)


def test_no_two_services_want_the_same_port() -> None:
    ports = [re.findall(r":-(\d+)\}", service["ports"][0])[0] for service in SERVICES.values()]
    assert len(set(ports)) == len(ports)


def test_kafka_is_advertised_where_its_port_is() -> None:
    """Moving the port moves what clients are told."""
    where = r"\$\{CTA_KAFKA_PORT:-\d+\}"
    kafka = SERVICES["kafka"]
    advertised = re.findall(rf"HOST://127\.0\.0\.1:({where})", kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"])
    assert advertised == re.findall(where, kafka["ports"][0])


@every_service
def test_a_service_is_watched_and_waited_for(name: str) -> None:
    """A healthcheck of its own; who depends on it starts once it is ready."""
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    conditions = {needed: how["condition"] for needed, how in SERVICES[name].get("depends_on", {}).items()}
    assert conditions == dict.fromkeys(conditions, "service_healthy")
    assert conditions.keys() <= SERVICES.keys()


@every_service
def test_two_stacks_can_run_beside_each_other(name: str) -> None:
    """No fixed container or host name."""
    assert not SERVICES[name].keys() & {"container_name", "hostname", "network_mode"}


def test_the_whole_stack_fits_into_4_gb() -> None:
    """By the limits that the engine holds each service to."""
    limits = [service["mem_limit"] for name, service in SERVICES.items() if name not in FOR_PEOPLE]
    assert sum(int(limit[:-1]) * BYTES[limit[-1]] for limit in limits) < 4 * 2**30


def test_what_is_mounted_is_there() -> None:
    """A missing file would be mounted as an empty folder."""
    mounts = [mount for service in SERVICES.values() for mount in service["volumes"] if mount.startswith("./")]
    assert [mount for mount in mounts if not (COMPOSE / mount.split(":")[0]).is_file()] == []
