"""Kafka is put through the broker's contract, and keeps what the contract can't say: bytes, settings, failures, outages."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import fastavro
import msgspec
import pytest
from confluent_kafka import Producer as BareProducer
from confluent_kafka.admin import AdminClient, NewTopic

from cta.broker.consumer import Consumer
from cta.broker.kafka import KafkaBroker
from cta.broker.port import Broker
from cta.broker.producer import Producer
from cta.model import scenario as scenarios_module
from cta.model import schemas
from cta.model.batch import Batch, Content
from cta.model.errors import BrokerError, RecordError, ServiceError
from cta.model.raw import Origin, Raw
from cta.model.records import Alert, AlertKey, Weather, WeatherKey
from cta.model.schemas import Schema
from cta.model.settings import Settings
from cta.model.topics import ALERTS, RECORDED, TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.recording.digest import Digest
from cta.simulation.plan import resolve
from cta.simulation.run import simulate
from cta.stack.registry import Registry
from cta.testing.registry import NumberedSchemas
from tests.broker.contract import BrokerContract, FreshNamespace, entries_at, read_all
from tests.broker.strategies import MAY_2026_MS, log
from tests.e2e.services import Services, free_port

NOT_WHOLE = (
    "Kafka shows a batch's requests as they come in; only transactions would hide them, and their markers take offsets, "
    "which the contract wants dense"
)


@pytest.fixture(scope="module")
def shared(services: Services) -> Iterator[KafkaBroker]:
    """One broker for the whole contract: its clients are made once.

    Without the registry, of which the contract says nothing: registering schemas in a fresh namespace for every example
    would take three quarters of the time.
    """
    with KafkaBroker(Settings(bootstrap_servers=services.bootstrap_servers), NumberedSchemas()) as broker:
        yield broker
        broker.delete_topics(name for name in broker.topics() if name.startswith("contract-"))


class TestKafkaBroker(BrokerContract):
    @pytest.fixture
    def broker(self, shared: KafkaBroker) -> Broker:
        return shared

    @pytest.fixture
    def fresh_namespace(self) -> FreshNamespace:
        return lambda: f"contract-{uuid4().hex[:12]}."

    @pytest.mark.xfail(strict=True, raises=AssertionError, reason=NOT_WHOLE)
    def test_a_batch_becomes_visible_whole(self, broker: Broker, topic: str, eager_threads: None) -> None:
        """The one promise of the port that Kafka does not keep."""
        assert isinstance(broker, KafkaBroker)
        small_requests = replace(broker.settings, kafka={"batch.num.messages": "100"})
        with KafkaBroker(small_requests, NumberedSchemas()) as other:
            super().test_a_batch_becomes_visible_whole(other, topic, eager_threads)


# Digests


@pytest.mark.parametrize("partitions", [1, 3])
def test_what_is_read_back_has_the_digest_of_what_was_simulated(
    kafka: KafkaBroker, namespace: str, scenarios: Path, partitions: int
) -> None:
    """Rush hour, hour by hour without waiting, with any number of partitions."""
    assert read_back(kafka, namespace, scenarios / "rush_hour.json", partitions) == 2 * [
        simulated(scenarios / "rush_hour.json")
    ]


def test_a_scenario_dated_2030_keeps_its_times(
    kafka: KafkaBroker, namespace: str, scenarios: Path, tmp_path: Path
) -> None:
    """A broker's own limit would refuse records so far ahead of its clock."""
    document = (scenarios / "rush_hour.json").read_text()
    year = scenarios_module.load(scenarios / "rush_hour.json").start[:4]
    later = tmp_path / "later.json"
    later.write_text(document.replace(f'"{year}-', '"2030-'))
    sent, received = read_back(kafka, namespace, later, 1)
    assert sent == received == simulated(later)
    assert 1893456000000 <= int(sent.split()[1]) < 1924992000000


