"""Settings: from the environment and options, wrong ones named, secrets never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from cta.model.errors import InputError
from cta.model.settings import Settings, read_properties, without_secrets


def test_without_anything_they_are_the_local_stacks() -> None:
    """What `cta stack up` starts, and no namespace."""
    settings = Settings.of({})
    assert settings == Settings()
    assert (settings.bootstrap_servers, settings.namespace, settings.kafka) == ("127.0.0.1:9092", "", {})


def test_each_variable_is_a_field() -> None:
    """And those that aren't ours are not looked at; an empty one is none."""
    environment = {
        "CTA_BOOTSTRAP_SERVERS": "a:1,b:2",
        "CTA_SCHEMA_REGISTRY_URL": "https://registry",
        "CTA_CONNECT_URL": "http://connect:1",
        "CTA_KSQLDB_URL": "http://ksqldb:1",
        "CTA_REST_PROXY_URL": "http://proxy:1",
        "CTA_POSTGRES_DSN": "host=db",
        "CTA_NAMESPACE": "trial-7.",
        "CTA_REPLICATION_FACTOR": "3",
        "CTA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CTA_KAFKA_SASL_USERNAME": "me",
        "CTA_KAFKA_IMAGE": "apache/kafka",
        "PATH": "/bin",
    }
    assert Settings.of(environment | {"CTA_KAFKA_SASL_MECHANISM": ""}) == Settings(
        bootstrap_servers="a:1,b:2",
        schema_registry_url="https://registry",
        connect_url="http://connect:1",
        ksqldb_url="http://ksqldb:1",
        rest_proxy_url="http://proxy:1",
        postgres_dsn="host=db",
        namespace="trial-7.",
        replication_factor=3,
        kafka={"security.protocol": "SASL_SSL", "sasl.username": "me"},
    )


def test_an_option_comes_before_its_variable() -> None:
    """An option that was not given (None) leaves the variable's value."""
    environment = {"CTA_NAMESPACE": "from-variable.", "CTA_BOOTSTRAP_SERVERS": "variable:1"}
    settings = Settings.of(environment, namespace="from-option.", bootstrap_servers=None)
    assert (settings.namespace, settings.bootstrap_servers) == ("from-option.", "variable:1")


def test_properties_come_from_a_file_and_variables_over_it(tmp_path: Path) -> None:
    """Names as librdkafka has them; blank lines and comments are passed over; a value may hold an equals sign."""
    file = tmp_path / "client.properties"
    file.write_text("# how to log in\n\nsasl.username = me\nsasl.password=a=b\nsocket.keepalive.enable=true\n")
    environment = {"CTA_KAFKA_PROPERTIES": str(file), "CTA_KAFKA_SASL_USERNAME": "you"}
    assert Settings.of(environment).kafka == {
        "sasl.username": "you",
        "sasl.password": "a=b",
        "socket.keepalive.enable": "true",
    }


@pytest.mark.parametrize("servers", ["kafka", "a:1, b:2", "[::1]:9092", "PLAINTEXT://kafka.example:65535"])
def test_brokers_are_named_as_librdkafka_takes_them(servers: str) -> None:
    assert Settings.of({"CTA_BOOTSTRAP_SERVERS": servers}).bootstrap_servers == servers


@pytest.mark.parametrize(
    "environment, told",
    [
        ({"CTA_NAMESPACE": "a b"}, "CTA_NAMESPACE: no legal namespace: 'a b'; use "),
        ({"CTA_REPLICATION_FACTOR": "0"}, "CTA_REPLICATION_FACTOR: '0' is no replication factor; give "),
        (
            {"CTA_BOOTSTRAP_SERVERS": "127.0.0.1:notaport"},
            "CTA_BOOTSTRAP_SERVERS: no broker: '127.0.0.1:notaport'; write ",
        ),
        ({"CTA_BOOTSTRAP_SERVERS": "kafka:0"}, "CTA_BOOTSTRAP_SERVERS: no broker: 'kafka:0'; write "),
        ({"CTA_BOOTSTRAP_SERVERS": "kafka:65536"}, "CTA_BOOTSTRAP_SERVERS: no broker: 'kafka:65536'; write "),
        ({"CTA_BOOTSTRAP_SERVERS": "kafka:1,"}, "CTA_BOOTSTRAP_SERVERS: no broker: ''; write "),
        ({"CTA_BOOTSTRAP_SERVERS": "a b:1"}, "CTA_BOOTSTRAP_SERVERS: no broker: 'a b:1'; write "),
        ({"CTA_CONNECT_URL": "connect:8083"}, "CTA_CONNECT_URL: no URL; write it as http://host:port"),
        ({"CTA_KAFKA_PROPERTIES": "/nowhere/x"}, "/nowhere/x: No such file or directory; name a file"),
    ],
)
def test_a_wrong_variable_is_named(environment: dict[str, str], told: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings.of(environment)
    assert str(caught.value).startswith(told)


def test_a_wrong_line_is_told_by_its_number_alone(tmp_path: Path) -> None:
    """It may be a password that lost its name."""
    file = tmp_path / "client.properties"
    file.write_text("sasl.username=me\ns3cret\n")
    with pytest.raises(InputError) as caught:
        read_properties(file)
    assert str(caught.value) == f"{file} line 2: no property; write it as name=value"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(postgres_dsn="postgresql://me:s3cret@db/cta"),
        Settings(postgres_dsn="host=db password=s3cret user=me"),
        Settings(postgres_dsn="host=db password='s3cret \\' s3cret' user=me"),
        Settings(postgres_dsn="postgresql://db/cta?user=me&password=s3cret"),
        Settings(schema_registry_url="https://me:s3cret@registry"),
        Settings(schema_registry_url="https://me:s3cret:s3cret@registry"),
        Settings(connect_url="http://me:my/s3cret@connect"),
        Settings(postgres_dsn="postgresql://me:12/s3cret?#s3cret @db/cta"),
        Settings(kafka={"sasl.password": "s3cret"}),
        Settings(kafka={"ssl.key.password": "s3cret"}),
        Settings(kafka={"ssl.key.pem": "s3cret"}),
        Settings(kafka={"sasl.oauthbearer.client.secret": "s3cret"}),
        Settings(kafka={"sasl.oauthbearer.config": "s3cret"}),
    ],
)
def test_no_password_is_shown(settings: Settings) -> None:
    """Neither by repr nor by str nor one by one; what is no secret is."""
    shown = f"{settings} {settings!r} {settings.shown()}"
    assert "s3cret" not in shown
    assert "***" in shown
    assert "127.0.0.1:9092" in shown


def test_text_without_secrets_is_left_as_it_is() -> None:
    text = "host=db user=me http://registry:8081/a@b"
    assert without_secrets(text) == text
