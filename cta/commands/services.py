"""The way into Kafka that the original project went: weather by the REST Proxy, stations by Postgres and Connect.

Each record goes at least once; how many may be there more often is counted. Whatever fills the stations topic is left as
it is found: a connector of the namespace with its own config, or none, and then the one of the checkout is made.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cta.broker.kafka import KafkaBroker
from cta.commands.leftovers import Leftovers, Say, connectors_of, records_in
from cta.commands.tables import last_values
from cta.model import schemas
from cta.model.batch import Batch
from cta.model.errors import InputError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import STATIONS, WEATHER
from cta.stack.connect import Connect, Connector, read
from cta.stack.postgres import Postgres
from cta.stack.rest_proxy import AvroRecord, RestProxy
from cta.stack.stations_table import KEY
from cta.stack.wait import PATIENCE_S, MachineClock, until

CONNECTOR: Final = Path("compose/connectors/stations-debezium.json")
POLL_S: Final = 0.25
"""Each look reads the stations topic whole."""


class WeatherByProxy:
    """A sink that hands weather to the REST Proxy, and all else to the broker. ``repeated``: of weather's records."""

    def __init__(self, broker: KafkaBroker, proxy: RestProxy) -> None:
        self._broker, self._proxy = broker, proxy
        self._topic = broker.settings.namespace + WEATHER.name
        self._schemas = schemas.load(WEATHER)
        self.repeated = 0

    def create_topic(self, name: str, partitions: int) -> None:
        self._broker.create_topic(name, partitions)

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        if topic != self._topic:
            self._broker.send(topic, partition, batch)
            return
        if any(content.topic is not WEATHER for _, content in batch):  # bytes that the proxy has no schema for
            self._broker.send(topic, partition, batch)
            self._broker.flush()
            return
        records = [  # without the time, for which v2 has no place: it is in the key
            AvroRecord(partition, msgspec.to_builtins(content.key), msgspec.to_builtins(content.value))
            for _, content in batch
        ]
        self.repeated += self._proxy.send(topic, records, self._schemas).repeated

    def flush(self) -> None:
        self._broker.flush()


class Services:
    """The services beside the broker. ``repeated_rows``: how many of the stations topic's came again unchanged."""

    def __init__(self, settings: Settings) -> None:
        self.proxy = RestProxy(settings.rest_proxy_url)
        self._database = Postgres(settings.postgres_dsn)
        self._worker = Connect(settings.connect_url)
        self._namespace = settings.namespace
        self._topic = settings.namespace + STATIONS.name
        self.repeated_rows = 0

    def check(self) -> None:
        """Errors: ServiceError for one that cannot be reached; InputError where there is no connector to be had."""
        self.proxy.check()
        self._database.version()
        if not connectors_of(self._worker, self._namespace):
            self._of_checkout()

    def added_to(self, found: Leftovers, broker: KafkaBroker) -> Leftovers:
        """With the stations topic and its connectors: on this way they are the run's, and are filled anew."""
        there = [self._topic] if self._topic in broker.topics() else []
        topics = found.topics | {name: records_in(broker, name) for name in there}
        return dataclasses.replace(found, topics=topics, connectors=connectors_of(self._worker, self._namespace))

    def fill_stations(self, broker: KafkaBroker, rows: Sequence[Mapping[str, Any]], say: Say, *, fresh: bool) -> None:
        """Return when the topic has every row as it was loaded. ``fresh``: the connectors' memory is gone, or is to go.

        Errors: ServiceError where the connector fails, or where rows do not come.
        """
        right = _right(broker, self._topic, rows)
        before = records_in(broker, self._topic)
        loaded = self._database.load([dict(row) for row in rows])
        names = connectors_of(self._worker, self._namespace)
        if not names:
            made = self._of_checkout()
            self._worker.put(made)
            names = [made.name]
            if fresh and self._worker.offsets(made.name):  # of one that was deleted, and not forgotten
                self._worker.forget(made.name)
        for name in names:
            self._worker.resume(name)
            self._worker.wait_running(name)

        def look() -> bool | None:
            return True if _right(broker, self._topic, rows) == len(rows) else None

        def late() -> ServiceError:
            states = ", ".join(str(self._worker.wait_running(name, 0.0)) for name in names)
            there = _right(broker, self._topic, rows)
            return ServiceError(
                f"topic {self._topic} has {there} of {len(rows)} rows as Postgres has them after {PATIENCE_S:g} s: {states}",
                where=self._worker.where,
                remedy="--fresh makes it read everything anew; does it read this database?",
            )

        until(look, late, clock=MachineClock(), poll_s=POLL_S)
        self.repeated_rows = max(0, records_in(broker, self._topic) - before - (len(rows) - right))
        changed = loaded.inserted + loaded.updated + loaded.deleted
        say(f"stations: {len(rows)} rows in Postgres ({changed} changed) and, by {', '.join(names)}, in Kafka")

    def _of_checkout(self) -> Connector:
        try:
            return read(CONNECTOR, namespace=self._namespace)
        except InputError as error:
            remedy = "run it in a checkout of cta, or make a connector first: 'cta connect apply FILE'"
            raise InputError(error.what, where=error.where, remedy=remedy) from None


def _right(broker: KafkaBroker, topic: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """How many rows the topic has as they are, by the last value a key."""
    values = [_object(value) for value in last_values(broker, topic).values()]
    there = {value.get(KEY): value for value in values}
    return sum(there.get(row[KEY]) == row for row in rows)


def _object(value: bytes) -> dict[str, Any]:
    """The JSON object that it is; an empty one for anything else."""
    try:
        return msgspec.json.decode(value, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
