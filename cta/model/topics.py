"""The contract's topics, a row each. Adding a topic is a row here and the transform that fills or reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from msgspec import Struct

from cta.model.records import Alert, AlertKey, Arrival, Entry, StationKey, TrainKey, Weather, WeatherKey

EventTimeSource = Literal["record", "key", "none"]
Cleanup = Literal["delete", "compact"]
ComparedAs = Literal["records", "last value a key"]

Place = tuple[str, int]
"""A topic's name and a partition of it."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What there is to know about a topic before it is made, written, read or compared."""

    name: str
    short: str
    """The word for it on the command line and in a scenario's ``expect``."""
    rank: int
    """Its place among records of the same millisecond."""
    key_type: type[Struct] | None
    value_type: type[Struct] | None
    """None: JSON or bytes that another service writes; never part of the digest."""
    event_time: EventTimeSource
    entity_field: str | None
    """The key's field whose text names the partition; None: one entity, the topic's ``short``."""
    cleanup: Cleanup
    compared_as: ComparedAs

    def entity(self, key: Any) -> str:
        """The partition entity of a key: its records keep their order whatever the number of partitions."""
        return self.short if self.entity_field is None else str(getattr(key, self.entity_field))


ARRIVALS: Final = Topic(
    "org.chicago.cta.stations.arrivals.v1", "arrivals", 0, TrainKey, Arrival, "record", "train_id", "delete", "records"
)
TURNSTILE: Final = Topic(
    "org.chicago.cta.turnstile.v1", "turnstile", 1, StationKey, Entry, "record", "station_id", "delete", "records"
)
WEATHER: Final = Topic(
    "org.chicago.cta.weather.v1", "weather", 2, WeatherKey, Weather, "key", None, "delete", "records"
)
ALERTS: Final = Topic(
    "org.chicago.cta.alerts.v1", "alerts", 3, AlertKey, Alert, "record", "alert_id", "compact", "records"
)
STATIONS: Final = Topic(
    "org.chicago.cta.stations", "stations", 4, None, None, "none", None, "compact", "last value a key"
)
STATIONS_TABLE: Final = Topic(
    "org.chicago.cta.stations.table.v1", "stations_table", 5, None, None, "none", "id", "compact", "last value a key"
)
TURNSTILE_SUMMARY: Final = Topic(
    "TURNSTILE_SUMMARY", "turnstile_summary", 6, None, None, "none", None, "compact", "last value a key"
)

TOPICS: Final = (ARRIVALS, TURNSTILE, WEATHER, ALERTS, STATIONS, STATIONS_TABLE, TURNSTILE_SUMMARY)
BY_NAME: Final = {topic.name: topic for topic in TOPICS}
BY_SHORT: Final = {topic.short: topic for topic in TOPICS}
RECORDED: Final = tuple(topic for topic in TOPICS if topic.compared_as == "records")
"""The topics that the simulation makes and the digest covers."""


def short_name(name: str) -> str:
    """What a topic of ours is called for short; another's name as it is."""
    return BY_NAME[name].short if name in BY_NAME else name
