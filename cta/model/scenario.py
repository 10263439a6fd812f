"""A scenario as it is written: one JSON document. `cta schema` prints its JSON Schema; docs/scenarios.md explains it.

Everything is text and numbers here; `cta.simulation.plan.resolve` holds it against a network and makes the `Plan` that
the simulation runs. Moments are timestamps with an offset or times of day (the first one at or after the start);
durations are ISO 8601; stations are ids or unique names, with the line where several bear it: ``Western (Brown)``.

What is checked where: here everything that a document can be held to without a network (form, types, ranges); there
what its names and moments mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from cta.model import pipe, wording
from cta.model.errors import ScenarioError
from cta.model.records import Direction, TrainStatus, WeatherStatus

LIMIT_BYTES: Final = 2**20
"""The longest document that is read: a scenario of thousands of faults is far below it."""

MOST: Final = 1000
"""Faults of the world, faults of the stream, or expectations, of one scenario: more than that is made by a program, and by mistake."""

Text = Annotated[str, Meta(min_length=1, max_length=2000)]
Name = Annotated[
    str,
    # (?!\n): in Python, unlike JSON Schema's regular expressions, $ also matches before a last line break.
    Meta(pattern=r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$(?!\n)", max_length=64, description="The run's name: rush_hour"),
]
LineName = Annotated[str, Meta(max_length=64, description="A line: blue")]
Moment = Annotated[str, Meta(max_length=64, description="2026-05-13T08:15:00-05:00, or a time of day: 08:15")]
Start = Annotated[Moment, Meta(description="When it begins: a timestamp, or a time of day such as 08:15")]
Duration = Annotated[str, Meta(max_length=64, description="ISO 8601: PT2H30M, P1D")]
StationRef = Annotated[str | int, Meta(description='A station id, or a name such as "Clark/Lake" or "Western (Brown)"')]
Count = Annotated[int, Meta(ge=0, le=2**53)]
AtLeast = Annotated[Count, Meta(description="The least that is right")]
AtMost = Annotated[Count, Meta(description="The most that is right")]
Exactly = Annotated[Count, Meta(description="The only number that is right; instead of min and max")]
ResultName = Annotated[Text, Meta(description="What the result is called; made of the rest where left out")]


class Timetable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="timetable"):
    """Departures as the network's service table has them, by day type and hour."""


class Headways(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="headways"):
    """So many trains a line, sent out from terminal a at an even headway from the start on, going to and fro."""

    trains: Annotated[int, Meta(ge=1, le=60, description="Trains a line")]
    headway: Annotated[Duration, Meta(description="Between two trains sent out, ISO 8601: PT5M")]


Service = Timetable | Headways


class Breakdown(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="breakdown"):
    """The first train of the line to arrive at the station in the direction, from ``start`` on, stands there that long."""

    line: LineName
    station: StationRef
    direction: Annotated[Direction, Meta(description="b leads away from the line's terminal a")]
    start: Start
    duration: Duration


class Closure(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="closure"):
    """Trains pass the station without stopping and nobody enters."""

    station: StationRef
    start: Start
    duration: Duration


class SlowZone(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="slow_zone"):
    """Running times between the two stations of the line, both ways, take ``factor`` times as long."""

    line: LineName
    from_station: StationRef
    to_station: StationRef
    factor: Annotated[float, Meta(gt=1, le=10, description="How many times as long a run takes")]
    start: Start
    duration: Duration


class Surge(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="surge"):
    """``factor`` times the station's usual entries."""

    station: StationRef
    factor: Annotated[float, Meta(gt=1, le=100, description="How many times the usual entries")]
    start: Start
    duration: Duration


Fault = Breakdown | Closure | SlowZone | Surge


TopicName = Literal["arrivals", "turnstile", "weather", "alerts"]


