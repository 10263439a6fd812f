"""`cta check`: nothing wrong with what ships, everything that is wrong with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cta.model.time import MINUTE_MS
from cta.model.topics import ARRIVALS
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter
from tests.cli.running import invoke, write_scenario
from tests.conftest import ROOT

SCENARIOS = [
    path
    for path in sorted((ROOT / "scenarios").glob("*.json"))
    if "stream_faults" not in json.loads(path.read_text("utf-8"))
]
"""Those whose streams are delivered as the world sends them; of the others `test_stream_faults` says what is wrong."""


def check(target: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of ``cta check``."""
    result = invoke("check", target, "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred minutes of the Blue Line with its breakdown, and a closure."""
    place = tmp_path_factory.mktemp("check")
    faults = [
        {
            "kind": "breakdown",
            "line": "blue",
            "station": "Clark/Lake",
            "direction": "b",
            "start": "07:20",
            "duration": "PT9M",
        },
        {"kind": "closure", "station": "Division", "start": "07:10", "duration": "PT30M"},
    ]
    scenario = write_scenario(place / "blue.json", lines=["blue"], duration="PT1H40M", faults=faults, expect=None)
    assert invoke("record", scenario, "-o", place / "blue.jsonl").exit_code == 0
    return place / "blue.jsonl"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_nothing_is_wrong_with_the_scenarios_that_ship(scenario: Path, tmp_path: Path) -> None:
    """Neither with their runs nor with their recordings."""
    recording = tmp_path / "run.jsonl"
    invoke("record", scenario, "-o", recording)
    for target in (scenario, recording):
        result = invoke("check", target)
        assert result.exit_code == 0, result.stdout
        assert result.stdout.startswith("nothing wrong in ")


def altered(recording: Path, change: Callable[[list[bytes]], None], output: Path) -> Path:
    """A copy of the recording with its lines changed (the header is the first) and its last line left as it is."""
    lines = recording.read_bytes().split(b"\n")
    change(lines)
    output.write_bytes(b"\n".join(lines))
    return output


def line_of(lines: list[bytes], text: bytes, after: int = 0) -> int:
    return next(i for i, line in enumerate(lines) if i >= after and text in line)


def replace(text: bytes, other: bytes) -> Callable[[list[bytes]], None]:
    """In the first line of the second half of the file that has the text."""

    def change(lines: list[bytes]) -> None:
        place = line_of(lines, text, len(lines) // 2)
        lines[place] = lines[place].replace(text, other, 1)

    return change


def drop(text: bytes, after: int = 1) -> Callable[[list[bytes]], None]:
    def change(lines: list[bytes]) -> None:
        del lines[line_of(lines, text, after)]

    return change


CORRUPTED: dict[str, tuple[str, Callable[[list[bytes]], None]]] = {
    "not JSON": ("schema", replace(b'"value":{"station_id":', b'"value":{"station_id"')),
    "another field": ("schema", replace(b'"station_name":', b'"station":')),
    "a word that is none": ("schema", replace(b'"in_service"', b'"on_holiday"')),
    "another form": ("schema", replace(b'"line":"blue"', b'"line": "blue"')),
    "a topic that is none": ("schema", replace(b"turnstile.v1", b"turnstile.v9")),
    "another home line": ("entries", replace(b'"line":"blue"}', b'"line":"pink"}')),
    "another direction": ("neighbours", replace(b'"direction":"a"', b'"direction":"b"')),
    "another prev": ("prev", replace(b'"prev_direction":"b"', b'"prev_direction":"a"')),
    "no first reading": ("weather", drop(b"weather.v1")),
    "no alert": ("alerts", drop(b"alerts.v1")),
    "time goes back": ("order", replace(b'{"t":177867', b'{"t":177866')),
}


@pytest.mark.parametrize("corruption", CORRUPTED)
def test_a_corrupted_file_is_found_out(corruption: str, recording: Path, tmp_path: Path) -> None:
    """By the law that is broken, and by its bytes."""
    law, change = CORRUPTED[corruption]
    code, found = check(altered(recording, change, tmp_path / "bad.jsonl"))
    assert code == 1
    assert {violation["law"] for violation in found["violations"]} >= {law, "bytes"}


def test_a_violation_names_its_line(recording: Path, tmp_path: Path) -> None:
    """The line in the file as an editor counts, in a form that editors and grep follow."""
    lines = recording.read_bytes().split(b"\n")
    place = line_of(lines, b'"line":"blue"}', 4_000)
    path = altered(recording, lambda lines: lines.__setitem__(place, b"{}"), tmp_path / "bad.jsonl")
    result = invoke("check", path)
    assert result.exit_code == 1
    assert f'{path}:{place + 1}: schema: not a record: it does not begin with {{"t":TIME,' in result.stdout.splitlines()


def test_what_was_sealed_again_is_found_by_the_laws(recording: Path, tmp_path: Path) -> None:
    """A recording without a minute's arrivals, whose last line is right, has whole bytes and broken laws."""
    source, path = Recording.open(recording), tmp_path / "sealed.jsonl"
    minute_ms = source.header.start_ms + 30 * MINUTE_MS
    with RecordingWriter(path, source.header) as writer:
        for batch in source.batches():
            taken = (batch.ranks() == ARRIVALS.rank) & (batch.times // MINUTE_MS == minute_ms // MINUTE_MS)
            writer.write(batch[~taken])
    code, found = check(path)
    assert code == 1
    assert {law for law, broken in found["laws"].items() if broken} == {"prev", "neighbours"}


def test_a_scenario_and_its_recording_are_judged_by_the_same_lines(recording: Path, tmp_path: Path) -> None:
    """A scenario's run is judged as the recording that it would be; only bytes it has none."""
    _, of_scenario = check(recording.with_suffix(".json"))
    _, of_recording = check(recording)
    assert (of_scenario["records"], of_scenario["digest"]) == (of_recording["records"], of_recording["digest"])
    assert ["bytes", *of_scenario["laws"]] == list(of_recording["laws"])


def test_a_file_cut_short_says_where_it_stopped(recording: Path, tmp_path: Path) -> None:
    """Exit 1, the records that are there are judged, and the line at which it stops is named."""
    lines = recording.read_bytes().split(b"\n")
    path = tmp_path / "cut.jsonl"
    path.write_bytes(b"\n".join([*lines[:1_000], b""]))
    result = invoke("check", path)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == (
        f"{path}:1001: bytes: cut short: 999 records, and here the last line should stand"
    )


def test_the_first_of_each_law_or_all(recording: Path, tmp_path: Path) -> None:
    """Five of a law, and how many more there are; with --all every one; --json has all."""

    def change(lines: list[bytes]) -> None:
        for i in range(100, 120):
            lines[i] = b"{}"

    path = altered(recording, change, tmp_path / "bad.jsonl")
    some, every = invoke("check", path).stdout, invoke("check", path, "--all").stdout
    assert (some.count(": schema: "), every.count(": schema: ")) == (5, 20)
    assert some.splitlines()[-1] == "and 15 more: --all lists them"
    assert len(check(path)[1]["violations"]) == 21


def test_a_scenario_in_the_header_that_is_none(recording: Path, tmp_path: Path) -> None:
    """The header's line is named, and the records are judged without a plan."""

    def change(lines: list[bytes]) -> None:
        lines[0] = lines[0].replace(b'"station":"Clark/Lake"', b'"station":"Clark/Lane"')

    _, found = check(altered(recording, change, tmp_path / "bad.jsonl"))
    first = found["violations"][0]
    assert (first["line"], first["law"]) == (1, "schema")
    assert first["what"].startswith("its scenario: $.faults[0].station: no station 'Clark/Lane'")
    assert found["notes"] == ["without a scenario, closures and the reasons of alerts are not judged"]


def test_a_cut_recording_has_nothing_wrong(recording: Path, tmp_path: Path) -> None:
    """A part in time of a run is a run; a part of its lines is judged by what it has."""
    for name, options in (("time.jsonl", ["--from", "07:15", "--until", "07:50"]), ("line.jsonl", ["--line", "red"])):
        cut = tmp_path / name
        assert invoke("cut", recording, "-o", cut, *options).exit_code == 0
        result = invoke("check", cut)
        assert (result.exit_code, result.stdout.splitlines()[0][:16]) == (0, "nothing wrong in"), result.stdout


@pytest.mark.parametrize("text", ["", "{}", "no JSON", '{"cta":"recording","format":99}\n'])
def test_what_is_neither_is_bad_input(tmp_path: Path, text: str) -> None:
    """Exit 2 and one line: there is nothing to judge."""
    path = tmp_path / "what.jsonl"
    path.write_text(text)
    result = invoke("check", path)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
