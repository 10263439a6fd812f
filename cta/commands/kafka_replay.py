"""The route of a replay into Kafka: topics and schemas as the contract says, each record with its event's time.

What is there is looked at before anything is changed: a cluster that holds records of an earlier run is refused, or
cleared first where that is asked for. What stands between the ends of the run is judged as it was delivered: a record
counts when the broker has acknowledged it, or the replay ends with an error that says how many it has not.

By the broker alone each record goes once. `cta.commands.services` is the other way, on which each goes at least once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from typing import Literal

from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer, Sink
from cta.commands.lag import Lag, Unread
from cta.commands.leftovers import APP, Say, find, groups_of, refuse, removed
from cta.commands.resume import Rest, beginning
from cta.commands.services import Services, WeatherByProxy
from cta.commands.target import Run
from cta.model.batch import Batch
from cta.model.settings import Settings
from cta.model.topics import RECORDED, STATIONS, TOPICS, WEATHER, Place
from cta.stack.registry import Registry

Via = Literal["broker", "services"]


class IntoKafka:
    """A `cta.commands.replay.Route`. ``waits``: each batch is delivered before the next one is taken."""

    def __init__(
        self,
        broker: KafkaBroker,
        partitions: int,
        *,
        waits: bool,
        unread: Unread,
        there: dict[Place, int] | None = None,
        services: Services | None = None,
    ) -> None:
        """``there``: how many records of the run each partition has already, where one is gone on with."""
        namespace = broker.settings.namespace
        self._broker, self._unread, self._services = broker, unread, services
        self._proxied = None if services is None else WeatherByProxy(broker, services.proxy)
        sink: Sink = broker if there is None else Rest(broker, there)
        self._send = Producer(self._proxied or sink, partitions, namespace=namespace)
        self._waits = waits
        partitions_of = broker.admin.topics()
        for topic in TOPICS:
            if topic not in RECORDED:  # others fill them; whatever partitions they have, they are read by key
                name = namespace + topic.name
                broker.create_topic(name, partitions_of.get(name, partitions))

    @property
    def via(self) -> Via:
        return "broker" if self._services is None else "services"

    @property
    def repeated(self) -> Mapping[str, int]:
        if self._services is None or self._proxied is None:
            return {}
        return {WEATHER.short: self._proxied.repeated, STATIONS.short: self._services.repeated_rows}

    def deliver(self, batch: Batch) -> Iterable[Batch]:
        if self._waits:
            self._send.send(batch)
        else:
            self._send.post(batch)
        return (batch,)

    def finish(self) -> None:
        self._send.flush()

    def lag(self, *, now: bool = False) -> Lag:
        unread = self._unread.now() if now else self._unread.last()
        return Lag(unacknowledged_records=self._broker.unacknowledged, unread_records=unread)


@contextmanager
def into_kafka(
    settings: Settings,
    run: Run,
    partitions: int,
    *,
    via: Via,
    fresh: bool,
    waits: bool,
    say: Say,
    resume: Iterable[Batch] | None = None,
) -> Iterator[IntoKafka]:
    """The route into the settings' cluster and namespace. ``say`` is told what ``fresh`` removes, before it does.

    ``resume``: the run's records, where what is there is its beginning, to be gone on with; by the broker alone.
    Errors: ServiceError for a service that cannot be reached, before anything is changed; BrokerError for topics that
    hold records, that are there in another form, or for workers that run over them.
    """
    registry = Registry(settings.schema_registry_url)
    with KafkaBroker(settings, registry, unreadable="raw") as broker:
        groups = groups_of(settings)
        services = Services(settings) if via == "services" else None
        found = find(broker, groups, settings)
        registry.subjects()
        if services is not None:
            services.check()
            found = services.added_to(found, broker)
        there = None
        if resume is not None:
            there = beginning(broker, partitions, resume)
            say(f"going on: {sum(there.values()):,} records are there, and are this run's first in every partition")
        elif not fresh:
            refuse(found, settings)
        with closing(Unread(lambda: groups.unread(settings.namespace + APP))) as unread:
            with removed(found, broker, groups, settings, say) if fresh else nullcontext():
                route = IntoKafka(broker, partitions, waits=waits, unread=unread, there=there, services=services)
                if services is not None:
                    services.fill_stations(broker, run.station_rows(), say, fresh=fresh)
            yield route
