"""Reading a scenario: what is right is read, what is wrong is one line that says where and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET

from cta.model.errors import ScenarioError
from cta.model.scenario import LIMIT_BYTES, Breakdown, Delay, ExpectCount, Headways, Scenario, Timetable, load, parse

LEAST: dict[str, Any] = {"name": "a", "seed": 1, "start": "2026-05-13T07:00:00-05:00", "duration": "PT1H"}
SURGE: dict[str, Any] = {"kind": "surge", "station": 40380, "factor": 2, "start": "08:00", "duration": "PT1H"}
COUNT: dict[str, Any] = {"kind": "count", "topic": "arrivals", "min": 1}


def read(**changes: Any) -> Scenario:
    return parse(json.dumps({**LEAST, **changes}).encode(), "a.json")


def complaint(data: bytes | dict[str, Any]) -> str:
    document = data if isinstance(data, bytes) else json.dumps({**LEAST, **data}).encode()
    with pytest.raises(ScenarioError) as caught:
        parse(document, "a.json")
    return str(caught.value)


def test_the_least_document_is_a_faultless_timetable_run_of_all_lines() -> None:
    """Four keys are enough."""
    assert read() == Scenario(
        "a", 1, "2026-05-13T07:00:00-05:00", "PT1H", "", UNSET, "2019-10", Timetable(), [], UNSET, []
    )


def test_kinds_choose_the_struct() -> None:
    """A service, a fault, a stream fault and an expectation are what their ``kind`` says."""
    breakdown = {"kind": "breakdown", "line": "blue", "station": "Grand (Blue)", "direction": "a"}
    scenario = read(
        service={"kind": "headways", "trains": 10, "headway": "PT5M"},
        faults=[{**breakdown, "start": "07:10", "duration": "PT5M"}],
        stream_faults=[{"kind": "delay", "topic": "arrivals", "delay": "PT30S", "share": 0.5}],
        expect=[COUNT],
    )
    assert scenario.service == Headways(10, "PT5M")
    assert scenario.faults == [Breakdown("blue", "Grand (Blue)", "a", "07:10", "PT5M")]
    assert scenario.stream_faults == [Delay(topic="arrivals", delay="PT30S", share=0.5)]
    assert scenario.expect == [ExpectCount("arrivals", min=1)]


def test_the_order_of_keys_and_a_byte_order_mark_mean_nothing() -> None:
    """Editors differ."""
    backwards = json.dumps(dict(reversed(LEAST.items()))).encode()
    assert parse(b"\xef\xbb\xbf" + backwards, "a.json") == read()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"sed": 1}, "a.json: $.sed: no such key; did you mean seed?"),
        (
            {"faults": [{**SURGE, "kind": "surg"}]},
            'a.json: $.faults[0].kind: no such kind: "surg"; did you mean surge?',
        ),
        (
            {"faults": [SURGE, {**SURGE, "Station": 1}]},
            "a.json: $.faults[1].Station: no such key; did you mean station?",
        ),
        (
            {"service": {}},
            'a.json: $.service: the key "kind" is missing; add it, one of timetable, headways',
        ),
        (
            {"expect": [{**COUNT, "topic": "trains"}]},
            'a.json: $.expect[0].topic: no such topic: "trains"; choose one of arrivals, turnstile, weather, alerts',
        ),
        ({"a - at `$.b": 1}, 'a.json: $: no such key: "a - at `$.b"; keys are words, such as seed'),
        ({"from station": 1}, "a.json: $.from station: no such key; did you mean duration?"),
        (
            {"expect": [{**COUNT, "topic": "\u001b - at `$.b`"}]},
            'a.json: $.expect[0].topic: no such topic: "\\u001b - at `$.b`"; '
            "choose one of arrivals, turnstile, weather, alerts",
        ),
        (
            {"stream_faults": [{"kind": "duplicated", "topic": "arrivals"}]},
            'a.json: $.stream_faults[0].kind: no such kind: "duplicated"; did you mean duplicate?',
        ),
        (
            {"stream_faults": [{"kind": "drop", "topic": "turnstiles"}]},
            'a.json: $.stream_faults[0].topic: no such topic: "turnstiles"; did you mean turnstile?',
        ),
        (
            {"stream_faults": [{"kind": "drop", "topic": "arrivals", "copies": 2}]},
            "a.json: $.stream_faults[0].copies: no such key; "
            "choose one of kind, topic, line, station, train, start, duration, share",
        ),
        (
            {"stream_faults": [{"kind": "reorder", "topic": "arrivals"}]},
            'a.json: $.stream_faults[0]: the key "within" is missing; add it',
        ),
        (
            {"stream_faults": [{"kind": "drop", "topic": "arrivals", "share": 1.5}]},
            "a.json: $.stream_faults[0].share: 1.5 is too large; write a number at most 1",
        ),
        ({"seed": "1"}, 'a.json: $.seed: "1" is not a whole number; write a whole number'),
        ({"seed": 2.0}, "a.json: $.seed: 2.0 is not a whole number; write a whole number"),
        ({"seed": -1}, "a.json: $.seed: -1 is too small; write a number at least 0"),
        (
            {"seed": 2**60},
            f"a.json: $.seed: {2**60} is too large; write a number at most {2**53}",
        ),
        (
            {"faults": [{**SURGE, "factor": 1}]},
            "a.json: $.faults[0].factor: 1 is too small; write a number above 1",
        ),
        (
            {"faults": [{**SURGE, "station": None}]},
            "a.json: $.faults[0].station: null is not a whole number or text; write a whole number or text",
        ),
        ({"faults": {}}, "a.json: $.faults: an object is not a list; write a list"),
        ({"faults": [[]]}, "a.json: $.faults[0]: a list is not an object; write an object"),
        (
            {"faults": [SURGE] * 1001},
            "a.json: $.faults: has 1001 entries; write at most 1000",
        ),
        (
            {"stream_faults": [{"kind": "drop", "topic": "arrivals"}] * 1001},
            "a.json: $.stream_faults: has 1001 entries; write at most 1000",
        ),
        ({"lines": []}, "a.json: $.lines: is empty; fill it in, or leave the key out"),
        ({"name": "x" * 65}, "a.json: $.name: has 65 characters; write at most 64"),
        (
            {"name": "Rush hour"},
            'a.json: $.name: "Rush hour" is not a name; write small letters, digits, _ and -, such as rush_hour',
        ),
        (
            {"name": "a\n"},
            'a.json: $.name: "a\\n" is not a name; write small letters, digits, _ and -, such as rush_hour',
        ),
        (
            {"description": "\ud800"},
            "a.json: $: holds half of a surrogate pair; write the character itself, or both halves",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named_with_its_path(change: dict[str, Any], line: str) -> None:
    """One line: where, what, and what to write instead."""
    assert complaint(change) == line


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "a.json: $: is empty; a scenario is a JSON object, see docs/scenarios.md"),
        (b"\xff\xfe", "a.json: $: is not UTF-8 (byte 0); save it as UTF-8 text"),
        (b"[1]", "a.json: $: a list is not an object; write an object"),
        (b"{}", 'a.json: $: the key "name" is missing; add it'),
        (
            b'{"name": "a",\n "seed" 1}',
            "a.json: line 2 column 9: is not JSON: expecting ':' delimiter; mend it there",
        ),
        (b'{"seed": 1, "seed": 2}', 'a.json: $: the key "seed" stands twice in one object; keep one of them'),
        (b'{"seed": NaN}', "a.json: $: NaN is not JSON; write a number"),
        (b'{"seed": 1e999}', "a.json: $: the number 1e999 is too large; write a smaller one"),
        (b'{"seed": ' + b"9" * 9999 + b"}", "a.json: $: a number has 9999 digits; write a smaller one"),
        (b"[" * 200_000, "a.json: $: is nested too deep; a scenario is an object of lists of objects"),
        (
            b" " * (LIMIT_BYTES + 1),
            "a.json: $: is longer than 1,048,576 bytes; a scenario is short; is this another file?",
        ),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_not_a_json_object_is_refused(data: bytes, line: str) -> None:
    """Nothing but JSON that every reader reads alike gets through."""
    assert complaint(data) == line


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    """Errors begin with the path as it was given."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(LEAST), "utf-8")
    assert load(path) == load(str(path)) == read()
    path.write_text("{", "utf-8")
    with pytest.raises(ScenarioError, match="is not JSON") as caught:
        load(path)
    assert caught.value.where == f"{path}: line 1 column 2"


def test_what_is_not_a_file_is_refused(tmp_path: Path) -> None:
    """A missing file, a directory, and a path that no file can have."""
    lines = []
    for path in (tmp_path / "b.json", tmp_path, "a\0b"):
        with pytest.raises(ScenarioError) as caught:
            load(path)
        lines.append(str(caught.value))
    assert lines == [
        f"{tmp_path / 'b.json'}: no such file; name a scenario's JSON file",
        f"{tmp_path}: is a directory; name a scenario's JSON file in it",
        "a\0b: cannot be read (embedded null byte); name a scenario's JSON file",
    ]