def test_a_second_reader_and_another_process_s_schemas_give_the_same(
    kafka: KafkaBroker, settings: Settings, namespace: str
) -> None:
    """A broker that made neither topics nor schemas looks the writer's ids up."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0, 1, 2))
    with KafkaBroker(settings, Registry(settings.schema_registry_url)) as other:
        assert read_all(other, name, 0, 0) == log(entries_at(0, 1, 2))


def simulated(scenario: Path) -> str:
    digest = Digest()
    network = chicago()
    for batch in simulate(network, resolve(scenarios_module.load(scenario), network)):
        digest.update(batch)
    return told(digest)


def read_back(kafka: KafkaBroker, namespace: str, scenario: Path, partitions: int) -> list[str]:
    """The digest of what was sent, and of what came back."""
    network = chicago()
    producer, consumer = Producer(kafka, partitions, namespace=namespace), Consumer(kafka, namespace=namespace)
    sent, received = Digest(), Digest()
    for batch in simulate(network, resolve(scenarios_module.load(scenario), network)):
        sent.update(batch)
        producer.post(batch)
    producer.flush()
    for batch in consumer.poll():
        received.update(batch)
    return [told(sent), told(received)]


def told(digest: Digest) -> str:
    return f"{digest.hexdigest()} {digest.first_ms} {digest.last_ms} {digest.counts}"


# Topics and schemas


def test_topics_are_made_as_the_contract_says(kafka: KafkaBroker, namespace: str) -> None:
    """Event times are kept and never too old or too new; alerts are compacted; both schemas are registered BACKWARD."""
    Producer(kafka, 2, namespace=namespace)
    for topic in RECORDED:
        config = kafka.admin.config(namespace + topic.name)
        asked = {
            "message.timestamp.type": "CreateTime",
            "retention.ms": "-1",
            "message.timestamp.after.max.ms": "9223372036854775807",
            "cleanup.policy": "compact" if topic is ALERTS else "delete",
        }
        assert {name: config[name] for name in asked} == asked
        assert kafka.partitions(namespace + topic.name) == 2


def test_schemas_are_registered_under_the_topics_subjects(
    kafka: KafkaBroker, registry: Registry, namespace: str
) -> None:
    """TopicNameStrategy, BACKWARD, and what the registry gives back is what was registered."""
    Producer(kafka, namespace=namespace)
    subjects = [f"{namespace}{topic.name}-{part}" for topic in RECORDED for part in ("key", "value")]
    assert [subject for subject in registry.subjects() if subject.startswith(namespace)] == sorted(subjects)
    assert {registry.compatibility(subject) for subject in subjects} == {"BACKWARD"}
    for topic in RECORDED:
        for part, schema in schemas.load(topic).items():
            schema_id = Registry(registry.url).register(f"{namespace}{topic.name}-{part}", schema)
            assert canonical(Registry(registry.url).by_id(schema_id)) == canonical(schema)


def canonical(schema: Schema | None) -> str:
    """Avro's own form for comparison: a registry may write the name of a type in full or not."""
    return str(fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(schema or {})))


def test_a_schema_that_cannot_follow_is_refused(kafka: KafkaBroker, registry: Registry, namespace: str) -> None:
    """A field without a default breaks readers of what is there; one with a default does not."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    schema = schemas.load(TURNSTILE)["value"]
    gate = {"name": "gate", "type": "int"}
    broken = {**schema, "fields": [*schema["fields"], gate]}
    assert not registry.is_compatible(f"{name}-value", broken)
    with pytest.raises(ServiceError, match=r"HTTP 409: .*use another namespace"):
        Registry(registry.url).register(f"{name}-value", broken)
    followed = {**schema, "fields": [*schema["fields"], {**gate, "default": 0}]}
    assert registry.is_compatible(f"{name}-value", followed)


def test_a_newer_writers_field_is_passed_over(kafka: KafkaBroker, registry: Registry, namespace: str) -> None:
    """What a compatible later schema adds is no matter to this reader."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0))
    schema = schemas.load(TURNSTILE)["value"]
    later = {**schema, "fields": [*schema["fields"], {"name": "gate", "type": "int", "default": 0}]}
    later_id = Registry(registry.url).register(f"{name}-value", later)
    key, value = raw_record(kafka, name, 0)
    write(kafka, name, key, struct.pack(">BI", 0, later_id) + value[5:] + b"\x0e", MAY_2026_MS + 1)
    assert read_all(kafka, name, 0, 0) == log(entries_at(0, 1))


def test_a_topic_with_other_settings_is_refused_with_the_difference(settings: Settings, kafka: KafkaBroker) -> None:
    """A topic that somebody else made would lose old records or refuse new ones."""
    name = settings.namespace + TURNSTILE.name
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    config = {"message.timestamp.type": "LogAppendTime", "message.timestamp.after.max.ms": str(2**63 - 1)}
    admin.create_topics([NewTopic(name, 1, 1, config={**config, "retention.ms": "1000"})])[name].result()
    difference = "has message.timestamp.type=LogAppendTime, not CreateTime and retention.ms=1000, not -1; alter it"
    with pytest.raises(BrokerError, match=difference):
        kafka.create_topic(name, 1)


