"""What an earlier run left on a cluster, in one namespace, and how it is removed.

The order matters: a query that is filled from a topic goes before it, a worker's memory (its changelog, its group's
offsets) goes with what it remembers, and nothing goes while a worker runs. The stations topic and its connector are a
run's where the run fills them (`cta.commands.services`). Else they stay: the rows are Postgres's, and nobody would send
them again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cta.broker.kafka import KafkaBroker
from cta.broker.kafka_client import Connection
from cta.broker.kafka_groups import KafkaGroups
from cta.model.errors import BrokerError, CtaError
from cta.model.settings import Settings
from cta.model.topics import RECORDED, STATIONS_TABLE, TURNSTILE_SUMMARY
from cta.stack.connect import Connect
from cta.stack.http import UnreachableError
from cta.stack.ksql_files import Statement
from cta.stack.ksqldb import Ksqldb
from cta.stack.namespace import identifier
from cta.stack.postgres import Postgres

APP: Final = "cta-stations"
"""What the names of the Faust apps' groups and changelogs begin with (`cta.streams.app`, which takes a second to import)."""
CHANGELOG: Final = "-changelog"
OF_A_RUN: Final = (*RECORDED, TURNSTILE_SUMMARY)
"""Topics that hold records of one run, or sums over them: a second run on top of them would be neither."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Leftovers:
    """``topics``: records in each topic that is there; ``groups``: members in each; ``objects``: ksqlDB's, by kind.

    ``connectors`` are stopped and forgotten, not removed: with their config they are made to read everything again.
    """

    topics: dict[str, int]
    groups: dict[str, int]
    objects: tuple[Statement, ...]
    unseen: str | None
    """Where ksqlDB would be, if it cannot be reached: what it may hold is not known."""
    connectors: Sequence[str] = ()

    def lines(self) -> list[str]:
        """What is there, a line each, in the order in which it is removed."""
        return [
            *(f"{made.kind.lower()} {made.name} in ksqlDB, with its query" for made in reversed(self.objects)),
            *(f"what connector {name} has read, and its slot in Postgres" for name in self.connectors),
            *(f"consumer group {name}, with its offsets" for name in self.groups),
            *(f"topic {name}, {records:,} records" for name, records in self.topics.items()),
        ]


def find(broker: KafkaBroker, groups: KafkaGroups, settings: Settings) -> Leftovers:
    """What is there of runs in the settings' namespace.

    Errors: ServiceError where Kafka cannot be reached; also of ksqlDB, where its place was given and it isn't there.
    """
    namespace = settings.namespace
    ours = {namespace + topic.name for topic in (*OF_A_RUN, STATIONS_TABLE)}
    there = [name for name in broker.topics() if name in ours or _is_changelog(name, namespace)]
    objects, unseen = _ksqldb_objects(settings)
    return Leftovers(
        topics={name: records_in(broker, name) for name in there},
        groups=groups.members(namespace + APP),
        objects=objects,
        unseen=unseen,
    )


def records_of_a_run(found: Leftovers, namespace: str) -> str:
    """``NAME RECORDS, ...``: a run's topics that hold any; empty where none does."""
    names = [namespace + topic.name for topic in OF_A_RUN]
    return ", ".join(f"{name} {found.topics[name]:,}" for name in names if found.topics.get(name))


def refuse(found: Leftovers, settings: Settings) -> None:
    """Errors: BrokerError where a run's topics hold records."""
    full = records_of_a_run(found, settings.namespace)
    if full:
        raise BrokerError(
            f"topics hold records already: {full}",
            where=f"Kafka at {settings.bootstrap_servers}",
            remedy="remove them with --fresh, or choose another --namespace",
        )


@contextmanager
def removed(found: Leftovers, broker: KafkaBroker, groups: KafkaGroups, settings: Settings, say: Say) -> Iterator[None]:
    """Remove it all; told line by line before anything is removed.

    Connectors are stopped for it, and it is for the block to resume them: where something fails before it has, they are
    resumed here, and that is said. Errors: BrokerError where a worker still runs; then nothing was removed.
    """
    running = [f"{name} ({members})" for name, members in found.groups.items() if members]
    if running:
        raise BrokerError(
            f"workers are running: {', '.join(running)}; nothing was removed",
            where=f"Kafka at {settings.bootstrap_servers}",
            remedy="stop 'cta stream' first; a worker that was killed is forgotten within seconds",
        )
    for line in found.lines():
        say(f"removing {line}")
    if found.unseen is not None:
        say(f"{found.unseen} cannot be reached: what it may hold stays")
    if found.objects:
        Ksqldb(settings.ksqldb_url).drop(found.objects)
    try:
        for name in found.connectors:
            _forget(name, settings)
        groups.delete(found.groups)
        broker.delete_topics(found.topics)
        yield
    except BaseException:  # Ctrl+C, too
        for name in found.connectors:
            say(_resumed(name, settings))
        raise


def _resumed(name: str, settings: Settings) -> str:
    """Let a connector run that may be stopped; a line that says so, or what to do where it can't be."""
    try:
        Connect(settings.connect_url).resume(name)
    except CtaError as error:
        return f"connector {name} may be stopped, for {error}; then 'cta connect restart {name}'"
    return f"connector {name} is resumed"


def _forget(name: str, settings: Settings) -> None:
    """A connector's memory, in Connect and in Postgres; it is stopped afterwards."""
    worker = Connect(settings.connect_url)
    reader = worker.reader(name)
    worker.forget(name)
    if reader is not None:
        Postgres(settings.postgres_dsn).forget_reader(reader.slot, reader.publication)


def connectors_of(worker: Connect, namespace: str) -> list[str]:
    """The connectors that fill the namespace's stations topic, by their names."""
    return [name for name in worker.names() if name.startswith(f"{namespace}stations-")]


def groups_of(settings: Settings) -> KafkaGroups:
    return KafkaGroups(Connection(settings))


def records_in(broker: KafkaBroker, name: str) -> int:
    """Offsets that can be read, over all partitions: the records, where nothing was compacted away."""
    numbers = range(broker.partitions(name))
    return sum(broker.end_offset(name, number) - broker.begin_offset(name, number) for number in numbers)


def _is_changelog(name: str, namespace: str) -> bool:
    return name.startswith(namespace + APP) and name.endswith(CHANGELOG)


def _ksqldb_objects(settings: Settings) -> tuple[tuple[Statement, ...], str | None]:
    """The stream and the table of `compose/ksql` that are there, in the order in which they were made."""
    server = Ksqldb(settings.ksqldb_url, patience_s=0.0)
    try:
        there = server.state().sources
    except UnreachableError:
        if settings.ksqldb_url != Settings().ksqldb_url:
            raise
        return (), server.where
    return tuple(made for made in _statements(settings.namespace) if made.name in there), None


def _statements(namespace: str) -> Iterable[Statement]:
    before = identifier(namespace).upper()
    return Statement("", "STREAM", f"{before}TURNSTILE"), Statement("", "TABLE", f"{before}TURNSTILE_SUMMARY")
