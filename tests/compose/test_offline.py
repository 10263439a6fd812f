"""The twins' scripts where no engine runs: what they take from the environment, and what they are twins of."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.compose.test_docker_compose import COMPOSE, FILE, SERVICES, default_image, variable

OFFLINE = COMPOSE / "offline"
SCRIPTS = sorted(
    path
    for path in COMPOSE.rglob("*")
    if path.is_file() and path.read_bytes().startswith((b"#!/bin/", b"#!/usr/bin/env bash"))
)
TWINS = {"kafka": "kafka", "schema-registry": "registry", "connect": "connect", "postgres": "postgres"}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(COMPOSE)))
def test_a_script_can_be_read_and_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    shell = script.read_text("utf-8").splitlines()[0].split("/")[-1].removeprefix("env ")
    assert run(shell, "-n", script).stderr == ""


def test_settings_become_properties_as_the_official_images_make_them() -> None:
    """One underscore is a dot, two are an underscore, three a hyphen; the JVM's options are no settings."""
    made = run(
        OFFLINE / "jre" / "java-properties",
        "KAFKA_",
        "KAFKA_HEAP_OPTS",
        KAFKA_NODE_ID="1",
        KAFKA_LISTENERS="A://:1,B://h:2",
        KAFKA_A__B___C_D="x = y",
        KAFKA_HEAP_OPTS="-Xmx1g",
        OTHER="z",
    )
    assert made.stdout.splitlines() == ["a_b-c.d=x = y", "listeners=A://:1,B://h:2", "node.id=1"]


@pytest.mark.parametrize("service", TWINS)
def test_a_twin_is_of_the_version_that_the_compose_file_pins(service: str) -> None:
    """In the tag that the build script gives, and in the recipe: the pom's, or the package's name."""
    version = default_image(service).split(":")[1]
    recipe = OFFLINE / TWINS[service]
    tag = re.search(rf"^ *{TWINS[service]}\) echo \S+:(\S+) ;;$", (OFFLINE / "build").read_text("utf-8"), re.MULTILINE)
    pom = recipe / "pom.xml"
    source = pom if pom.exists() else recipe / "Dockerfile"
    assert tag is not None
    assert tag[1] == version
    assert re.search(rf"[>-]{re.escape(version)}\b", source.read_text("utf-8"))


def test_the_build_sets_the_variables_that_the_compose_file_reads() -> None:
    """An image for each service that starts without a profile, no pulling, and no profile."""
    text = (OFFLINE / "build").read_text("utf-8")
    named = re.findall(r"\b([A-Z_]+) \"\$\(tag", text.replace("\\\n", ""))
    assert {f"CTA_{name}_IMAGE" for name in named} == {variable(name, "IMAGE") for name in TWINS}
    assert set(TWINS) == {name for name, service in SERVICES.items() if not service.get("profiles")}
    assert "CTA_PULL_POLICY=never COMPOSE_PROFILES=\n" in text
    assert FILE["x-service"]["pull_policy"] == "${CTA_PULL_POLICY:-missing}"


def test_the_engine_script_ends_only_what_it_started(tmp_path: Path) -> None:
    """Another process under the number that it remembers is left alone."""
    bystander = subprocess.Popen(["sleep", "60"])
    (tmp_path / "dockerd.pid").write_text(f"{bystander.pid}\n")
    try:
        ended = run(OFFLINE / "engine", "stop", CTA_ENGINE_STATE=str(tmp_path))
        assert (ended.returncode, ended.stderr, bystander.poll()) == (0, "engine: nothing of ours runs\n", None)
    finally:
        bystander.kill()
        bystander.wait()
