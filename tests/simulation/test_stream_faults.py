"""Stream faults held against Chicago's network: what they resolve to, and what they are refused for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cta.model.errors import ScenarioError
from cta.model.scenario import parse
from cta.model.time import HOUR_MS, MINUTE_MS, parse_timestamp
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.simulation.plan import Plan, Window, resolve
from cta.simulation.stream_faults import AnyStreamFault, Corrupt, Delay, Drop, Duplicate, Reorder

START_MS = parse_timestamp("2026-05-13T07:00:00-05:00")
WHOLE = Window(START_MS, START_MS + 2 * HOUR_MS)
LEAST: dict[str, Any] = {
    "name": "a",
    "seed": 1,
    "start": "2026-05-13T07:00:00-05:00",
    "duration": "PT2H",
    "lines": ["red", "blue"],
}
DROP: dict[str, Any] = {"kind": "drop", "topic": "arrivals"}


def plan(*faults: dict[str, Any]) -> Plan:
    return resolve(parse(json.dumps({**LEAST, "stream_faults": faults}).encode(), "a.json"), chicago(), source="a.json")


def resolved(*faults: dict[str, Any]) -> tuple[AnyStreamFault, ...]:
    return plan(*faults).stream_faults


def test_each_kind_with_what_it_may_leave_out() -> None:
    """All records of the topic, the whole run, each of them."""
    assert [
        resolved({"topic": topic, **fault})[0]
        for topic, fault in (
            ("arrivals", {"kind": "drop"}),
            ("turnstile", {"kind": "duplicate"}),
            ("weather", {"kind": "delay", "delay": "PT30S"}),
            ("alerts", {"kind": "reorder", "within": "P1D"}),
            ("alerts", {"kind": "corrupt"}),
        )
    ] == [
        Drop(ARRIVALS, None, None, None, WHOLE, 1.0),
        Duplicate(TURNSTILE, None, None, None, WHOLE, 1.0, 1, 0),
        Delay(WEATHER, None, None, None, WHOLE, 1.0, 30_000),
        Reorder(ALERTS, None, None, None, WHOLE, 1.0, 24 * HOUR_MS),
        Corrupt(ALERTS, None, None, None, WHOLE, 1.0),
    ]


def test_each_kind_with_all_that_it_may_say() -> None:
    """Names have become ids, moments milliseconds."""
    where = {"line": "Blue Line", "station": "Clark/Lake", "train": "BL104"}
    when = {"start": "07:30", "duration": "PT10M", "share": 0.25}
    ten_minutes = Window(START_MS + 30 * MINUTE_MS, START_MS + 40 * MINUTE_MS)
    assert resolved(
        {"kind": "duplicate", "topic": "turnstile", "station": 40380, **when, "copies": 3, "delay": "PT1M"},
        {**DROP, **where, **when},
    ) == (
        Drop(ARRIVALS, "blue", 40380, "BL104", ten_minutes, 0.25),
        Duplicate(TURNSTILE, None, 40380, None, ten_minutes, 0.25, 3, 60_000),
    )


def test_a_plan_knows_whether_its_records_come_in_the_order_of_time() -> None:
    """A copy right behind its record, a loss and a cut value leave it; whatever comes late does not."""
    beside = {"kind": "duplicate", "topic": "arrivals"}
    assert plan(DROP, beside, {"kind": "corrupt", "topic": "weather"}).in_order
    assert not plan({**beside, "delay": "PT1S"}).in_order
    assert not plan({"kind": "delay", "topic": "arrivals", "delay": "PT1S"}).in_order
    assert not plan({"kind": "reorder", "topic": "arrivals", "within": "PT1S"}).in_order


@pytest.mark.parametrize(
    ("faults", "line"),
    [
        ([DROP, DROP], "a.json: $.stream_faults[1]: is the same as $.stream_faults[0]; keep one of them"),
        (
            [{**DROP, "topic": "weather", "line": "blue"}],
            "a.json: $.stream_faults[0].line: records of weather have no line; "
            "leave it out, or name another topic: arrivals, turnstile, alerts",
        ),
        (
            [{**DROP, "topic": "turnstile", "train": "BL104"}],
            "a.json: $.stream_faults[0].train: records of turnstile have no train; "
            "leave it out, or name another topic: arrivals",
        ),
        (
            [{**DROP, "line": "pink"}],
            "a.json: $.stream_faults[0].line: pink does not run in this scenario; choose one of red, blue",
        ),
        (
            [{**DROP, "station": "Clrak/Lake"}],
            "a.json: $.stream_faults[0].station: no station 'Clrak/Lake'; the nearest names are: Clark/Lake, "
            "State/Lake, Lake, Harlem/Lake, Central Park",
        ),
        (
            [{**DROP, "topic": "turnstile", "station": "Kimball"}],
            "a.json: $.stream_faults[0].station: no line of this run serves Kimball; add one of brown to the lines",
        ),
        (
            [{**DROP, "topic": "turnstile", "line": "brown", "station": "Clark/Lake"}],
            "a.json: $.stream_faults[0].line: entries at Clark/Lake are booked to blue; write blue, or leave it out",
        ),
        (
            [{**DROP, "train": "BL999"}],
            "a.json: $.stream_faults[0].train: no train 'BL999' runs on red, blue; did you mean BL139?",
        ),
        (
            [{**DROP, "line": "red", "train": "BL104"}],
            "a.json: $.stream_faults[0].train: no train 'BL104' runs on red; did you mean RD104?",
        ),
        (
            [{**DROP, "start": "2026-05-13T06:59:59-05:00"}],
            "a.json: $.stream_faults[0].start: 2026-05-13T06:59:59-05:00 is outside the run; "
            "choose a moment from 2026-05-13T07:00:00-05:00 to 2026-05-13T09:00:00-05:00",
        ),
        (
            [{**DROP, "duration": "10 minutes"}],
            "a.json: $.stream_faults[0].duration: '10 minutes' is not a duration; "
            "write it as ISO 8601, such as PT2H, PT45M or P1D",
        ),
        (
            [{"kind": "delay", "topic": "arrivals", "delay": "PT25H"}],
            "a.json: $.stream_faults[0].delay: 'PT25H' is longer than a day; choose a shorter one",
        ),
        (
            [{"kind": "reorder", "topic": "arrivals", "within": "PT0S"}],
            "a.json: $.stream_faults[0].within: 'PT0S' is no time at all; a duration must be longer than zero",
        ),
    ],
)
def test_what_could_not_be_meant_is_refused_with_its_place(faults: list[dict[str, Any]], line: str) -> None:
    """One line: where, what, and what to write instead."""
    with pytest.raises(ScenarioError) as caught:
        plan(*faults)
    assert str(caught.value) == line
