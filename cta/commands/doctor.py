"""Doctor: what stands in the way of a replay, service by service, each finding with what to do about it.

Nothing is changed. Kafka and the registry are needed; a service that is at its default address and doesn't answer is
one that isn't used, and a note. A run that is there already is no problem either: a replay would refuse it, and that
is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from cta.broker.kafka import KafkaBroker
from cta.broker.kafka_admin import topic_config
from cta.commands.leftovers import CHANGELOG, connectors_of, find, groups_of, records_of_a_run
from cta.model import schemas
from cta.model.errors import BrokerError, CtaError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import RECORDED, STATIONS, TOPICS, TURNSTILE
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows
from cta.stack.connect import Connect
from cta.stack.ksqldb import Ksqldb
from cta.stack.postgres import Postgres
from cta.stack.registry import COMPATIBILITY, Registry
from cta.stack.rest_proxy import RestProxy

Level = Literal["ok", "note", "problem", "unreachable"]

EXIT_CODES: Final[dict[Level, int]] = {"ok": 0, "note": 0, "problem": 1, "unreachable": 3}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``remedy``: what to do, where there is something to do."""

    level: Level
    where: str
    what: str
    remedy: str | None = None

    @classmethod
    def of(cls, error: CtaError, level: Level) -> Finding:
        return cls(level, error.where or "", error.what, error.remedy)

    def __str__(self) -> str:
        remedy = "" if self.remedy is None else f"; {self.remedy}"
        return f"{self.level:<12} {self.where}: {' '.join(self.what.split())}{remedy}"


Check = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings) -> Iterator[Finding]:
    """The findings, service by service; a service that cannot be reached ends its own part only."""
    given = Settings()
    for setting, check in _CHECKS.items():
        needed = setting in _NEEDED or getattr(settings, setting) != getattr(given, setting)
        try:
            yield from check(settings)
        except ServiceError as error:
            yield Finding.of(error, "unreachable" if needed else "note")
        except CtaError as error:
            yield Finding.of(error, "problem")


def exit_code(findings: Iterable[Finding]) -> int:
    """0 where nothing stands in the way, 1 where something does, 3 where a service cannot be reached."""
    return max((EXIT_CODES[finding.level] for finding in findings), default=0)


def as_json(settings: Settings, findings: Iterable[Finding]) -> str:
    """The object that ``cta doctor --json`` prints, on one line; settings without secrets."""
    return msgspec.json.encode({"settings": settings.shown(), "findings": list(findings)}).decode()


def _kafka(settings: Settings) -> Iterator[Finding]:
    with KafkaBroker(settings, Registry(settings.schema_registry_url)) as broker:
        there = broker.admin.topics()
        where = f"Kafka at {settings.bootstrap_servers}"
        yield Finding("ok", where, f"reachable, {len(there)} topics")
        yield from _generation(broker, where)
        yield from _topics(broker, there, settings)
        yield from _partitions(there, settings.namespace, where)
        yield from _leftovers(broker, there, settings, where)


def _generation(broker: KafkaBroker, where: str) -> Iterator[Finding]:
    """Kafka's protocol tells no version; a broker that knows the setting that a replay needs is of 3.6 or later."""
    try:
        known = broker.admin.broker_config()
    except BrokerError as error:
        yield Finding("note", where, f"whether it is 3.6 or later is not told: {error.what}")
        return
    if "log.message.timestamp.after.max.ms" in known:
        yield Finding("ok", where, "version 3.6 or later")
    else:
        yield Finding(
            "problem", where, "older than 3.6: it refuses records dated ahead of its clock", "use a newer Kafka"
        )


def _topics(broker: KafkaBroker, there: dict[str, int], settings: Settings) -> Iterator[Finding]:
    """Whether topics are as the contract says: event times kept, never too old or too new, compacted or not."""
    names = [settings.namespace + topic.name for topic in TOPICS]
    missing = [name for name in names if name not in there]
    if missing:
        where = f"Kafka at {settings.bootstrap_servers}"
        yield Finding("note", where, f"not there yet: {', '.join(missing)}", "'cta replay ... --to kafka' makes them")
    for name in names:
        if name not in there:
            continue
        config = broker.admin.config(name)
        wrong = [
            f"{key}={config.get(key)}, not {value}"
            for key, value in topic_config(name).items()
            if config.get(key) != value
        ]
        where = f"topic {name}"
        if wrong:
            fresh = "--via services --fresh" if name.endswith(STATIONS.name) else "--fresh"
            yield Finding("problem", where, f"has {' and '.join(wrong)}", f"alter it, or remove it with {fresh}")
        else:
            yield Finding("ok", where, f"as the contract says; partitions: {there[name]}")


