"""Keys and values of every topic, as frozen structs. Field order is the schema's and so the canonical JSON's.

The Avro schemas of the same shapes are beside this file in ``schemas/``; a test holds the two together. Their doc
strings say what a field means.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Direction = Literal["a", "b"]
TrainStatus = Literal["in_service", "out_of_service", "broken_down"]
WeatherStatus = Literal["sunny", "partly_cloudy", "cloudy", "windy", "precipitation"]
Effect = Literal["NO_SERVICE", "REDUCED_SERVICE", "SIGNIFICANT_DELAYS", "ADDITIONAL_SERVICE", "OTHER_EFFECT"]
Cause = Literal["TECHNICAL_PROBLEM", "MAINTENANCE", "CONSTRUCTION", "WEATHER", "HOLIDAY", "OTHER_CAUSE"]


class TrainKey(Struct, frozen=True):
    train_id: str


class Arrival(Struct, frozen=True):
    """A train at a platform. ``prev_*``: where it last served before; both null on its first record out of the yard."""

    station_id: int
    train_id: str
    direction: Direction
    line: str
    train_status: TrainStatus
    prev_station_id: int | None
    prev_direction: Direction | None


class StationKey(Struct, frozen=True):
    station_id: int


class Entry(Struct, frozen=True):
    """One rider through one turnstile; ``line`` is the station's home line."""

    station_id: int
    station_name: str
    line: str


class WeatherKey(Struct, frozen=True):
    """``timestamp``: the reading's event time in epoch milliseconds (the REST Proxy takes no record timestamp)."""

    timestamp: int


class Weather(Struct, frozen=True):
    """``temperature``: degrees Fahrenheit in halves, so that Avro's 32-bit float holds it exactly."""

    temperature: float
    status: WeatherStatus


class AlertKey(Struct, frozen=True):
    alert_id: str


class Alert(Struct, frozen=True):
    """A service alert in the words of GTFS-realtime. ``active_*``: epoch milliseconds."""

    effect: Effect
    cause: Cause
    line: str | None
    station_id: int | None
    train_id: str | None
    active_from: int
    active_to: int | None
    text: str


class StationTableKey(Struct, frozen=True):
    """``id`` is ``line:station_id``; on Kafka the key is that text alone."""

    id: str


class StationTableRow(Struct, frozen=True):
    """A station on a line, as the stations table has it; ``order`` counts from the line's terminal a."""

    station_id: int
    station_name: str
    order: int
    line: str
