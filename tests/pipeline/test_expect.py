"""What a scenario expects, judged on streams made by hand."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.model.records import (
    Alert,
    AlertKey,
    Arrival,
    Direction,
    Entry,
    StationKey,
    TrainKey,
    TrainStatus,
    Weather,
    WeatherKey,
)
from cta.model.scenario import parse
from cta.model.time import MINUTE_MS, parse_timestamp
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.pipeline.board import Board
from cta.pipeline.expect import Expectations, Result
from cta.simulation.plan import resolve

START_MS = parse_timestamp("2026-05-13T07:00:00-05:00")
CLARK_LAKE, GRAND, MONROE = 40380, 40490, 40790
Record = tuple[int, Content]


def arrival(
    minute: float,
    train: str,
    station_id: int,
    *,
    status: TrainStatus = "in_service",
    prev: tuple[int, Direction] | tuple[None, None] = (None, None),
) -> Record:
    value = Arrival(station_id, train, "b", "blue", status, *prev)
    return START_MS + round(minute * MINUTE_MS), Content(ARRIVALS, TrainKey(train), value)


def entry(minute: float, station_id: int = CLARK_LAKE, line: str = "blue") -> Record:
    value = Entry(station_id, "a station", line)
    return START_MS + round(minute * MINUTE_MS), Content(TURNSTILE, StationKey(station_id), value)


def judge(records: list[Record], *expect: dict[str, Any], cuts: tuple[int, ...] = (), **changes: Any) -> list[Result]:
    """The results over the records, folded in the batches that the cuts make."""
    document = {
        "name": "a",
        "seed": 1,
        "start": "2026-05-13T07:00:00-05:00",
        "duration": "PT1H",
        "lines": ["blue"],
        "expect": expect,
    }
    scenario = parse(json.dumps({**document, **changes}).encode(), "a.json")
    network = chicago()
    plan = resolve(scenario, network)
    expectations, board = Expectations(scenario, plan, network), Board.for_network(network, plan.lines)
    for part in np.split(np.arange(len(records)), sorted(cuts)):
        batch = Batch.of(records)[part]
        expectations.fold(batch)
        board.fold(batch)
    return expectations.results(board)


STREAM = [
    arrival(0, "BL101", GRAND),
    entry(0),
    arrival(1, "BL102", CLARK_LAKE, status="broken_down"),
    entry(2, MONROE, "red"),
    entry(2),
    (
        START_MS + 3 * MINUTE_MS,
        Content(WEATHER, WeatherKey(START_MS + 3 * MINUTE_MS), Weather(50.0, "windy")),
    ),
    (
        START_MS + 4 * MINUTE_MS,
        Content(
            ALERTS,
            AlertKey("x"),
            Alert("NO_SERVICE", "OTHER_CAUSE", "blue", CLARK_LAKE, None, START_MS, None, "shut"),
        ),
    ),
    arrival(5, "BL101", CLARK_LAKE, prev=(GRAND, "b")),
    arrival(6, "BL102", CLARK_LAKE, status="out_of_service", prev=(CLARK_LAKE, "b")),
]


def test_counts_filter_by_what_is_named() -> None:
    """Topic, line, station and status; expected and actual read well, and a name is made of the rest."""
    assert judge(
        STREAM,
        {"kind": "count", "topic": "arrivals", "min": 4},
        {"kind": "count", "topic": "arrivals", "station": "Clark/Lake", "min": 4},
        {"kind": "count", "topic": "arrivals", "line": "blue", "train_status": "broken_down", "equals": 1},
        {"kind": "count", "topic": "turnstile", "line": "red", "max": 0},
        {"kind": "count", "topic": "turnstile", "station": CLARK_LAKE, "min": 2, "max": 3, "name": "riders"},
        {"kind": "count", "topic": "weather", "weather_status": "windy", "equals": 1},
        {"kind": "count", "topic": "alerts", "line": "blue", "station": "Clark/Lake", "equals": 1},
    ) == [
        Result("arrivals at least 4", True, "at least 4", 4),
        Result("arrivals at Clark/Lake at least 4", False, "at least 4", 3),
        Result("broken down arrivals on blue exactly 1", True, "exactly 1", 1),
        Result("entries on red exactly 0", False, "exactly 0", 1),
        Result("riders", True, "2 to 3", 2),
        Result("windy weather readings exactly 1", True, "exactly 1", 1),
        Result("alerts on blue at Clark/Lake exactly 1", True, "exactly 1", 1),
    ]


def test_another_topic_of_the_name_is_not_counted() -> None:
    """A capture may hold anybody's topics, one called arrivals among them."""
    theirs = (START_MS, Content(foreign("arrivals"), None, Raw(text="{}")))
    assert judge([*STREAM, theirs], {"kind": "count", "topic": "arrivals", "equals": 4}) == [
        Result("arrivals exactly 4", True, "exactly 4", 4)
    ]


def test_a_count_at_a_moment_is_of_the_records_before_it() -> None:
    """The moment itself is not before it."""
    entries = {"kind": "count", "topic": "turnstile", "station": CLARK_LAKE}
    assert judge(
        STREAM,
        {**entries, "equals": 1, "at": "07:02"},
        {**entries, "equals": 2, "at": "07:02:01"},
        {**entries, "max": 2},
    ) == [
        Result("entries at Clark/Lake exactly 1 before 07:02", True, "exactly 1", 1),
        Result("entries at Clark/Lake exactly 2 before 07:02:01", True, "exactly 2", 2),
        Result("entries at Clark/Lake at most 2", True, "at most 2", 2),
    ]


