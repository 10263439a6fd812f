"""Checks of the file as such: the trailer's figures, the form of each line, the order of all."""

from __future__ import annotations

import json
from itertools import pairwise

from tests.oracle.case import Case, clock
from tests.oracle.history import ARRIVALS, FIRST_RECORD_LINE, RANKS, TURNSTILE, Content
from tests.oracle.railway import rows

_SAME_IN_KEY_AND_VALUE = {ARRIVALS: "train_id", TURNSTILE: "station_id"}

_NAMES = ("stop_name", "station_name", "station_descriptive_name")


def trailer(case: Case) -> list[str]:
    """The last line says what the lines before it come to."""
    said, found = case.history.trailer, case.history.figures()
    names = sorted(said.keys() | found.keys())
    return [
        f"trailer: {name} is {said.get(name)}, of the lines {found.get(name)}"
        for name in names
        if said.get(name) != found.get(name)
    ]


def form(case: Case) -> list[str]:
    """A record is canonical JSON: all fields of its schemas in their order, no spaces, ids the same in key and value."""
    wrong = {code for code, content in enumerate(case.history.contents) if not _is_canonical(content, case)}
    return [
        f"line {n}: not in canonical form: {case.history.contents[code].raw.decode(errors='replace')}"
        for n, code in enumerate(case.history.codes, FIRST_RECORD_LINE)
        if code in wrong
    ]


def _is_canonical(content: Content, case: Case) -> bool:
    record = {"topic": content.topic, "key": content.key, "value": content.value}
    compact = json.dumps(record, separators=(",", ":"), ensure_ascii=False)[1:-1].encode()
    fields = {
        part: [f["name"] for f in schema["fields"]]
        for part, schema in case.history.header["schemas"][content.topic].items()
    }
    same = _SAME_IN_KEY_AND_VALUE.get(content.topic)
    return (
        compact == content.raw
        and list(content.key) == fields["key"]
        and list(content.value) == fields["value"]
        and (same is None or content.key[same] == content.value[same])
    )


def stations(case: Case) -> list[str]:
    """The header's station rows are those of stations.csv; a line's order counts its stations from nought."""
    right = {
        (int(row["stop_id"]), *(row[name] for name in _NAMES), int(row["station_id"])) for row in rows("stations.csv")
    }
    said = {
        (row["stop_id"], *(row[name] for name in _NAMES), row["station_id"]) for row in case.history.header["stations"]
    }
    violations = [f"line 1: no such platform, or one left out: {row}" for row in sorted(right ^ said)]
    for line in (row["line"] for row in case.railway.lines):
        served = {(row[f"{line}_order"], row["station_id"]) for row in case.history.header["stations"] if row[line]}
        if sorted(order for order, _ in served) != list(range(len(case.railway.station_ids(line)))):
            violations.append(f"line 1: the {line} line's order does not count its stations")
        if {station_id for _, station_id in served} != case.railway.station_ids(line):
            violations.append(f"line 1: the {line} line serves other stations")
    return violations


def order(case: Case) -> list[str]:
    """Times never go back and stay in the window; at one millisecond records stand by topic, then by entity."""
    history, plan = case.history, case.plan
    whose = [(RANKS[content.topic], content.entity) for content in history.contents]
    places = [(time_ms, *whose[code]) for time_ms, code in zip(history.times_ms, history.codes, strict=True)]
    violations = [
        f"line {n}: stands after a record that it should stand before"
        for n, (before, after) in enumerate(pairwise(places), FIRST_RECORD_LINE + 1)
        if after < before
    ]
    return violations + [
        f"line {n}: {clock(time_ms)} is outside the run's window"
        for n, time_ms in enumerate(history.times_ms, FIRST_RECORD_LINE)
        if not plan.start_ms <= time_ms < plan.end_ms
    ]
