"""`cta diff`: the verdict, the cause, the first difference, the counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cta import __version__
from cta.commands.diff import diff as run_diff
from cta.commands.diff_report import report, shift
from cta.commands.target import open_run
from cta.recording.format import decode_header
from cta.recording.reader import Recording
from tests.cli.running import invoke, write_scenario
from tests.recording.records import HEADER, SMALL, START_MS, Records, ordered_streams, write

MAX_MS = 253_402_214_400_000
"""The last moment that a header can name."""
BREAKDOWN = {
    "kind": "breakdown",
    "line": "yellow",
    "station": "Oakton-Skokie",
    "direction": "b",
    "start": "07:00",
    "duration": "PT8M",
}

REPORT = """\
different: 1 difference, the first at 2026-05-13T07:00:02.500-05:00
cause   not told: no scenario made these recordings
A       one.jsonl, seed 7
        6 records, 2026-05-13T07:00:00-05:00 to 2026-05-13T08:00:00-05:00
        digest 37912e438a09f515202dfb3dbde01709
B       other.jsonl, seed 7
        5 records, 2026-05-13T07:00:00-05:00 to 2026-05-13T08:00:00-05:00
        digest 1ecb73f241ed4c7e7b8218239238b7c2

first difference: arrivals BL104 (- A, + B)
  - 07:00:02.500  Clark/Lake b  blue in_service, from Washington b

                                                A        B missing   extra changed    moved   median
arrivals                                        2        1       1       -       -        -
  BL104                                                          1       -       -        -
turnstile                                       2        2       -       -       -        -
weather                                         1        1       -       -       -        -
alerts                                          1        1       -       -       -        -
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_scenario(tmp_path / "small.json")


def recorded(scenario: Path, name: str, *options: str) -> Path:
    output = scenario.with_name(name)
    assert invoke("record", scenario, "-o", output, *options).exit_code == 0
    return output