def _partitions(there: dict[str, int], namespace: str, where: str) -> Iterator[Finding]:
    """Whether a run's topics have as many partitions as one another: a replay makes them so."""
    counts = {namespace + topic.name: there.get(namespace + topic.name) for topic in RECORDED}
    found = {count for count in counts.values() if count is not None}
    if len(found) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items() if count is not None)
        yield Finding("problem", where, f"topics of one run have different partitions: {told}", "remove them: --fresh")


def _leftovers(broker: KafkaBroker, there: dict[str, int], settings: Settings, where: str) -> Iterator[Finding]:
    """What an earlier run left, who is still at work on it, and a worker's table that no longer fits."""
    left = find(broker, groups_of(settings), settings)
    full = records_of_a_run(left, settings.namespace)
    if full:
        remedy = "a replay needs --fresh, or another --namespace"
        yield Finding("note", where, f"a run is there: {full} records", remedy)
    for group, members in left.groups.items():
        what = f"{members} at work" if members else "nobody at work; its place in the topics is kept"
        yield Finding("ok", f"consumer group {group}", what)
    partitions = there.get(settings.namespace + TURNSTILE.name)
    for name in left.topics:
        if name.endswith(CHANGELOG) and there[name] != partitions:
            what = f"has {there[name]} partitions, and the topic that it counts {partitions}"
            yield Finding("problem", f"topic {name}", what, "remove both with --fresh")


def _registry(settings: Settings) -> Iterator[Finding]:
    registry = Registry(settings.schema_registry_url)
    there = set(registry.subjects())
    yield Finding("ok", registry.where, f"reachable, {registry.version() or 'version not told'}, {len(there)} subjects")
    for topic in RECORDED:
        for part, schema in schemas.load(topic).items():
            subject = f"{settings.namespace}{topic.name}-{part}"
            if subject not in there:
                continue
            where = f"subject {subject}"
            if not registry.is_compatible(subject, schema):
                remedy = "use another --namespace, or delete the subject"
                yield Finding("problem", where, "holds a schema that ours can't follow", remedy)
            elif (mode := registry.compatibility(subject)) != COMPATIBILITY:
                yield Finding("note", where, f"its compatibility is {mode}", f"a replay sets it to {COMPATIBILITY}")


def _connect(settings: Settings) -> Iterator[Finding]:
    worker = Connect(settings.connect_url)
    yield Finding("ok", worker.where, f"reachable, version {worker.version()}")
    names = connectors_of(worker, settings.namespace)
    if not names:
        yield Finding("note", worker.where, f"no connector fills {STATIONS.name}", "'cta connect apply' makes one")
    for name in names:
        status = worker.status(name)
        start = f"'cta connect restart {name}'"
        if status is None:
            yield Finding("note", f"connector {name}", "removed meanwhile", "'cta connect apply' makes it anew")
        elif status.failure is not None:
            yield Finding("problem", f"connector {name}", status.failure, f"put right what it says, then {start}")
        elif not status.running:
            yield Finding("problem", f"connector {name}", str(status), f"{start} starts it")
        else:
            read = "it has read rows" if worker.offsets(name) else "it has read nothing yet"
            yield Finding("ok", f"connector {name}", f"RUNNING, {read}")


def _ksqldb(settings: Settings) -> Iterator[Finding]:
    server = Ksqldb(settings.ksqldb_url, patience_s=0.0)
    yield Finding("ok", server.where, f"reachable, version {server.wait_ready()}")
    for query in server.state().queries:
        level: Level = "ok" if query.state == "RUNNING" else "problem"
        remedy = None if level == "ok" else "see its log; 'cta ksql drop' and 'cta ksql apply' make it anew"
        yield Finding(level, f"query {query.query_id}", query.state, remedy)


def _postgres(settings: Settings) -> Iterator[Finding]:
    database = Postgres(settings.postgres_dsn)
    yield Finding("ok", database.where, f"reachable, version {database.version()}")
    rows = database.rows()
    same = rows == platform_rows(chicago())
    what = f"stations has {len(rows)} rows" + ("" if same else ", which are not the network's")
    yield Finding("ok" if same else "note", database.where, what)


def _rest_proxy(settings: Settings) -> Iterator[Finding]:
    proxy = RestProxy(settings.rest_proxy_url)
    proxy.check()
    yield Finding("ok", proxy.where, "reachable, and it reaches Kafka; it tells no version")


_NEEDED: Final = ("bootstrap_servers", "schema_registry_url")
_CHECKS: Final[dict[str, Check]] = {
    "bootstrap_servers": _kafka,
    "schema_registry_url": _registry,
    "postgres_dsn": _postgres,
    "connect_url": _connect,
    "ksqldb_url": _ksqldb,
    "rest_proxy_url": _rest_proxy,
}
"""By the setting that says where the service is, in the order in which they are looked at."""
