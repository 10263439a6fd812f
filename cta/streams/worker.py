"""A worker of the Faust app: what it needs is looked for first, readiness is said when it is so, and SIGTERM ends it.

Any number of workers share the work of a job: they are one consumer group, named after the app.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

from faust.tables.manager import TableManager
from faust.transport.consumer import Consumer
from faust.worker import Worker

from cta.broker.kafka_admin import KafkaAdmin
from cta.broker.kafka_client import Connection
from cta.model.errors import BrokerError, ServiceError
from cta.model.topics import TURNSTILE
from cta.streams.app import Job, Streams

READY_POLL_S: Final = 0.1
Say = Callable[[str], None]


def partitions_of(job: Job) -> dict[str, int]:
    """How many partitions each of the job's topics has.

    Errors: ServiceError where the broker cannot be reached, BrokerError where a topic is missing.
    """
    connection = Connection(job.settings)
    there = KafkaAdmin(connection, job.settings.replication_factor).topics()
    missing = [topic for topic in job.topics if topic not in there]
    if missing:
        remedy = "make the topics first: 'cta replay ... --to kafka' does"
        raise BrokerError(f"no topic {', '.join(missing)}", where=connection.where, remedy=remedy)
    return {topic: there[topic] for topic in job.topics}


def run(job: Job, say: Say) -> None:
    """Run a worker until it is told to stop. ``say`` is given a line when it gets ready, and at the end.

    The table gets as many partitions as its source has now, whatever ``job`` says. Errors: those of `partitions_of`;
    ServiceError where the worker could not go on.
    """
    there = partitions_of(job)
    job = replace(job, partitions=there.get(job.settings.namespace + TURNSTILE.name, 1))
    streams = Streams(job)
    _say_when_ready(streams, say)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it can't do, it tries again
    worker = Worker(
        streams.app, quiet=True, loglevel="WARNING", redirect_stdouts=False, stdout=sys.stderr, stderr=sys.stderr
    )
    worker.spinner = None  # it writes to what isn't a terminal, too
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        say(_summary(streams))
        if end.code:
            raise ServiceError(
                f"the worker {job.app_id} could not go on",
                where=f"Kafka at {job.settings.bootstrap_servers}",
                remedy="see its log above; start it again once the broker is back: nothing is lost or counted twice",
            ) from None


def _say_when_ready(streams: Streams, say: Say) -> None:
    """Say so after each rebalance, once the worker's tables are recovered and its records flow."""
    app = streams.app
    said: list[tuple[int, frozenset[Any]]] = []

    async def look() -> None:
        consumer, tables = cast(Consumer, app.consumer), cast(TableManager, app.tables)
        if app.rebalancing or not consumer.flow_active or not tables.recovery.completed.is_set():
            return
        assigned = frozenset(tp for tp in consumer.assignment() if tp.topic in streams.job.topics)
        now = (app.consumer_generation_id, assigned)
        if said != [now]:
            said[:] = [now]
            parts = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in sorted(assigned)) or "no partition of its own"
            say(f"ready: {streams.job.app_id} reads {parts}")

    app.timer(READY_POLL_S, on_leader=False)(look)


def _summary(streams: Streams) -> str:
    read = ", ".join(f"{n:,} of {topic}" for topic, n in sorted(streams.records.items())) or "nothing"
    bad = sum(streams.bad.values())
    return f"stopped: read {read}; {bad:,} bad records passed over"