def diff(*args: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of ``cta diff``."""
    result = invoke("diff", *args, "--json")
    return result.exit_code, json.loads(result.stdout)


def test_a_recording_of_a_scenario_is_the_same_run(small: Path) -> None:
    """In either form, on either side: exit 0, and the first line says so."""
    plain, framed = recorded(small, "small.jsonl"), recorded(small, "small.jsonl.zst")
    for a, b in ((small, plain), (plain, framed), (framed, small)):
        result = invoke("diff", a, b)
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "the same")


def test_who_waits_sees_the_matching_too(small: Path) -> None:
    """Each pass over the runs fills the bar; then the keys that differ do, one by one, and the line below counts them."""
    seen: list[tuple[int, str]] = []

    def progress(time_ms: int, records: int, lag: Callable[[], str] = str) -> None:
        seen.append((time_ms, lag()))

    one, other = open_run(str(small)), open_run(str(small), seed=8)
    keys = len(run_diff(("a", "b"), one, other, progress=progress).comparison.tallies)
    matching = [(time_ms, line) for time_ms, line in seen if line]
    assert [line for _, line in matching] == [f"matching: {n} of {keys} keys" for n in range(1, keys + 1)]
    assert matching == sorted(matching, key=lambda each: each[0])
    assert seen[-1][0] == one.window.end_ms


def test_a_narrow_terminal_cuts_records_and_counts_but_no_words(small: Path) -> None:
    """The verdict, the causes and what was compared are whole; what stands in columns is as wide as the terminal."""
    found = run_diff(("a", "b"), open_run(str(small)), open_run(str(small), seed=8))
    narrow, wide = ([line for line, _ in report(found, width)] for width in (40, 160))
    words = wide.index("")
    assert narrow[:words] == wide[:words]
    assert max(map(len, narrow[:words])) > 40
    assert max(map(len, narrow[words:])) == 40


def test_another_seed_is_the_cause(small: Path) -> None:
    """Exit 1, and the seed is the only cause, from the command line or in a recording's header."""
    seed = [{"kind": "seed", "path": None, "a": 7, "b": 8}]
    for b in ((small, "--seed-b", "8"), (recorded(small, "other.jsonl", "--seed", "8"),)):
        code, found = diff(small, *b)
        assert (code, found["different"], found["causes"]) == (1, True, seed)


def test_a_fault_in_one_only_is_the_cause(small: Path) -> None:
    """The fault is told with its side, and the records around the train's breakdown."""
    faulty = write_scenario(small.with_name("faulty.json"), faults=[BREAKDOWN])
    result = invoke("diff", small, faulty)
    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert lines[1] == "cause   a fault in B only: breakdown, yellow, Oakton-Skokie, b; from 07:00 for PT8M"
    assert any(line.startswith("  + 07:") and "broken_down" in line for line in lines)
    _, found = diff(faulty, small)
    assert [(cause["kind"], cause["a"], cause["b"]) for cause in found["causes"]] == [("fault", BREAKDOWN, None)]


def test_a_field_of_the_scenario_is_the_cause(small: Path) -> None:
    """By its path, with both values; name, description and expectations are no cause."""
    other = write_scenario(
        small.with_name("other.json"), name="other", description="x", expect=None, ridership="2024-04", lines=None
    )
    _, found = diff(small, other)
    assert found["causes"] == [
        {"kind": "scenario", "path": "$.lines", "a": ["yellow"], "b": None},
        {"kind": "scenario", "path": "$.ridership", "a": "2019-10", "b": "2024-04"},
    ]


def test_a_window_that_the_scenario_says_is_no_cut(small: Path) -> None:
    """Another duration is told once: as the scenario's field."""
    _, found = diff(small, write_scenario(small.with_name("short.json"), duration="PT5M"))
    assert found["causes"] == [{"kind": "scenario", "path": "$.duration", "a": "PT10M", "b": "PT5M"}]


def test_a_cut_window_is_the_cause(small: Path) -> None:
    """All that is missing lies outside the common window: the verdict says that inside it the runs are the same."""
    part = recorded(small, "part.jsonl", "--until", "07:05")
    _, found = diff(small, part)
    assert [(cause["kind"], cause["b"]) for cause in found["causes"]] == [
        ("window", "2026-05-13T07:00:00-05:00 to 2026-05-13T07:05:00-05:00")
    ]
    missing = sum(topic["missing"] for topic in found["topics"].values())
    assert found["outside_common_window"] == missing > 0
    records = found["b"]["total"]
    assert found["common_window"] == {
        "start_ms": found["a"]["start_ms"], "end_ms": found["b"]["end_ms"], "same_records": records
    }  # fmt: skip
    assert found["first"]["outside_common_window"] is True
    verdict, same = (
        f"different: {missing:,} differences, all outside the window that both cover",
        f"same    inside it, 2026-05-13T07:00:00-05:00 to 07:05:00: {records:,} records",
    )
    for a, b in ((small, part), (part, small)):
        lines = invoke("diff", a, b).stdout.splitlines()
        assert lines[:2] == [verdict, same]
        assert any(line.startswith("first difference, outside that window: ") for line in lines)
        assert "missing and extra lie" not in "".join(lines)
    tolerant = invoke("diff", small, part, "--ignore", "temperature").stdout.splitlines()
    assert tolerant[1:3] == [same, "        but for what was to be ignored"]


def test_a_difference_inside_the_common_window_is_no_cut_alone(small: Path) -> None:
    """One record less inside it: how many lie outside is told, and nothing is said to be the same."""
    part = recorded(small, "part.jsonl", "--from", "07:05")
    recording = Recording.open(part)
    records = [record for batch in recording.batches() for record in batch]
    write(part, records[1:], recording.header)
    _, found = diff(small, part)
    assert found["common_window"]["same_records"] is None
    outside = found["outside_common_window"]
    assert 0 < outside == sum(topic["missing"] for topic in found["topics"].values()) - 1
    lines = invoke("diff", small, part).stdout.splitlines()
    assert lines[0] == f"different: {outside + 1:,} differences, the first at 2026-05-13T07:00:00-05:00"
    assert f"{outside:,} of the missing and extra lie outside the common window" in "".join(lines)
    assert any(line.startswith("first difference, outside the common window: ") for line in lines)


@given(ordered_streams, st.data())
def test_of_any_run_and_a_part_of_it_the_part_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, records: Records, data: st.DataObject
) -> None:
    """As many records as it has, wherever it begins and ends; exit 0 where it is all there is."""
    place = tmp_path_factory.mktemp("part")
    records = [(time_ms, content) for time_ms, content in records if time_ms < MAX_MS]
    moments = st.sampled_from([START_MS, *(time_ms for time_ms, _ in records)])
    start, stop = sorted((data.draw(moments), data.draw(moments)))
    stop += 1
    inside = [(time_ms, content) for time_ms, content in records if start <= time_ms < stop]
    whole = write(place / "whole.jsonl", records, replace(HEADER, start_ms=0, end_ms=MAX_MS))
    part = write(place / "part.jsonl", inside, replace(HEADER, start_ms=start, end_ms=stop))
    code, found = diff(whole, part)
    assert code == (len(inside) < len(records))
    assert found["common_window"] == {
        "start_ms": start, "end_ms": stop, "same_records": len(inside)
    }  # fmt: skip


