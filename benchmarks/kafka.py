"""full_day into Kafka and back, against bare client loops: ``python -m benchmarks.kafka [--runs N] [--bootstrap HOST:PORT]``.

Needs a broker (CTA_BOOTSTRAP_SERVERS); the numbers mean something where it runs on the same machine and does nothing
else. The loops send the same bytes with the same settings. Each measurement is a process of its own, on the clock, from
the first record to the flush; the sides take turns. A first record warms each client up, since an idempotent producer
waits for its id and a reader for the partition's leader.

    ours              simulate, split into partitions, encode, produce: what `cta replay --speed max` does
    ours, made before the same with the batches already made
    positional        a loop of produce(topic, value, key, partition, None, None, time) over encoded records
    keyword           the loop as one would write it
    AvroSerializer    confluent-kafka's own serializer, a part of the day
    read              ours: decode into batches, digest
    capture           ours: decode into batches alone
    consume           a loop of consume(10000) that looks at nothing
    getters           the same, that gets key, value and timestamp of each message
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer as Client
from confluent_kafka import Producer as BareProducer
from confluent_kafka import TopicPartition

from cta.broker.avro import Codec
from cta.broker.consumer import Consumer
from cta.broker.kafka import KafkaBroker
from cta.broker.kafka_client import COMMON
from cta.broker.kafka_producer import FIXED, PRESET
from cta.broker.kafka_reader import FIXED as READ_FIXED
from cta.broker.kafka_reader import PRESET as READ_PRESET
from cta.broker.producer import Producer
from cta.model import schemas
from cta.model.batch import Batch
from cta.model.settings import Settings
from cta.model.topics import RECORDED, TURNSTILE
from cta.network.load import chicago
from cta.recording.digest import Digest
from cta.simulation.fidelity import day_plan
from cta.simulation.run import simulate
from cta.testing.registry import NumberedSchemas

ROOT = Path(__file__).parent.parent
DAY = date(2026, 5, 13)
SEED = 1
SERIALIZED = 100_000
CHUNK = 10_000
PRODUCING = ("ours", "ours, made before", "positional", "keyword", "AvroSerializer")
READING = ("read", "capture", "consume", "getters")

Record = tuple[str, bytes, bytes, int]
"""Topic, value, key, time."""


def day() -> Iterator[Batch]:
    network = chicago()
    return simulate(network, day_plan(network, DAY, SEED))


def broker_of(bootstrap: str) -> KafkaBroker:
    return KafkaBroker(Settings(bootstrap_servers=bootstrap), NumberedSchemas())


def ours(bootstrap: str, namespace: str, batches: Iterator[Batch]) -> tuple[int, float]:
    with broker_of(bootstrap) as broker:
        producer = Producer(broker, namespace=namespace)
        warm(broker, namespace)
        began_s = perf_counter()
        records = 0
        for batch in batches:
            producer.post(batch)
            records += len(batch)
        producer.flush()
        return records, perf_counter() - began_s


def warm(broker: KafkaBroker, namespace: str) -> str:
    """One record to a topic of its own, whose name is returned."""
    name = f"{namespace}warm.{TURNSTILE.name}"
    broker.create_topic(name, 1)
    batch = next(batch for batch in day() if len(batch))
    row = next(i for i, (_, content) in enumerate(batch) if content.topic is TURNSTILE)
    broker.append(name, 0, batch[row : row + 1])
    return name


def encoded_day(namespace: str) -> list[Record]:
    registry = NumberedSchemas()
    codecs = {topic: Codec(namespace + topic.name, topic, registry) for topic in RECORDED}
    records = []
    for time_ms, content in chain.from_iterable(day()):
        _, key, value = codecs[content.topic].encode(content)
        records.append((namespace + content.topic.name, value, key, time_ms))
    return records


def bare(bootstrap: str, namespace: str, send: Callable[[Any, list[Record]], None]) -> tuple[int, float]:
    with broker_of(bootstrap) as broker:
        Producer(broker, namespace=namespace)
        warm_topic = warm(broker, namespace)
    records = encoded_day(namespace)
    client = BareProducer({**COMMON, **PRESET, **FIXED, "bootstrap.servers": bootstrap})
    client.produce(warm_topic, b"")
    client.flush(10)
    began_s = perf_counter()
    send(client, records)
    assert client.flush(60) == 0
    return len(records), perf_counter() - began_s


def positional(client: Any, records: list[Record]) -> None:
    produce, poll = client.produce, client.poll
    for start in range(0, len(records), CHUNK):
        for topic, value, key, time_ms in records[start : start + CHUNK]:
            try:
                produce(topic, value, key, 0, None, None, time_ms)
            except BufferError:
                poll(0.05)
                produce(topic, value, key, 0, None, None, time_ms)
        poll(0)


def keyword(client: Any, records: list[Record]) -> None:
    produce, poll = client.produce, client.poll
    for start in range(0, len(records), CHUNK):
        for topic, value, key, time_ms in records[start : start + CHUNK]:
            try:
                produce(topic=topic, value=value, key=key, partition=0, timestamp=time_ms)
            except BufferError:
                poll(0.05)
                produce(topic=topic, value=value, key=key, partition=0, timestamp=time_ms)
        poll(0)


def serializer(bootstrap: str, namespace: str) -> tuple[int, float]:
    import msgspec
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    registry = SchemaRegistryClient.new_client({"url": "mock://benchmark"})
    name = namespace + TURNSTILE.name
    with broker_of(bootstrap) as broker:
        Producer(broker, namespace=namespace)
    parts = schemas.load(TURNSTILE)
    key_of, value_of = (AvroSerializer(registry, json.dumps(parts[part])) for part in ("key", "value"))
    key_context = SerializationContext(name, MessageField.KEY)
    value_context = SerializationContext(name, MessageField.VALUE)
    records = [
        (time_ms, msgspec.structs.asdict(content.key), msgspec.structs.asdict(content.value))
        for time_ms, content in chain.from_iterable(day())
        if content.topic is TURNSTILE
    ][:SERIALIZED]
    client = BareProducer({**COMMON, **PRESET, **FIXED, "bootstrap.servers": bootstrap})
    began_s = perf_counter()
    for time_ms, key, value in records:
        client.produce(
            topic=name,
            value=value_of(value, value_context),
            key=key_of(key, key_context),
            partition=0,
            timestamp=time_ms,
        )
    assert client.flush(60) == 0
    return len(records), perf_counter() - began_s


def read(bootstrap: str, namespace: str, digest: bool) -> tuple[int, float]:
    with broker_of(bootstrap) as broker:
        schemas_of(broker, namespace)
        consumer = Consumer(broker, namespace=namespace)
        name = namespace + TURNSTILE.name
        broker.read(name, 0, 0, 1)
        summed, records = Digest(), 0
        began_s = perf_counter()
        for batch in consumer.poll():
            records += len(batch)
            if digest:
                summed.update(batch)
        if digest:
            print(summed.hexdigest(), file=sys.stderr)
        return records, perf_counter() - began_s


def schemas_of(broker: KafkaBroker, namespace: str) -> None:
    """Number the schemas as the producer did."""
    for topic in RECORDED:
        broker.create_topic(namespace + topic.name, 1)


def consume(bootstrap: str, namespace: str, getters: bool) -> tuple[int, float]:
    with broker_of(bootstrap) as broker:
        ends = {topic.name: broker.end_offset(namespace + topic.name, 0) for topic in RECORDED}
    client = Client(
        {**COMMON, **READ_PRESET, **READ_FIXED, "bootstrap.servers": bootstrap, "enable.partition.eof": False}
    )
    name = namespace + TURNSTILE.name
    client.list_topics(name, timeout=10)
    client.assign([TopicPartition(name, 0, 0)])
    client.consume(1, 10)
    client.assign([TopicPartition(namespace + topic, 0, 0) for topic, end in ends.items() if end])
    records, total = 0, sum(ends.values())
    began_s = perf_counter()
    while records < total:
        messages = client.consume(min(CHUNK, total - records), 0.5)
        if getters:
            [(message.key(), message.value(), message.timestamp()) for message in messages]
        records += len(messages)
    wall_s = perf_counter() - began_s
    client.close()
    return records, wall_s


def measure(side: str, bootstrap: str, namespace: str) -> tuple[int, float]:
    sides: dict[str, Callable[[], tuple[int, float]]] = {
        "ours": lambda: ours(bootstrap, namespace, day()),
        "ours, made before": lambda: ours(bootstrap, namespace, iter(list(day()))),
        "positional": lambda: bare(bootstrap, namespace, positional),
        "keyword": lambda: bare(bootstrap, namespace, keyword),
        "AvroSerializer": lambda: serializer(bootstrap, namespace),
        "read": lambda: read(bootstrap, namespace, digest=True),
        "capture": lambda: read(bootstrap, namespace, digest=False),
        "consume": lambda: consume(bootstrap, namespace, getters=False),
        "getters": lambda: consume(bootstrap, namespace, getters=True),
    }
    return sides[side]()


def in_a_process(side: str, bootstrap: str, namespace: str) -> float | None:
    """Records a second; None where it could not be run, which is said."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.kafka",
        "--side",
        side,
        "--bootstrap",
        bootstrap,
        "--namespace",
        namespace,
    ]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        print(f"{side}: {(finished.stderr.strip().splitlines() or ['failed'])[-1]}", file=sys.stderr)
        return None
    records, wall_s = json.loads(finished.stdout)
    return float(records / wall_s)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kafka", description="Rates into Kafka and back.")
    parser.add_argument("--bootstrap", default=os.environ.get("CTA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    parser.add_argument("--namespace", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure(options.side, options.bootstrap, options.namespace)))
        return
    rates: dict[str, list[float]] = {side: [] for side in (*PRODUCING, *READING)}
    for turn in range(options.runs):
        namespaces = {side: f"bench-{uuid4().hex[:8]}." for side in PRODUCING}
        for side in rates:
            print(f"turn {turn + 1} of {options.runs}: {side}", file=sys.stderr)
            namespace = namespaces.get(side, namespaces["ours"])
            rate = in_a_process(side, options.bootstrap, namespace)
            if rate is not None:
                rates[side].append(rate)
        with broker_of(options.bootstrap) as broker:
            broker.delete_topics([name for name in broker.topics() if name.startswith(tuple(namespaces.values()))])
    for side, measured in rates.items():
        baselines = [name for name in (PRODUCING if side in PRODUCING else READING) if rates[name] and name != side]
        ratios = ", ".join(
            f"{median(a / b for a, b in zip(measured, rates[name], strict=False)):.2f} of {name}" for name in baselines
        )
        if measured:
            print(
                f"{side:18} {median(measured) / 1e6:.2f} M/s   {ratios if side in ('ours', 'ours, made before', 'read', 'capture') else ''}"
            )


if __name__ == "__main__":
    main()
