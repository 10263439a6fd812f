"""Whatever is done to a document, what comes of it is a plan or one error that says where."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cta.model.errors import ScenarioError
from cta.model.scenario import Scenario, parse
from cta.network.load import chicago
from cta.simulation.plan import Plan, resolve

WHEN = {"start": "08:00", "duration": "PT20M"}
FULL: dict[str, Any] = {
    "name": "everything",
    "description": "One of each.",
    "seed": 7,
    "start": "2026-05-13T07:00:00-05:00",
    "duration": "PT2H",
    "lines": ["red", "blue"],
    "ridership": "2024-04",
    "service": {"kind": "headways", "trains": 10, "headway": "PT5M"},
    "faults": [
        {"kind": "breakdown", "line": "blue", "station": "Clark/Lake", "direction": "b", **WHEN},
        {"kind": "closure", "station": "Monroe (Red)", **WHEN},
        {"kind": "slow_zone", "line": "red", "from_station": "Howard", "to_station": "Wilson", "factor": 2.5, **WHEN},
        {"kind": "surge", "station": 41420, "factor": 3, **WHEN},
    ],
    "stream_faults": [
        {"kind": "duplicate", "topic": "turnstile", "station": 41420, "share": 0.01, "copies": 2, "delay": "PT30S"},
        {"kind": "delay", "topic": "arrivals", "train": "BL104", "delay": "PT1M", **WHEN},
        {"kind": "reorder", "topic": "arrivals", "line": "red", "within": "PT2M"},
        {"kind": "drop", "topic": "weather"},
        {"kind": "corrupt", "topic": "alerts", "share": 0.5},
    ],
    "expect": [
        {"kind": "count", "topic": "arrivals", "line": "red", "train_status": "in_service", "min": 1, "at": "08:15"},
        {"kind": "count", "topic": "weather", "weather_status": "sunny", "max": 2, "name": "no heat"},
        {"kind": "board", "line": "blue", "station": "Clark/Lake", "direction": "a", "equals": 1},
        {"kind": "invariant", "invariant": "times_never_go_back"},
    ],
}

Path = tuple[str | int, ...]


def paths(value: Any, here: Path = ()) -> list[Path]:
    """The place of the value and of everything in it."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, part in items for path in paths(part, (*here, key)))]


def words(value: Any) -> set[Any]:
    """The text and numbers in a document: each is right somewhere."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return {word for part in parts for word in words(part)}
    return {value}


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
    | st.sampled_from(sorted(words(FULL), key=repr)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """The full document with up to three values replaced, deleted or joined by a key that is not theirs."""
    document: Any = copy.deepcopy({"$": FULL})
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(paths(document)[1:]))
        parent = document
        for step in way:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "delete", "add"])):
            case "replace":
                parent[last] = draw(anything)
            case "delete" if way:
                del parent[last]
            case _ if isinstance(parent, list):
                parent.append(draw(anything))
            case _ if way:
                parent[draw(st.text(max_size=8) | st.sampled_from(sorted(FULL)))] = draw(anything)
    return document["$"]


def judge(data: bytes) -> Scenario | Plan | str:
    """The plan of a document, or its error's line."""
    try:
        return resolve(parse(data, "a.json"), chicago(), source="a.json")
    except ScenarioError as error:
        return str(error)


def test_the_document_that_is_mutated_is_right() -> None:
    """Else the laws below would only ever see its one error."""
    assert isinstance(judge(json.dumps(FULL).encode()), Plan)


@settings(max_examples=300)
@given(mutated())
def test_a_mutated_document_is_a_plan_or_an_error_with_its_place(document: Any) -> None:
    """Type swaps, deletions and unknown keys: no other exception, and one line that names a place in this file."""
    judged = judge(json.dumps(document).encode())
    if isinstance(judged, str):
        assert judged.startswith("a.json: $")
        assert "; " in judged
        assert judged.isprintable()


@settings(max_examples=200)
@given(st.binary(max_size=40), st.integers(0, 10_000), st.integers(0, 20))
def test_bytes_written_over_a_document_give_a_plan_or_an_error(noise: bytes, at: int, length: int) -> None:
    """Not even text, perhaps."""
    text = json.dumps(FULL).encode()
    at %= len(text)
    judged = judge(text[:at] + noise + text[at + length :])
    assert isinstance(judged, Plan) or judged.startswith("a.json: ")  # type: ignore[union-attr]


@given(
    st.permutations(range(len(FULL["faults"]))),
    st.permutations(range(len(FULL["stream_faults"]))),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_document_means_nothing_to_its_plan(order: list[int], on_stream: list[int], random: Any) -> None:
    """Neither that of its keys nor that of its faults, of the world or of the stream."""
    items = [(key, FULL[key]) for key in FULL]
    random.shuffle(items)
    shuffled = {
        **dict(items),
        "faults": [FULL["faults"][i] for i in order],
        "stream_faults": [FULL["stream_faults"][i] for i in on_stream],
    }
    assert judge(json.dumps(shuffled).encode()) == judge(json.dumps(FULL).encode())