def test_what_a_recording_says_it_does_not_have_is_the_cause(small: Path) -> None:
    """A line cut out of a run is not the whole run."""
    part = small.with_name("red.jsonl")
    assert invoke("cut", recorded(small, "whole.jsonl"), "-o", part, "--line", "red").exit_code == 0
    _, found = diff(small, part)
    assert found["causes"] == [{"kind": "missing", "path": None, "a": None, "b": "records of other lines than red"}]
    assert "not in B: records of other lines than red" in invoke("diff", small, part).stdout
    half = small.with_name("half.jsonl")
    invoke("cut", part, "-o", half, "--until", "07:05")
    _, found = diff(part, half)
    assert [cause["kind"] for cause in found["causes"]] == ["window"]  # both lack the other lines


def test_another_version_is_the_cause(small: Path) -> None:
    """The header's cta against this one, where the records differ and nothing else does."""
    plain = recorded(small, "old.jsonl")
    records = plain.read_bytes().split(b"\n")
    header = records[0].replace(b'"version":"%b"' % __version__.encode(), b'"version":"0.0.1"')
    plain.write_bytes(b"\n".join([header, *records[1:]]))
    assert invoke("diff", small, plain).exit_code == 2  # altered, and so no run to compare with
    older = {"kind": "version", "path": None, "a": __version__, "b": "0.0.1"}
    path = write(small.with_name("older.jsonl"), SMALL, header=decode_header(header + b"\n", "test"))
    _, found = diff(small, path)
    assert found["causes"] == [older]


def test_no_cause_is_said_to_be_none(tmp_path: Path) -> None:
    """Two recordings of one origin that differ: nothing is made up."""
    one, other = write(tmp_path / "one.jsonl", SMALL), write(tmp_path / "other.jsonl", SMALL[:-1])
    lines = invoke("diff", one, other).stdout.splitlines()
    assert lines[:2] == [
        "different: 1 difference, the first at 2026-05-13T07:00:02.500-05:00",
        "cause   not told: no scenario made these recordings",
    ]


def test_a_report_line_by_line(tmp_path: Path) -> None:
    """All that is shown of a small difference."""
    one, other = write(tmp_path / "one.jsonl", SMALL), write(tmp_path / "other.jsonl", SMALL[:-1])
    assert invoke("diff", one, other).stdout.replace(f"{tmp_path}/", "") == REPORT


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ordered_streams, ordered_streams, st.booleans())
def test_exit_0_exactly_where_the_digests_are_equal(
    tmp_path_factory: pytest.TempPathFactory, a: Records, b: Records, same: bool
) -> None:
    """Of any two recordings."""
    place = tmp_path_factory.mktemp("diff")
    one, other = write(place / "a.jsonl", a), write(place / "b.jsonl", a if same else b)
    code, found = diff(one, other)
    assert code == (found["a"]["digest"] != found["b"]["digest"])


def test_tolerance_and_ignored_fields(small: Path, tmp_path: Path) -> None:
    """What lies within the tolerance, and what is ignored, makes no difference."""
    later = write(tmp_path / "later.jsonl", [(time_ms + 400, content) for time_ms, content in SMALL])
    one = write(tmp_path / "one.jsonl", SMALL)
    assert invoke("diff", one, later, "--time-tolerance", "300ms").exit_code == 1
    result = invoke("diff", one, later, "--time-tolerance", "PT1S")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "the same but for what was to be ignored")


@pytest.mark.parametrize(
    "options, line",
    [
        (
            ["--ignore", "temprature"],
            "error: --ignore: no record has the field 'temprature'; did you mean temperature?",
        ),
        (
            ["--ignore", "alerts.line_"],
            "error: --ignore: no record has the field 'alerts.line_'; did you mean alerts.line?",
        ),
        (
            ["--time-tolerance", "0s"],
            "error: --time-tolerance: '0s' is not a duration; write it as 500ms, 5s, 2m or PT5S",
        ),
        (
            ["--time-tolerance", "5"],
            "error: --time-tolerance: '5' is not a duration; write it as 500ms, 5s, 2m or PT5S",
        ),
        (["--seed-b", "x"], None),
    ],
)
def test_bad_options(small: Path, options: list[str], line: str | None) -> None:
    """Exit 2 and one line that says what to write."""
    result = invoke("diff", small, small, *options)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert line is None or result.stderr == f"{line}\n"


def test_a_damaged_recording_is_bad_input(small: Path) -> None:
    """Nothing is said of a run that cannot be read whole."""
    path = recorded(small, "cut.jsonl")
    path.write_bytes(path.read_bytes()[:-10])
    result = invoke("diff", small, path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cut short" in result.stderr


@pytest.mark.parametrize(
    "shift_ms, text",
    [(0, "+0.0 s"), (-250, "-0.2 s"), (59_999, "+59.9 s"), (243_000, "+4m03s"), (-3_720_000, "-1h02m")],
)
def test_shifts_are_short(shift_ms: int, text: str) -> None:
    """Seconds, minutes or hours, with their sign."""
    assert shift(shift_ms) == text
