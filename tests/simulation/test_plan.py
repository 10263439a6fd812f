"""A scenario held against Chicago's network: what it resolves to, and what it is refused for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cta.model.errors import ScenarioError
from cta.model.scenario import Timetable, parse
from cta.model.time import HOUR_MS, MINUTE_MS, parse_timestamp
from cta.network.load import chicago
from cta.simulation.plan import Breakdown, Closure, Plan, SlowZone, Surge, Window, resolve

START_MS = parse_timestamp("2026-05-13T07:00:00-05:00")
LEAST: dict[str, Any] = {"name": "a", "seed": 1, "start": "2026-05-13T07:00:00-05:00", "duration": "PT2H"}
WHEN: dict[str, Any] = {"start": "08:00", "duration": "PT10M"}

BREAKDOWN: dict[str, Any] = {
    "kind": "breakdown",
    "line": "blue",
    "station": "Clark/Lake",
    "direction": "b",
    **WHEN,
}
CLOSURE: dict[str, Any] = {"kind": "closure", "station": "Clark/Lake", **WHEN}
SLOW: dict[str, Any] = {
    "kind": "slow_zone",
    "line": "green",
    "from_station": "Cottage Grove",
    "to_station": "Garfield (Green)",
    "factor": 1.5,
    **WHEN,
}
SURGE: dict[str, Any] = {"kind": "surge", "station": 41420, "factor": 3, **WHEN}


def plan(**changes: Any) -> Plan:
    return resolve(parse(json.dumps({**LEAST, **changes}).encode(), "a.json"), chicago(), source="a.json")


def complaint(**changes: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        plan(**changes)
    return str(caught.value)


def minutes(start: int, length: int) -> Window:
    """A stretch of the run, in minutes after its start."""
    return Window(START_MS + start * MINUTE_MS, START_MS + (start + length) * MINUTE_MS)


def test_a_scenario_without_faults_is_a_plan_of_all_lines() -> None:
    """Lines stand in the network's order, moments in milliseconds."""
    window = Window(START_MS, START_MS + 2 * HOUR_MS)
    assert plan() == Plan("a", 1, window, tuple(chicago().lines), "2019-10", Timetable(), ())


def test_lines_are_found_by_id_or_name_and_put_in_the_networks_order() -> None:
    """However the document orders and spells them."""
    assert plan(lines=["Blue Line", "red"]).lines == ("red", "blue")


def test_faults_are_resolved_and_sorted_by_start_kind_and_place() -> None:
    """A time of day is the first at or after the scenario's start; a timestamp may be earlier in the operating day."""
    early = {**CLOSURE, "start": "2026-05-13T06:00:00-05:00"}
    assert plan(faults=[SURGE, SLOW, early, BREAKDOWN]).faults == (
        Closure(40380, minutes(-60, 10)),
        Breakdown("blue", 40380, "b", minutes(60, 10)),
        SlowZone("green", 40720, 40510, 1.5, minutes(60, 10)),
        Surge(41420, 3.0, minutes(60, 10)),
    )


def test_slow_zones_and_surges_may_overlap() -> None:
    """Factors of zones multiply, each surge adds its own riders: neither denies the other."""
    faults = [SLOW, {**SLOW, "factor": 2}, SURGE, {**SURGE, "duration": "PT20M"}]
    assert len(plan(faults=faults).faults) == 4


def test_a_closure_may_follow_a_closure_and_a_breakdown_hit_another_platform() -> None:
    """Windows that only touch don't overlap; the other direction is another platform."""
    after = {**CLOSURE, "start": "08:10"}
    elsewhere = {**BREAKDOWN, "station": "Grand (Blue)"}
    back = {**elsewhere, "direction": "a"}
    faults = [CLOSURE, after, elsewhere, back]
    assert len(plan(faults=faults).faults) == len(plan(faults=faults[::-1]).faults) == 4