# Records that are none of ours


def test_weather_has_its_time_from_its_key(kafka: KafkaBroker, namespace: str) -> None:
    """The REST Proxy takes no time for a record: what it wrote at some other time is read at the reading's."""
    name = namespace + WEATHER.name
    kafka.create_topic(name, 1)
    weather = Content(WEATHER, WeatherKey(MAY_2026_MS), Weather(54.5, "sunny"))
    kafka.append(name, 0, Batch.of([(MAY_2026_MS + 5_000, weather)]))
    assert read_all(kafka, name, 0, 0) == [(MAY_2026_MS, weather.fragment)]


def test_bytes_without_a_frame_stop_the_reader_and_say_where(kafka: KafkaBroker, namespace: str) -> None:
    """Unless something else was asked for."""
    name = foreign_among_entries(kafka, namespace)
    with pytest.raises(RecordError, match=f"{name}, partition 0, offset 1: {name}-key: not in Confluent's framing"):
        kafka.read(name, 0, 0, 10)


def test_bytes_without_a_frame_are_passed_over_and_counted_if_asked(
    kafka: KafkaBroker, settings: Settings, registry: Registry, namespace: str
) -> None:
    """The records around them are read; what was wrong is counted."""
    name = foreign_among_entries(kafka, namespace)
    with KafkaBroker(settings, registry, unreadable="skip") as broker:
        batch, next_offset = broker.read(name, 0, 0, 10)
        assert (log(batch), next_offset) == (log(entries_at(0, 2)), 3)
        assert broker.passed_over == 1
        assert str(broker.first_passed_over).startswith(f"topic {name}, partition 0, offset 1: {name}-key: not in ")


def test_bytes_without_a_frame_are_taken_raw_if_asked(
    kafka: KafkaBroker, settings: Settings, registry: Registry, namespace: str
) -> None:
    """In their place, as of a topic that no schema explains."""
    name = foreign_among_entries(kafka, namespace)
    with KafkaBroker(settings, registry, unreadable="raw") as broker:
        batch, _ = broker.read(name, 0, 0, 10)
        (_, before), (time_ms, content), (_, after) = batch
        assert (time_ms, content.key, content.value) == (MAY_2026_MS + 1, Raw(text="k"), Raw(text="hello"))
        assert content.topic is not before.topic is after.topic is TURNSTILE


def foreign_among_entries(kafka: KafkaBroker, namespace: str) -> str:
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0))
    write(kafka, name, b"k", b"hello", MAY_2026_MS + 1)
    kafka.append(name, 0, entries_at(2))
    return name


def write(kafka: KafkaBroker, topic: str, key: bytes, value: bytes, time_ms: int) -> None:
    client = BareProducer({"bootstrap.servers": kafka.settings.bootstrap_servers})
    client.produce(topic, value, key, 0, timestamp=time_ms)
    assert client.flush(10) == 0


def raw_record(kafka: KafkaBroker, topic: str, offset: int) -> tuple[bytes, bytes]:
    (message,), _ = kafka.messages(topic, 0, offset, 1)
    key, value = message.key(), message.value()
    assert key is not None
    assert value is not None
    return key, value


