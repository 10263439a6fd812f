"""A cluster that wants TLS and a login: everything goes through it, and who may not in learns why and shows no password."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cta.model.settings import Settings
from tests.cli.running import CTA, write_scenario
from tests.e2e.pipeline import Worker, done, environment, run
from tests.e2e.services import Services

USER, PASSWORD = "rider", "s3cret-of-the-rider"
LISTENER = "KAFKA_LISTENER_NAME_HOST_"


def certificates(folder: Path) -> None:
    """A certificate authority, ``ca.pem``, and a broker's key and certificate by it, ``broker.pem``."""

    def openssl(name: str, subject: str, *options: str | Path) -> None:
        new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout", folder / f"{name}.key")
        made = ("-x509", "-days", "2", "-subj", f"/CN={subject}", "-out", folder / f"{name}.pem")
        subprocess.run(["openssl", "req", *new_key, *made, *options], check=True, capture_output=True)

    openssl("ca", "an authority of this test's own")
    signed = ("-CA", folder / "ca.pem", "-CAkey", folder / "ca.key")
    openssl("broker", "a broker", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    key = folder / "broker.key"
    certificate = folder / "broker.pem"
    certificate.write_bytes(key.read_bytes() + certificate.read_bytes())
    certificate.chmod(0o644)  # the broker runs under another user


def overlay(folder: Path) -> Path:
    """The compose file that makes the listener for clients one with TLS and passwords."""
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    settings = {
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "INTERNAL:PLAINTEXT,HOST:SASL_SSL,CONTROLLER:PLAINTEXT",
        f"{LISTENER}SSL_KEYSTORE_TYPE": "PEM",
        f"{LISTENER}SSL_KEYSTORE_LOCATION": "/certificates/broker.pem",
        f"{LISTENER}SASL_ENABLED_MECHANISMS": "PLAIN",
        f"{LISTENER}PLAIN_SASL_JAAS_CONFIG": login,
    }
    kafka = {"environment": settings, "volumes": [f"{folder}:/certificates:ro"]}
    file = folder / "secured.yml"
    file.write_text(yaml.safe_dump({"services": {"kafka": kafka}}))
    return file


@pytest.fixture(scope="module")
def cluster(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Kafka behind TLS and a login; the registry is that of the other tests, which needn't be in the same cluster."""
    folder = tmp_path_factory.mktemp("certificates")
    folder.chmod(0o755)
    certificates(folder)
    given = {name: value for name, value in os.environ.items() if name != "CTA_BOOTSTRAP_SERVERS"}
    secured = Services(given, overlay(folder))
    login = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": USER,
        "sasl.password": PASSWORD,
        "ssl.ca.location": str(folder / "ca.pem"),
    }
    try:
        yield Settings(
            bootstrap_servers=secured.bootstrap_servers,
            schema_registry_url=services.schema_registry_url,
            kafka=login,
        )
    finally:
        secured.down()


@pytest.fixture
def secured(cluster: Settings, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The cluster in the test's namespace; commands that the test runs can get in."""
    allowed(monkeypatch, cluster)
    return replace(cluster, namespace=namespace)


def allowed(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """The variables of a login, for commands."""
    for name, value in settings.kafka.items():
        monkeypatch.setenv(f"CTA_KAFKA_{name.upper().replace('.', '_')}", value)


def test_everything_goes_through_a_cluster_that_wants_a_login(secured: Settings, tmp_path: Path) -> None:
    """Replayed, counted by a worker, verified, captured and looked at: as anywhere, and no password is shown."""
    small = write_scenario(tmp_path / "small.json")
    file = tmp_path / "received.jsonl"
    sent = done(secured, "replay", small, "--to", "kafka")
    with Worker(secured, tmp_path / "worker.log", "--summary") as worker:
        worker.ready()
        verified = done(secured, "verify", small, "--wait", "120")
        assert worker.stop() == 0
    captured = run(secured, "capture", "-o", file, "--group", "nightly")
    examined = run(secured, "doctor", "--json")
    assert (verified["same"], verified["tables"]["turnstile_summary"]["same"]) == (True, True)
    assert captured.stdout == f"{sent['digest']}  {file}\n"
    assert (examined.returncode, json.loads(examined.stdout)["settings"]["sasl.password"]) == (0, "***")
    assert PASSWORD not in examined.stdout + examined.stderr + captured.stderr + worker.said


@pytest.mark.parametrize(
    ("wrong", "why", "commands"),
    [
        (
            {"CTA_KAFKA_SASL_PASSWORD": "wr0ng"},
            "Invalid username or password); check CTA_KAFKA_SASL_USERNAME, CTA_KAFKA_SASL_PASSWORD",
            ("replay small.json --to kafka", "verify small.json", "capture -o received.jsonl", "stream", "doctor"),
        ),
        (
            {"CTA_KAFKA_SSL_CA_LOCATION": "ca.pem"},
            "certificate verify failed",
            ("verify small.json", "stream"),
        ),
        (
            {"CTA_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
            "CTA_KAFKA_SECURITY_PROTOCOL, if it wants TLS or a login",
            ("verify small.json", "stream"),
        ),
    ],
    ids=["a wrong password", "another authority", "no login at all"],
)
def test_who_may_not_in_gets_one_line_and_exit_code_3(
    secured: Settings, tmp_path: Path, wrong: dict[str, str], why: str, commands: tuple[str, ...]
) -> None:
    """From every command, with what to correct and without the password."""
    certificates(tmp_path)  # of an authority that the broker's isn't by
    write_scenario(tmp_path / "small.json")
    started = {
        command: subprocess.Popen(
            [CTA, *command.split()],
            env=environment(secured, **wrong),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    }
    for command, process in started.items():
        out, said = process.communicate(timeout=60)
        line = out.splitlines()[0] if command == "doctor" else said.removesuffix("\n")
        assert process.returncode == 3, out + said
        assert line.startswith(("error: ", "unreachable  "))
        assert f"Kafka at {secured.bootstrap_servers}: it cannot be reached" in line
        assert why in line
        assert "\n" not in line
        assert PASSWORD not in out + said
        assert "wr0ng" not in out + said