def test_a_station_where_no_running_line_turns_can_close() -> None:
    """Howard is a terminal of Red, Purple and Yellow; without them it may close."""
    assert plan(lines=["blue"], faults=[{**CLOSURE, "station": "Howard"}]).faults == (Closure(40900, minutes(60, 10)),)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"start": "2026-05-13T07:00:00"},
            "$.start: '2026-05-13T07:00:00' has no offset; say which clock is meant: 2026-05-13T07:00:00-05:00",
        ),
        (
            {"duration": "PT0S"},
            "$.duration: 'PT0S' is no time at all; a duration must be longer than zero",
        ),
        ({"duration": "P401D"}, "$.duration: 'P401D' is longer than 400 days; choose a shorter one"),
        ({"lines": ["red", "Red Line"]}, "$.lines[1]: red stands at $.lines[0] too; keep one of them"),
        (
            {"lines": ["gren"]},
            "$.lines[0]: no line 'gren'; the lines are: green, red, blue, brown, orange, pink, purple, yellow",
        ),
        (
            {"ridership": "2020-01"},
            "$.ridership: no ridership of '2020-01'; choose one of 2019-10, 2024-04",
        ),
        (
            {"service": {"kind": "headways", "trains": 1, "headway": "5m"}},
            "$.service.headway: '5m' is not a duration; write it as ISO 8601, such as PT2H, PT45M or P1D",
        ),
    ],
)
def test_what_a_run_cannot_be(change: dict[str, Any], line: str) -> None:
    """Start, duration, lines, ridership, service."""
    assert complaint(**change) == f"a.json: {line}"


TWICE = "2026-05-13T03:00:00-05:00 to 2026-05-13T09:00:00-05:00"


@pytest.mark.parametrize(
    ("faults", "line"),
    [
        (
            [{**CLOSURE, "station": "Howard"}],
            "$.faults[0].station: Howard cannot close: red, purple, yellow trains turn there; "
            "close a station between terminals, or leave those lines out",
        ),
        (
            [{**CLOSURE, "start": "02:59"}],
            f"$.faults[0].start: 2026-05-14T02:59:00-05:00 is outside what is simulated; choose a moment from {TWICE}",
        ),
        (
            [{**CLOSURE, "start": "2026-05-13T02:59:59-05:00"}],
            f"$.faults[0].start: 2026-05-13T02:59:59-05:00 is outside what is simulated; choose a moment from {TWICE}",
        ),
        (
            [{**CLOSURE, "start": "09:00"}],
            f"$.faults[0].start: 2026-05-13T09:00:00-05:00 is outside what is simulated; choose a moment from {TWICE}",
        ),
        (
            [{**BREAKDOWN, "line": "brown", "direction": "a"}],
            "$.faults[0].direction: brown trains do not call at Clark/Lake in direction a; choose b",
        ),
        (
            [{**SLOW, "to_station": "Ashland/63rd"}],
            "$.faults[0].to_station: no green train runs from Cottage Grove to Ashland/63rd; "
            "make it two slow zones, a branch each",
        ),
        (
            [{**SLOW, "to_station": 40720}],
            "$.faults[0].to_station: is where the slow zone begins; name another station of the line",
        ),
        ([SURGE, SURGE], "$.faults[1]: is the same as $.faults[0]; keep one of them"),
        (
            [BREAKDOWN, SURGE, {**BREAKDOWN, "start": "08:09"}],
            "$.faults[2]: a blue train breaks down at Clark/Lake already at the time of $.faults[0]; move one of them",
        ),
        (
            [CLOSURE, {**CLOSURE, "start": "07:55"}],
            "$.faults[1]: Clark/Lake is closed already at the time of $.faults[0]; move one of them",
        ),
        (
            [BREAKDOWN, {**CLOSURE, "start": "08:05"}],
            "$.faults[1]: Clark/Lake is closed, so no train breaks down there, at the time of $.faults[0]; "
            "move one of them",
        ),
    ],
)
def test_what_a_fault_cannot_be(faults: list[dict[str, Any]], line: str) -> None:
    """Out of place, out of time, or denied by another."""
    assert complaint(faults=faults) == f"a.json: {line}"