class StreamFault(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What happens to some of a topic's records between the world and whoever reads them. Their event times stay.

    It strikes a ``share``, drawn by chance, of the topic's records whose event time lies within its time: of a line,
    station or train where one is named.
    """

    topic: TopicName
    line: Annotated[
        LineName | UnsetType, Meta(description="Arrivals of its trains, entries booked to it, or alerts that name it")
    ] = UNSET
    station: StationRef | UnsetType = UNSET
    train: Annotated[
        Annotated[str, Meta(max_length=64)] | UnsetType, Meta(description="A train's id: BL104. Arrivals only")
    ] = UNSET
    start: Annotated[Start | UnsetType, Meta(description="When it begins; with the run where left out")] = UNSET
    duration: Annotated[Duration | UnsetType, Meta(description="How long; to the run's end where left out")] = UNSET
    share: Annotated[float, Meta(ge=0.000001, le=1, description="Of the records: 0.01 is one in a hundred")] = 1.0


class Duplicate(StreamFault, frozen=True, tag="duplicate"):
    """The record comes again, so many times; ``delay`` after the first, or right behind it."""

    copies: Annotated[int, Meta(ge=1, le=100, description="How many more than the one")] = 1
    delay: Annotated[
        Duration | UnsetType, Meta(description="How much later the copies come; right behind where left out")
    ] = UNSET


class Delay(StreamFault, frozen=True, tag="delay"):
    """The record comes late: behind all of the run that is up to ``delay`` younger than it."""

    delay: Annotated[Duration, Meta(description="How much later it comes, at most a day: PT30S")]


class Reorder(StreamFault, frozen=True, tag="reorder"):
    """The record is held back for a time that chance draws, below ``within``: neighbours change places."""

    within: Annotated[
        Duration, Meta(description="The time that it is held back for is below this, at most a day: PT5S")
    ]


class Drop(StreamFault, frozen=True, tag="drop"):
    """The record never comes."""


class Corrupt(StreamFault, frozen=True, tag="corrupt"):
    """The record comes with its key, and with a value that no schema explains: the beginning of its JSON."""


AnyStreamFault = Duplicate | Delay | Reorder | Drop | Corrupt


class ExpectCount(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="count"):
    """How many records of a topic there are, of a line, station, train status or weather status where one is named."""

    topic: TopicName
    line: Annotated[
        LineName | UnsetType, Meta(description="Arrivals of its trains, entries booked to it, or alerts that name it")
    ] = UNSET
    station: StationRef | UnsetType = UNSET
    train_status: Annotated[TrainStatus | UnsetType, Meta(description="Arrivals of this status")] = UNSET
    weather_status: Annotated[WeatherStatus | UnsetType, Meta(description="Weather readings of this status")] = UNSET
    min: AtLeast | UnsetType = UNSET
    max: AtMost | UnsetType = UNSET
    equals: Exactly | UnsetType = UNSET
    at: Annotated[
        Moment | UnsetType, Meta(description="Count the records before this moment; the whole run where left out")
    ] = UNSET
    name: ResultName | UnsetType = UNSET


class ExpectBoard(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="board"):
    """How many trains the page shows in the cells of a line, station and direction (all of them where left out)."""

    line: LineName
    station: StationRef | UnsetType = UNSET
    direction: Annotated[Direction | UnsetType, Meta(description="b leads away from the line's terminal a")] = UNSET
    train_status: Annotated[TrainStatus | UnsetType, Meta(description="Trains shown with this status")] = UNSET
    min: AtLeast | UnsetType = UNSET
    max: AtMost | UnsetType = UNSET
    equals: Exactly | UnsetType = UNSET
    at: Annotated[
        Moment | UnsetType, Meta(description="The page as of the records before this moment; at the end where left out")
    ] = UNSET
    name: ResultName | UnsetType = UNSET


InvariantName = Literal["times_never_go_back", "prev_is_where_it_last_served", "no_service_at_closed_stations"]


class ExpectInvariant(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="invariant"):
    """A law that must hold over the stream; ``actual`` is the number of records that break it."""

    invariant: InvariantName
    name: ResultName | UnsetType = UNSET


Expectation = ExpectCount | ExpectBoard | ExpectInvariant


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """A run: where, when, how long, by which seed, with what going wrong, and what must come of it."""

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**53, description="Chance is a function of it: another seed, another day")]
    start: Annotated[str, Meta(max_length=64, description="ISO 8601 with an offset: 2026-05-13T07:00:00-05:00")]
    duration: Annotated[Duration, Meta(description="ISO 8601, at most 400 days: PT2H30M, P1D")]
    description: Annotated[str, Meta(max_length=2000, description="What happens and why one would run it")] = ""
    lines: Annotated[
        Annotated[list[LineName], Meta(min_length=1)] | UnsetType,
        Meta(description="The lines whose trains run; all lines of the network where left out"),
    ] = UNSET
    ridership: Annotated[str, Meta(max_length=64, description="The data month that mean entries are taken from")] = (
        "2019-10"
    )
    service: Annotated[Service, Meta(description="Which trains run")] = Timetable()
    faults: Annotated[list[Fault], Meta(max_length=MOST, description="What goes wrong; each is also an alert")] = []
    stream_faults: Annotated[
        Annotated[list[AnyStreamFault], Meta(max_length=MOST)] | UnsetType,
        Meta(description="What befalls the records on their way: doubled, late, out of order, lost, unreadable"),
    ] = UNSET
    expect: Annotated[
        list[Expectation], Meta(max_length=MOST, description="What must come of it; `cta replay` exits 1 if not")
    ] = []


def load(path: str | Path) -> Scenario:
    """The scenario in a file. Raises ScenarioError, whose ``where`` begins with the path as given."""
    try:
        document = pipe.read(Path(path), LIMIT_BYTES + 1)
    except FileNotFoundError:
        raise ScenarioError("no such file", where=str(path), remedy="name a scenario's JSON file") from None
    except IsADirectoryError:
        raise ScenarioError("is a directory", where=str(path), remedy="name a scenario's JSON file in it") from None
    except pipe.SilentPipeError:
        remedy = "start what writes to it, or name a scenario's JSON file"
        raise ScenarioError("a pipe through which nothing comes", where=str(path), remedy=remedy) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(
            f"cannot be read ({reason})", where=str(path), remedy="name a scenario's JSON file"
        ) from None
    return parse(document, str(path))


def parse(data: bytes, source: str) -> Scenario:
    """The scenario in a document's bytes. Raises ScenarioError with ``where`` = ``{source}: $.path``."""
    try:
        if len(data) > LIMIT_BYTES:
            raise wording.DocumentError(
                "$", f"is longer than {LIMIT_BYTES:,} bytes", "a scenario is short; is this another file?"
            )
        document = wording.read_json(data)
        try:
            return msgspec.convert(document, Scenario)
        except msgspec.ValidationError as error:
            raise wording.of_validation(str(error), document, _GRAMMAR) from None
    except wording.DocumentError as error:
        raise ScenarioError(error.what, where=f"{source}: {error.path}", remedy=error.remedy) from None


_GRAMMAR: Final = wording.Grammar(
    root=Scenario,
    kinds={
        "service": get_args(Service),
        "faults": get_args(Fault),
        "stream_faults": get_args(AnyStreamFault),
        "expect": get_args(Expectation),
    },
    choices={
        "direction": get_args(Direction),
        "topic": get_args(TopicName),
        "train_status": get_args(TrainStatus),
        "weather_status": get_args(WeatherStatus),
        "invariant": get_args(InvariantName),
    },
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a scenario document."""
    schema = msgspec.json.schema(Scenario)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cta scenario", **schema}
