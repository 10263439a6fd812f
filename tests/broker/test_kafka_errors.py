"""What needs no cluster of Kafka's clients: whose properties hold, and how their errors read."""

from __future__ import annotations

import subprocess
import sys

import pytest
from confluent_kafka import KafkaError, KafkaException

from cta.broker.avro import Codec
from cta.broker.kafka_admin import topic_config
from cta.broker.kafka_client import Connection
from cta.broker.kafka_producer import FIXED, PRESET, KafkaProducer
from cta.model.errors import BrokerError, CtaError, InputError, RecordError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import ALERTS, ARRIVALS, STATIONS_TABLE, TURNSTILE
from cta.testing.registry import NumberedSchemas
from tests.broker.contract import entries_at
from tests.broker.strategies import MAY_2026_MS

NOBODY = "127.0.0.1:1"
NAME = f"run.{TURNSTILE.name}"
CODEC = Codec(NAME, TURNSTILE, NumberedSchemas())


def connection(**kafka: str) -> Connection:
    return Connection(Settings(bootstrap_servers=NOBODY, kafka={name.replace("_", "."): kafka[name] for name in kafka}))


def test_users_properties_come_over_ours_and_under_the_promises() -> None:
    """Compression and login are the user's; acks and idempotence are what "each once" rests on."""
    config = connection(compression_type="zstd", sasl_username="me", acks="all").config(PRESET, FIXED)
    told = {name: config[name] for name in ("bootstrap.servers", "compression.type", "sasl.username", "acks")}
    assert told == {"bootstrap.servers": NOBODY, "compression.type": "zstd", "sasl.username": "me", "acks": "all"}


@pytest.mark.parametrize("name, value", [("acks", "1"), ("enable.idempotence", "false"), ("bootstrap.servers", "a:1")])
def test_a_property_that_would_break_a_promise_is_refused(name: str, value: str) -> None:
    with pytest.raises(InputError, match=f"property {name}: is .* here; leave it out"):
        Connection(Settings(bootstrap_servers=NOBODY, kafka={name: value})).config(PRESET, FIXED)


@pytest.mark.parametrize("name, value", [("no.such.thing", "s3cret"), ("linger.ms", "s3cret")])
def test_a_property_that_the_client_does_not_take_is_named_without_its_value(name: str, value: str) -> None:
    """It may be a password under a mistyped name."""
    with pytest.raises(InputError, match=r"properties for librdkafka: .*; correct CTA_KAFKA_PROPERTIES") as caught:
        KafkaProducer(Connection(Settings(bootstrap_servers=NOBODY, kafka={name: value})))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "code, kind",
    [
        (KafkaError._TRANSPORT, ServiceError),
        (KafkaError._TIMED_OUT, ServiceError),
        (KafkaError._MSG_TIMED_OUT, ServiceError),
        (KafkaError.SASL_AUTHENTICATION_FAILED, ServiceError),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, BrokerError),
        (KafkaError.MSG_SIZE_TOO_LARGE, BrokerError),
    ],
)
def test_errors_of_the_cluster_and_of_what_was_asked_are_told_apart(code: int, kind: type[CtaError]) -> None:
    """Exit 3 where the cluster is the matter, 2 where the request is."""
    assert type(connection().error(KafkaException(KafkaError(code)), "topic t")) is kind


@pytest.mark.parametrize(
    "complaint, line",
    [
        (
            KafkaError(
                KafkaError._SSL,
                "[thrd:ssl://a/bootstrap]: ssl://a/bootstrap: error:0A000086:SSL routines::refused (after 5ms in state X)",
            ),
            "gone (refused); check CTA_KAFKA_SSL_CA_LOCATION",
        ),
        (KafkaError(KafkaError._AUTHENTICATION, "no such user"), "gone (no such user); check CTA_KAFKA_SASL_USERNAME"),
        (KafkaError(KafkaError._TRANSPORT, "a: Connection refused"), "gone (Connection refused); start it"),
        (
            KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down"),
            "gone; start it ('cta stack up') or check CTA_BOO",
        ),
    ],
)
def test_what_to_do_about_a_cluster_that_cannot_be_reached_follows_from_why(complaint: KafkaError, line: str) -> None:
    """The client's own complaint, as far as it says anything."""
    reached_for = connection()
    reached_for.complaint = complaint
    assert str(reached_for.unreachable("gone")).startswith(f"Kafka at {NOBODY}: {line}")


def test_records_that_nobody_took_are_counted_and_the_producer_is_clean_afterwards() -> None:
    """Flush to zero or an error with the number; nothing of it comes again with the next flush."""
    producer = KafkaProducer(connection(message_timeout_ms="300"))
    producer.send(CODEC, NAME, 0, entries_at(*range(1000)))
    with pytest.raises(ServiceError, match=f"Kafka at {NOBODY}: 1000 records were not delivered"):
        producer.flush()
    producer.flush()
    producer.send(CODEC, NAME, 0, entries_at(0))
    with pytest.raises(ServiceError, match="1 record was not delivered"):
        producer.flush()


def test_a_record_of_the_epochs_first_millisecond_is_refused() -> None:
    """The client takes a time of 0 for none and would write the wall clock's; nothing of the batch is sent."""
    producer = KafkaProducer(connection(message_timeout_ms="300"))
    with pytest.raises(RecordError, match=r"turnstile.v1, partition 0: a record of time 0"):
        producer.send(CODEC, NAME, 0, entries_at(-1, -MAY_2026_MS))
    producer.flush()


def test_a_full_queue_is_waited_for() -> None:
    """A queue of 100 takes 250 records: each that fails makes room, and all are counted."""
    limits = {"message.timeout.ms": "300", "queue.buffering.max.messages": "100"}
    producer = KafkaProducer(Connection(Settings(bootstrap_servers=NOBODY, kafka=limits)))
    producer.send(CODEC, NAME, 0, entries_at(*range(250)))
    with pytest.raises(ServiceError, match="250 records were not delivered"):
        producer.flush()


@pytest.mark.parametrize(
    "name, policy",
    [
        (ARRIVALS.name, "delete"),
        ("trial-7." + ALERTS.name, "compact"),
        ("trial-7." + STATIONS_TABLE.name, "compact"),
        ("orders", "delete"),
    ],
)
def test_cleanup_is_the_topics_row(name: str, policy: str) -> None:
    """Whatever namespace is before its name."""
    assert topic_config(name)["cleanup.policy"] == policy


def test_who_needs_no_kafka_does_not_load_its_client() -> None:
    """A replay in memory, and the help, start without librdkafka and without Avro."""
    script = "import sys, cta.cli, cta.commands.replay; print(*{'confluent_kafka', 'fastavro', 'requests'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == ""