@pytest.mark.parametrize(
    ("station", "line"),
    [
        ("Quinzy", "$.faults[0].station: no station 'Quinzy'"),
        ("Belmont (Red)", "$.faults[0].station: 'Belmont (Red)' is not on the Blue Line"),
        ("Western", "$.faults[0].station: 'Western' is the name of 2 stations"),
    ],
)
def test_a_station_is_one_of_the_faults_line(station: str, line: str) -> None:
    """Unknown, elsewhere or ambiguous; the network's look-up says which names are near."""
    what, _, remedy = complaint(faults=[{**BREAKDOWN, "station": station}]).partition("; ")
    assert what == f"a.json: {line}"
    assert ("Western (Blue - Forest Park Branch)" in remedy) == (station == "Western")


def test_a_fault_is_of_a_line_that_runs() -> None:
    """A fault of any other would never be seen."""
    line = "a.json: $.faults[0].line: blue does not run in this scenario; choose one of red, green"
    assert complaint(lines=["green", "red"], faults=[BREAKDOWN]) == line


@pytest.mark.parametrize(
    ("expect", "line"),
    [
        ({"topic": "arrivals"}, "$.expect[0]: expects nothing; add a min above 0, max or equals"),
        ({"topic": "arrivals", "min": 0}, "$.expect[0]: expects nothing; add a min above 0, max or equals"),
        (
            {"topic": "arrivals", "min": 2, "max": 1},
            "$.expect[0]: min 2 is above max 1; exchange them",
        ),
        (
            {"topic": "arrivals", "min": 2, "equals": 2},
            "$.expect[0]: equals stands beside min or max; keep either",
        ),
        (
            {"topic": "weather", "line": "red", "min": 1},
            "$.expect[0].line: weather readings have no line; leave it out, or count arrivals, turnstile, alerts",
        ),
        (
            {"topic": "arrivals", "line": "green", "min": 1},
            "$.expect[0].line: green does not run in this scenario; choose one of red, blue",
        ),
        (
            {"topic": "turnstile", "station": "Kimball", "min": 1},
            "$.expect[0].station: no line of this run serves Kimball; add one of brown to the lines",
        ),
        (
            {"topic": "turnstile", "line": "purple", "station": "Howard", "min": 1},
            "$.expect[0].line: entries at Howard are booked to red; write red, or leave it out",
        ),
        (
            {"topic": "arrivals", "min": 1, "at": "07:00"},
            "$.expect[0].at: 2026-05-13T07:00:00-05:00 is outside the run; choose a moment after its start and up to "
            "its end: 2026-05-13T07:00:00-05:00 to 2026-05-13T09:00:00-05:00",
        ),
    ],
)
def test_what_an_expectation_cannot_be(expect: dict[str, Any], line: str) -> None:
    """What could never hold, or never fail, is no expectation."""
    assert complaint(lines=["red", "blue"], expect=[{"kind": "count", **expect}]) == f"a.json: {line}"


def test_a_board_is_expected_of_a_line_that_runs_and_calls_there() -> None:
    """Else its cells would be empty for ever."""
    board = {"kind": "board", "equals": 0}
    assert complaint(lines=["brown"], expect=[{**board, "line": "blue"}]) == (
        "a.json: $.expect[0].line: blue does not run in this scenario; choose one of brown"
    )
    wrong_way = {**board, "line": "brown", "station": "Quincy/Wells", "direction": "a"}
    assert complaint(expect=[wrong_way]) == (
        "a.json: $.expect[0].direction: brown trains do not call at Quincy/Wells in direction a; choose b"
    )


def test_a_time_of_day_that_comes_twice_is_the_first() -> None:
    """On the November night 01:30 comes twice; the first is meant, and the second can be written with its offset."""
    night = {"start": "2026-11-01T00:00:00-05:00", "duration": "PT5H"}
    first = {**CLOSURE, "start": "01:30", "duration": "PT1M"}
    second = {**first, "start": "2026-11-01T01:30:00-06:00"}
    starts = [fault.window.start_ms for fault in plan(**night, faults=[second, first]).faults]
    assert starts == [parse_timestamp("2026-11-01T01:30:00-05:00"), parse_timestamp("2026-11-01T01:30:00-06:00")]
