"""The Faust app: platform rows into the stations table, and, where it is asked to, entries counted by station.

Delivery is at least once, so both jobs give the same when a record comes again: a row of the table is its last value a
key, and counting passes over offsets that it has counted (`cta.streams.counting`).

The count is exact through crashes and rebalances because the worker keeps the places itself. Faust takes a record that
it skips while partitions move for one that was processed, and its ``take`` loses records; so its acknowledgements are
off (``acks=False``) and records are gathered here. A batch's states go to the changelog and its totals to the topic,
their delivery is waited for, and only then are the batch's offsets committed. What was delivered and not committed comes
again and is passed over; its total is said again, in case the crash came between the changelog and the topic. Partitions
are given up only between two batches.

A station's state stands in the changelog partition of its source partition: whoever takes the partition over reads it.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, cast

import faust
from aiokafka.errors import IllegalStateError
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from faust.transport.consumer import Consumer
from faust.types import TP, EventT, StreamT, TopicT

from cta.broker.kafka_client import Connection
from cta.model.errors import RecordError
from cta.model.settings import Settings
from cta.model.topics import STATIONS, STATIONS_TABLE, TURNSTILE, TURNSTILE_SUMMARY
from cta.pipeline.turnstile_summary import encode_key, encode_value
from cta.streams.counting import decoded
from cta.streams.credentials import faust_settings
from cta.streams.order import InOrder
from cta.streams.records import check_entry, station_of_entry, station_table_records

BATCH_RECORDS: Final = 10_000
BATCH_S: Final = 0.25
SESSION_TIMEOUT_S: Final = 6.0
"""After so long without a heartbeat a killed worker's partitions go to the others; a broker's default minimum."""
SENT_BACK_AGAIN_S: Final = 1.0
"""A record that Faust has in hand while it is sent back makes it forget that it was."""
STATIONS_ID: Final = "cta-stations"
SUMMARY_ID: Final = "cta-stations-and-summary"
TABLE: Final = "turnstile_summary"
"""The changelog is ``{app}-turnstile_summary-changelog``."""

log = logging.getLogger("cta.stream")
Event = EventT[Any]


@dataclass(frozen=True)
class Job:
    """What a worker does where. ``partitions``: of the turnstile topic, and so of the table of its counts."""

    settings: Settings
    summary: bool = False
    partitions: int = 1

    @property
    def app_id(self) -> str:
        """The consumer group. Workers with and without counting do not share one: they read other topics."""
        return self.settings.namespace + (SUMMARY_ID if self.summary else STATIONS_ID)

    @property
    def topics(self) -> tuple[str, ...]:
        """What it reads and writes; all of it has to be there."""
        used = (STATIONS, STATIONS_TABLE, TURNSTILE, TURNSTILE_SUMMARY) if self.summary else (STATIONS, STATIONS_TABLE)
        return tuple(self.settings.namespace + topic.name for topic in used)


class Streams:
    """The app of a job and what its worker has seen: ``records`` by topic, ``bad`` of them."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.records: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self._waiting: list[Event] = []
        self._batch = asyncio.Lock()
        self._generation: int | None = None
        """The group's generation whose records are taken; None while partitions move."""
        self._order: dict[TP, InOrder] = {}
        self._sent_back_s: dict[TP, float] = {}
        """When the consumer was last sent back, by the partition that waits for it."""
        self._admin = Connection(job.settings).client(AdminClient, {}, {})
        self.app = _app(job)
        self.app.on_partitions_revoked.connect(self._give_up)
        self.app.on_partitions_assigned.connect(self._take_up)
        self.app.task(self._deliver_often)
        self._sources: set[str] = set()
        self._stations_name = self._agent(STATIONS.name)
        self._table_topic = self._topic(STATIONS_TABLE.name)
        if job.summary:
            self._agent(TURNSTILE.name)
            self._summary_topic = self._topic(TURNSTILE_SUMMARY.name)
            self._counts = self.app.Table(TABLE, partitions=job.partitions, key_type=bytes, value_type=bytes)

    def _agent(self, name: str) -> str:
        """Gather a topic's records; gives its name with the namespace."""
        topic = self._topic(name)
        self.app.agent(topic, name=name)(self._gather)
        self._sources.add(self.job.settings.namespace + name)
        return self.job.settings.namespace + name

    def _topic(self, name: str) -> TopicT:
        return self.app.topic(
            self.job.settings.namespace + name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            acks=False,
        )

    async def _gather(self, stream: StreamT[Any]) -> None:
        async for event in stream.events():
            if event.message.generation_id == self._generation:
                self._waiting.append(event)
                if len(self._waiting) >= BATCH_RECORDS:
                    await self._deliver()

    async def _deliver_often(self) -> None:
        while not self.app.should_stop:
            await self.app.sleep(BATCH_S)
            await self._deliver()
            await self._go_back()

    async def _deliver(self) -> None:
        """Process what was gathered, wait until the broker has what came of it, and commit."""
        async with self._batch:
            batch, self._waiting = self._waiting, []
            taken = [event for event in batch if self._order[event.message.tp].take(event.message.offset)]
            if not taken:
                return
            rows = [event for event in taken if event.message.topic == self._stations_name]
            entries = [event for event in taken if event.message.topic != self._stations_name]
            await _delivered([*await self._table_rows(rows), *await self._totals(entries)])
            places = {event.message.tp: self._order[event.message.tp].expected for event in taken}
            await cast(Consumer, self.app.consumer)._commit(places)

    async def _go_back(self) -> None:
        """Send the consumer back where records are missing, and again where it took no notice of it.

        In the consumer's own thread: its buffers know no other, and it may be reading from them.
        """
        for tp, order in list(self._order.items()):
            if not order.is_waiting:
                self._sent_back_s.pop(tp, None)
            elif monotonic() - self._sent_back_s.get(tp, -math.inf) > SENT_BACK_AGAIN_S:
                self._sent_back_s[tp] = monotonic()
                with suppress(IllegalStateError):  # it moved meanwhile: whoever has it now begins where was committed
                    await cast(Consumer, self.app.consumer).seek_wait({tp: order.expected})

    async def _table_rows(self, rows: Iterable[Event]) -> list[Awaitable[Any]]:
        """Platforms' rows into the table's; one that is no row is counted, logged and passed over."""
        sent: list[Awaitable[Any]] = []
        for event in rows:
            self.records[STATIONS.name] += 1
            try:
                made = station_table_records(event.message.value)
            except RecordError as error:
                self._pass_over(STATIONS.name, event, error)
                continue
            sent += [await self._table_topic.send(key=key, value=value) for key, value in made]
        return sent

    async def _totals(self, entries: Iterable[Event]) -> list[Awaitable[Any]]:
        """Entries into totals; a key that is no station, or a value that is no entry, is counted, logged and passed over."""
        places: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for event in entries:
            self.records[TURNSTILE.name] += 1
            try:
                station_id = station_of_entry(event.message.key)
                check_entry(event.message.value)
            except RecordError as error:
                self._pass_over(TURNSTILE.name, event, error)
                continue
            places[station_id, event.message.partition].append(event.message.offset)
        sent: list[Awaitable[Any]] = []
        for (station_id, partition), offsets in places.items():
            sent += await self._total(station_id, partition, offsets)
        return sent

    async def _total(self, station_id: int, partition: int, offsets: Sequence[int]) -> list[Awaitable[Any]]:
        """Count a station's entries; its state is on its way to the changelog, and its total to the topic."""
        key = str(station_id).encode()
        states = self._counts.data
        state = decoded(states.get(key)).counted(partition, offsets)
        states[key] = encoded = state.encoded()
        total = encode_value(station_id, state.count)
        return [
            await self._counts.changelog_topic.send(key=key, value=encoded, partition=partition),
            await self._summary_topic.send(key=encode_key(station_id), value=total),
        ]

    async def _give_up(self, app: Any, /, *revoked: Any, signal: Any, **more: Any) -> None:
        """Partitions are about to move: finish the batch at hand, forget what only waits, take nothing more."""
        self._generation = None
        async with self._batch:
            self._waiting.clear()

    async def _take_up(self, app: Any, assigned: Iterable[TP] = (), /, *args: Any, signal: Any, **more: Any) -> None:
        """Partitions are this worker's: it goes on from what was committed, and from 0 where nothing was."""
        wanted = [TopicPartition(tp.topic, tp.partition) for tp in assigned if tp.topic in self._sources]
        self._order, self._sent_back_s = {}, {}
        if wanted:
            group = ConsumerGroupTopicPartitions(self.job.app_id, wanted)
            answer = self._admin.list_consumer_group_offsets([group])[self.job.app_id]
            for place in (await asyncio.wrap_future(answer)).topic_partitions:
                dense = place.topic != self._stations_name
                self._order[TP(place.topic, place.partition)] = InOrder(max(0, place.offset), dense=dense)
        self._generation = self.app.consumer_generation_id

    def _pass_over(self, topic: str, event: Event, error: RecordError) -> None:
        self.bad[topic] += 1
        place = f"{event.message.topic}, partition {event.message.partition}, offset {event.message.offset}"
        log.warning("%s: passed over, bad record %d of this worker: %s", place, self.bad[topic], error)


def _app(job: Job) -> faust.App:
    return faust.App(
        job.app_id,
        broker=[f"kafka://{server.strip()}" for server in job.settings.bootstrap_servers.split(",")],
        store="memory://",
        web_enabled=False,
        topic_partitions=job.partitions,
        topic_replication_factor=job.settings.replication_factor,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=SESSION_TIMEOUT_S / 4,
        consumer_auto_offset_reset="earliest",
        stream_buffer_maxsize=BATCH_RECORDS,
        stream_wait_empty=False,
        **faust_settings(job.settings.kafka),
    )


async def _delivered(sent: Sequence[Awaitable[Any]]) -> None:
    """Wait until the broker has all of it. Errors: what went wrong with the first that it hasn't."""
    if sent:
        done, _ = await asyncio.wait([asyncio.ensure_future(delivery) for delivery in sent])
        for delivery in done:
            delivery.result()
