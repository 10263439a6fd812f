"""A scenario as it is written: one JSON document. `cta schema` prints its JSON Schema.

Everything is text and numbers here; `cta.simulation.plan.resolve` holds it against a network and makes the `Plan` that
the simulation runs. Moments are timestamps with an offset or times of day (the first one at or after the start);
durations are ISO 8601; stations are ids or unique names, with the line where several bear it: ``Western (Blue)``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from cta.model.records import Direction, TrainStatus, WeatherStatus

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$", max_length=64)]
Moment = Annotated[str, Meta(max_length=64, description="2026-05-13T08:15:00-05:00, or a time of day: 08:15")]
Duration = Annotated[str, Meta(max_length=64, description="ISO 8601: PT2H30M, P1D")]
StationRef = Annotated[str | int, Meta(description='a station id, or a name such as "Clark/Lake" or "Western (Blue)"')]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Timetable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="timetable"):
    """Departures as the network's service table has them, by day type and hour."""


class Headways(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="headways"):
    """So many trains a line, sent out from terminal a at an even headway from the start on, going to and fro."""

    trains: Annotated[int, Meta(ge=1, le=60)]
    headway: Duration


class Breakdown(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="breakdown"):
    """The first train of the line to arrive at the station in the direction, from ``start`` on, stands there that long."""

    line: str
    station: StationRef
    direction: Direction
    start: Moment
    duration: Duration


class Closure(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="closure"):
    """Trains pass the station without stopping and nobody enters."""

    station: StationRef
    start: Moment
    duration: Duration


class SlowZone(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="slow_zone"):
    """Running times between the two stations of the line, both ways, take ``factor`` times as long."""

    line: str
    from_station: StationRef
    to_station: StationRef
    factor: Annotated[float, Meta(gt=1, le=10)]
    start: Moment
    duration: Duration


class Surge(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="surge"):
    """``factor`` times the station's usual entries."""

    station: StationRef
    factor: Annotated[float, Meta(gt=1, le=100)]
    start: Moment
    duration: Duration


Fault = Breakdown | Closure | SlowZone | Surge


class ExpectCount(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="count"):
    """How many records of a topic there are, of a line, station, train status or weather status where one is named."""

    topic: Literal["arrivals", "turnstile", "weather", "alerts"]
    line: str | UnsetType = UNSET
    station: StationRef | UnsetType = UNSET
    train_status: TrainStatus | UnsetType = UNSET
    weather_status: WeatherStatus | UnsetType = UNSET
    min: Count | UnsetType = UNSET
    max: Count | UnsetType = UNSET
    equals: Count | UnsetType = UNSET
    at: Moment | UnsetType = UNSET
    """Counted over the records before this moment; the whole run where it is left out."""
    name: Text | UnsetType = UNSET


class ExpectBoard(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="board"):
    """How many trains the page shows in the cells of a line, station and direction (all of them where left out)."""

    line: str
    station: StationRef | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    train_status: TrainStatus | UnsetType = UNSET
    min: Count | UnsetType = UNSET
    max: Count | UnsetType = UNSET
    equals: Count | UnsetType = UNSET
    at: Moment | UnsetType = UNSET
    name: Text | UnsetType = UNSET


InvariantName = Literal["times_never_go_back", "prev_is_where_it_last_served", "no_service_at_closed_stations"]


class ExpectInvariant(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="invariant"):
    """A law that must hold over the stream; ``actual`` is the number of records that break it."""

    invariant: InvariantName
    name: Text | UnsetType = UNSET


Expectation = ExpectCount | ExpectBoard | ExpectInvariant


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A run: where, when, how long, by which seed, with what going wrong, and what must come of it."""

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**53)]
    start: Annotated[str, Meta(max_length=64, description="ISO 8601 with an offset: 2026-05-13T07:00:00-05:00")]
    duration: Duration
    description: str = ""
    lines: list[str] | UnsetType = UNSET
    """All lines of the network where left out."""
    ridership: str = "2019-10"
    """The data month that mean entries are taken from."""
    service: Timetable | Headways = Timetable()
    faults: list[Fault] = []
    expect: list[Expectation] = []


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario document."""
    import msgspec

    schema = msgspec.json.schema(Scenario)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cta scenario", **schema}