def test_a_capture_says_where_each_record_stood(
    kafka: KafkaBroker, settings: Settings, registry: Registry, namespace: str
) -> None:
    """Partition, offset and headers stand beside the records, which are the same as without."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 2)
    kafka.append(name, 1, entries_at(0))
    headers: list[tuple[str, str | bytes | None]] = [("trace", b"7"), ("trace", None)]
    client = BareProducer({"bootstrap.servers": settings.bootstrap_servers})
    client.produce(name, b"v", None, 1, timestamp=MAY_2026_MS + 1, headers=headers)
    assert client.flush(10) == 0
    with KafkaBroker(settings, registry, unreadable="raw", origins=True) as broker:
        batch, _ = broker.read(name, 1, 0, 10)
    assert log(batch)[:1] == log(entries_at(0))
    assert batch.origins is not None
    assert batch.origins.tolist() == [Origin(1, 0), Origin(1, 1, (("trace", Raw(text="7")), ("trace", None)))]


def test_what_a_transaction_gave_up_is_not_read(kafka: KafkaBroker, settings: Settings, namespace: str) -> None:
    """Committed records alone, past the marks that transactions leave, to the end."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0))
    key, value = raw_record(kafka, name, 0)
    client = BareProducer({"bootstrap.servers": settings.bootstrap_servers, "transactional.id": namespace})
    client.init_transactions(10)
    for offset_ms, commit in ((1, True), (2, False), (3, True), (4, False)):
        client.begin_transaction()
        client.produce(name, value, key, 0, timestamp=MAY_2026_MS + offset_ms)
        client.flush(10)
        if commit:
            client.commit_transaction(10)
        else:
            client.abort_transaction(10)
    consumer = Consumer(kafka, [TURNSTILE], namespace=namespace)
    assert [record for batch in consumer.poll() for record in log(batch)] == log(entries_at(0, 1, 3))
    assert consumer.positions == {(name, 0): kafka.end_offset(name, 0)}


# Failures


def test_a_record_that_the_broker_refuses_is_counted_and_raised(kafka: KafkaBroker, namespace: str) -> None:
    """The error has the number and the first reason; afterwards the producer works as before."""
    name = namespace + ALERTS.name
    kafka.create_topic(name, 1)
    big = Alert("OTHER_EFFECT", "OTHER_CAUSE", None, None, None, MAY_2026_MS, None, "x" * 2_000_000)
    small = msgspec.structs.replace(big, text="x")
    with pytest.raises((BrokerError, ServiceError), match=r"[Mm]essage (size )?too large"):
        kafka.append(name, 0, Batch.of([(MAY_2026_MS, Content(ALERTS, AlertKey("a"), big))]))
    assert kafka.append(name, 0, Batch.of([(MAY_2026_MS, Content(ALERTS, AlertKey("a"), small))])) == range(1)


def test_a_topic_deleted_under_a_producer_is_an_error_with_the_number(kafka: KafkaBroker, namespace: str) -> None:
    """Nothing makes the topic again."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0))
    kafka.delete_topics([name])
    with pytest.raises(BrokerError, match=f"{name}: no such topic"):
        kafka.append(name, 0, entries_at(1))
    assert name not in kafka.topics()


def test_a_topic_made_again_begins_anew(kafka: KafkaBroker, namespace: str) -> None:
    """Its offsets start at 0, and a reader that stood at its end reads what is there now."""
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(0, 1))
    assert read_all(kafka, name, 0, 0) == log(entries_at(0, 1))
    kafka.delete_topics([name])

    kafka.create_topic(name, 1)
    assert kafka.append(name, 0, entries_at(5, 6, 7, 8)) == range(4)
    assert read_all(kafka, name, 0, 2) == log(entries_at(7, 8))


def test_nobody_at_the_address_is_an_error_that_says_what_to_do() -> None:
    """Exit 3: which service, where, why, what to do."""
    with pytest.raises(ServiceError, match=r"Kafka at 127.0.0.1:[0-9]+: it cannot be reached .*CTA_BOOTSTRAP_SERVERS"):
        KafkaBroker(Settings(bootstrap_servers=f"127.0.0.1:{free_port()}"), Registry("http://127.0.0.1:1")).topics()


def test_a_registry_that_is_not_there_is_an_error_that_says_what_to_do(settings: Settings) -> None:
    with KafkaBroker(settings, Registry(f"http://127.0.0.1:{free_port()}")) as broker:
        with pytest.raises(ServiceError, match=r"the schema registry at http://127.0.0.1:[0-9]+: it cannot be reached"):
            broker.create_topic(settings.namespace + TURNSTILE.name, 1)
        broker.delete_topics([settings.namespace + TURNSTILE.name])


def test_a_broker_killed_and_started_again_has_every_record_once(
    services: Services, kafka: KafkaBroker, namespace: str
) -> None:
    """The producer waits for it and sends again what was not acknowledged; nothing is lost or doubled."""
    services.ours("kafka")
    name = namespace + TURNSTILE.name
    kafka.create_topic(name, 1)
    kafka.append(name, 0, entries_at(*range(1000)))
    services.kill("kafka")
    kafka.send(name, 0, entries_at(*range(1000, 2000)))
    services.start("kafka")
    kafka.flush()
    assert read_all(kafka, name, 0, 0) == log(entries_at(*range(2000)))