def test_the_board_is_judged_at_a_moment_and_at_the_end() -> None:
    """A train stands where its last arrival before the moment was; one out of service stands nowhere."""
    at_clark_lake = {"kind": "board", "line": "blue", "station": "Clark/Lake", "direction": "b"}
    assert judge(
        STREAM,
        {**at_clark_lake, "equals": 1, "at": "07:05"},
        {**at_clark_lake, "equals": 2, "at": "07:05:30"},
        {**at_clark_lake, "train_status": "broken_down", "equals": 0},
        {"kind": "board", "line": "blue", "equals": 1, "name": "one train"},
    ) == [
        Result("blue trains shown at Clark/Lake in direction b exactly 1 at 07:05", True, "exactly 1", 1),
        Result("blue trains shown at Clark/Lake in direction b exactly 2 at 07:05:30", True, "exactly 2", 2),
        Result("broken down blue trains shown at Clark/Lake in direction b exactly 0", True, "exactly 0", 0),
        Result("one train", True, "exactly 1", 1),
    ]


def test_a_moment_on_another_clock_is_named_in_full() -> None:
    """After a clock change, or more than a day after the start, a time of day would not say which."""
    weather = {"kind": "count", "topic": "weather", "max": 9}
    november: dict[str, Any] = {"start": "2026-11-01T00:00:00-05:00", "duration": "P2D"}
    names = [
        result.name
        for result in judge(
            [],
            {**weather, "at": "01:30"},
            {**weather, "at": "2026-11-01T01:30:00-06:00"},
            {**weather, "at": "2026-11-02T12:00:00-06:00"},
            **november,
        )
    ]
    assert names == [
        "weather readings at most 9 before 01:30",
        "weather readings at most 9 before 2026-11-01T01:30:00-06:00",
        "weather readings at most 9 before 2026-11-02T12:00:00-06:00",
    ]


def broken(records: list[Record], invariant: str, cuts: tuple[int, ...] = (), **changes: Any) -> int:
    expect = {"kind": "invariant", "invariant": invariant}
    (result,) = judge(records, expect, cuts=cuts, **changes)
    expected = Result(invariant.replace("_", " "), result.actual == 0, "0 records that break it", result.actual)
    assert result == expected
    return result.actual


@given(st.lists(st.integers(0, 5), max_size=8), st.sets(st.integers(0, 8)))
def test_times_that_go_back_are_counted(minutes: list[int], cuts: set[int]) -> None:
    """Each record that is earlier than the one before it, whatever the batches."""
    steps_back = sum(later < earlier for earlier, later in pairwise(minutes))
    assert broken([entry(minute) for minute in minutes], "times_never_go_back", tuple(cuts)) == steps_back


def test_prev_is_where_the_train_last_served() -> None:
    """A wrong station, a wrong direction, and none though it had served; other trains don't matter."""
    first = arrival(0, "BL101", GRAND)
    other = arrival(1, "BL102", MONROE)
    for prev, breaks in [
        ((GRAND, "b"), 0),
        ((MONROE, "b"), 1),
        ((GRAND, "a"), 1),
        ((None, None), 1),
    ]:
        records = [first, other, arrival(2, "BL101", CLARK_LAKE, prev=prev)]  # type: ignore[arg-type]
        assert broken(records, "prev_is_where_it_last_served", (1,)) == breaks


def test_a_train_out_of_the_yard_has_served_nowhere() -> None:
    """After its out_of_service record both are null; before its first record seen anything may have been."""
    under_way = arrival(0, "BL101", CLARK_LAKE, prev=(GRAND, "b"))
    pulls_in = arrival(1, "BL101", CLARK_LAKE, status="out_of_service", prev=(CLARK_LAKE, "b"))
    right = arrival(2, "BL101", GRAND)
    wrong = arrival(2, "BL101", GRAND, prev=(CLARK_LAKE, "b"))
    assert broken([under_way, pulls_in, right], "prev_is_where_it_last_served") == 0
    assert broken([under_way, pulls_in, wrong], "prev_is_where_it_last_served") == 1


def test_service_at_a_closed_station_is_counted() -> None:
    """Arrivals and entries from the closure's start to before its end; not at other stations."""
    closure = {"kind": "closure", "station": "Clark/Lake", "start": "07:10", "duration": "PT10M"}
    records = [
        entry(9.99),
        entry(10),
        entry(15, MONROE, "red"),
        arrival(15, "BL101", CLARK_LAKE),
        entry(19.99),
        entry(20),
    ]
    assert broken(records, "no_service_at_closed_stations", (2,), faults=[closure]) == 3


@given(st.permutations(range(len(STREAM))), st.sets(st.integers(0, len(STREAM))))
def test_counts_and_boards_are_the_same_however_the_stream_is_ordered_and_cut(order: list[int], cuts: set[int]) -> None:
    """They are folds of the records before a moment, whatever order these come in."""
    expect: list[dict[str, Any]] = [
        {"kind": "count", "topic": "arrivals", "max": 2, "at": "07:05"},
        {"kind": "count", "topic": "turnstile", "max": 2, "at": "07:02"},
        {"kind": "count", "topic": "turnstile", "equals": 3},
        {"kind": "board", "line": "blue", "equals": 2, "at": "07:04"},
        {"kind": "board", "line": "blue", "equals": 1},
    ]
    shuffled = judge([STREAM[i] for i in order], *expect, cuts=tuple(cuts))
    assert shuffled == judge(STREAM, *expect)
    assert [result.actual for result in shuffled] == [2, 1, 3, 2, 1]
