"""The route of a replay into Kafka: topics and schemas as the contract says, each record once, with its event's time.

What is there is looked at before anything is changed: a cluster that holds records of an earlier run is refused, or
cleared first where that is asked for. What stands between the ends of the run is judged as it was delivered: a record
counts when the broker has acknowledged it, or the replay ends with an error that says how many it has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cta.broker.extent import Place
from cta.broker.kafka import KafkaBroker
from cta.broker.producer import Producer
from cta.commands.leftovers import Say, find, groups_of, refuse, remove
from cta.commands.resume import Rest, beginning
from cta.model.batch import Batch
from cta.model.settings import Settings
from cta.model.topics import RECORDED, TOPICS
from cta.stack.registry import Registry


class IntoKafka:
    """A `cta.commands.replay.Route`. ``waits``: each batch is delivered before the next one is taken."""

    def __init__(
        self, broker: KafkaBroker, partitions: int, *, waits: bool, there: dict[Place, int] | None = None
    ) -> None:
        """``there``: how many records of the run each partition has already, where one is gone on with."""
        namespace = broker.settings.namespace
        self._send = Producer(broker if there is None else Rest(broker, there), partitions, namespace=namespace)
        self._waits = waits
        partitions_of = broker.admin.topics()
        for topic in TOPICS:
            if topic not in RECORDED:  # others fill them; whatever partitions they have, they are read by key
                name = namespace + topic.name
                broker.create_topic(name, partitions_of.get(name, partitions))

    def deliver(self, batch: Batch) -> Iterable[Batch]:
        if self._waits:
            self._send.send(batch)
        else:
            self._send.post(batch)
        return (batch,)

    def finish(self) -> None:
        self._send.flush()


@contextmanager
def into_kafka(
    settings: Settings, partitions: int, *, fresh: bool, waits: bool, say: Say, resume: Iterable[Batch] | None = None
) -> Iterator[IntoKafka]:
    """The route into the settings' cluster and namespace. ``say`` is told what ``fresh`` removes, before it does.

    ``resume``: the run's records, where what is there is its beginning, to be gone on with. Errors: ServiceError for a service that cannot be reached, before anything is changed; BrokerError for topics that
    hold records, that are there in another form, or for workers that run over them.
    """
    registry = Registry(settings.schema_registry_url)
    with KafkaBroker(settings, registry) as broker:
        groups = groups_of(settings)
        found = find(broker, groups, settings)
        registry.subjects()
        there = None
        if resume is not None:
            there = beginning(broker, partitions, resume)
            say(f"going on: {sum(there.values()):,} records are there, and are this run's first in every partition")
        elif fresh:
            remove(found, broker, groups, settings, say)
        else:
            refuse(found, settings)
        yield IntoKafka(broker, partitions, waits=waits, there=there)
