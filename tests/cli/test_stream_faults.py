"""A topic that misbehaves, through the commands: the same delivery wherever it goes, and told as what it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import cta, invoke, write_scenario

FAULTS: list[dict[str, Any]] = [
    {"kind": "duplicate", "topic": "turnstile", "share": 0.2, "copies": 2, "delay": "PT30S"},
    {"kind": "delay", "topic": "arrivals", "train": "BL103", "delay": "PT4M"},
    {"kind": "reorder", "topic": "turnstile", "within": "PT10S"},
    {"kind": "corrupt", "topic": "turnstile", "station": "Clark/Lake", "share": 0.5},
    {"kind": "drop", "topic": "weather"},
]
KINDS = [pytest.param([fault], id=fault["kind"]) for fault in FAULTS]


@pytest.fixture
def unreliable(tmp_path: Path) -> Path:
    """Twenty minutes of the Blue Line with all that there is."""
    return write_scenario(tmp_path / "unreliable.json", lines=["blue"], duration="PT20M", stream_faults=FAULTS)


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    """The same without."""
    return write_scenario(tmp_path / "calm.json", lines=["blue"], duration="PT20M")


def replayed(*args: str | Path) -> dict[str, Any]:
    """What ``cta replay ARGS`` comes to, but for how long it took."""
    result = invoke("replay", *args, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    del document["wall_s"]
    return document


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_a_delivery_and_its_recording_are_one(unreliable: Path, tmp_path: Path, name: str) -> None:
    """Both come to the same, in any number of partitions; recorded again from the recording it is the same file."""
    first, second, third = (tmp_path / f"{number}{name}" for number in (1, 2, 3))
    for target, output in ((unreliable, first), (unreliable, second), (first, third)):
        assert invoke("record", target, "-o", output, "--quiet").exit_code == 0
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()
    assert json.loads(invoke("info", first, "--json").stdout)["order"] == "arrival"
    assert replayed(unreliable) == replayed(unreliable, "--partitions", "3") == replayed(first, "--partitions", "2")


@pytest.mark.parametrize("target", ["scenario", "recording"])
def test_a_part_and_what_was_before_it_make_the_board_of_the_whole(
    unreliable: Path, tmp_path: Path, target: str
) -> None:
    """A replay from the middle ends with the page of the run, late records included."""
    path = unreliable
    if target == "recording":
        path = tmp_path / "run.jsonl"
        assert invoke("record", unreliable, "-o", path).exit_code == 0
    whole, part = replayed(path), replayed(path, "--from", "07:10")
    assert part["board_digest"] == whole["board_digest"]
    assert 0 < part["total"] < whole["total"]


def test_a_recording_becomes_avro_and_comes_back(unreliable: Path, tmp_path: Path) -> None:
    """Values that no schema explains and times that go back, byte for byte."""
    there, avro, back = (tmp_path / name for name in ("run.jsonl", "run.avro", "back.jsonl"))
    assert invoke("record", unreliable, "-o", there).exit_code == 0
    assert invoke("convert", there, "-o", avro).exit_code == 0
    assert invoke("convert", avro, "-o", back).exit_code == 0
    assert back.read_bytes() == there.read_bytes()


def test_diff_names_the_stream_faults(calm: Path, unreliable: Path) -> None:
    """Each is a cause, and what it did is counted."""
    result = invoke("diff", calm, unreliable)
    assert result.exit_code == 1
    for line in (
        "a stream fault in B only: duplicate, turnstile, copies 2, delay PT30S, share 0.2; the whole run",
        "a stream fault in B only: delay, arrivals, BL103, delay PT4M, share 1.0; the whole run",
        "a stream fault in B only: drop, weather, share 1.0; the whole run",
    ):
        assert line in result.stdout
    document = json.loads(invoke("diff", calm, unreliable, "--json").stdout)
    assert [cause["kind"] for cause in document["causes"]] == ["stream fault"] * 5
    topics = {name.rpartition("cta.")[2]: tally for name, tally in document["topics"].items()}
    assert topics["weather.v1"]["missing"] == 1
    assert topics["turnstile.v1"]["extra"] > 500
    assert topics["turnstile.v1"]["fields"] == {"value": topics["turnstile.v1"]["changed"]}
    assert topics["stations.arrivals.v1"]["missing"] == topics["stations.arrivals.v1"]["extra"] == 0


def test_equal_faults_in_another_order_are_no_cause(unreliable: Path, tmp_path: Path) -> None:
    """Nor a difference."""
    other = write_scenario(tmp_path / "o.json", lines=["blue"], duration="PT20M", stream_faults=FAULTS[::-1])
    document = json.loads(invoke("diff", unreliable, other, "--json").stdout)
    assert (document["different"], document["causes"]) == (False, [])


@pytest.mark.parametrize(
    ("faults", "laws"),
    [
        ([FAULTS[0]], []),
        ([{"kind": "duplicate", "topic": "arrivals"}], ["neighbours", "prev", "separation"]),
        ([{"kind": "duplicate", "topic": "weather"}], ["weather"]),
        ([FAULTS[1]], []),
        ([{**FAULTS[1], "share": 0.5}], ["neighbours", "prev"]),
        ([FAULTS[2]], []),
        ([FAULTS[3]], ["schema"]),
        ([FAULTS[4]], ["weather"]),
        ([{"kind": "drop", "topic": "arrivals", "share": 0.1}], ["neighbours", "prev"]),
    ],
    ids=str,
)
def test_check_tells_what_is_wrong_with_a_delivery(
    faults: list[dict[str, Any]], laws: list[str], tmp_path: Path
) -> None:
    """The laws that it breaks and no other, of the scenario and of its recording alike; and that it was to be so."""
    scenario = write_scenario(tmp_path / "a.json", lines=["blue"], duration="PT20M", stream_faults=faults)
    recording = tmp_path / "a.jsonl"
    assert invoke("record", scenario, "-o", recording).exit_code == 0
    of_scenario, of_recording = (json.loads(invoke("check", path, "--json").stdout) for path in (scenario, recording))
    assert sorted(law for law, n in of_scenario["laws"].items() if n) == laws
    assert of_recording["laws"] == {"bytes": 0, **of_scenario["laws"]}
    assert of_scenario["notes"] == of_recording["notes"] != []


def test_expectations_are_of_the_stream_as_delivered(tmp_path: Path) -> None:
    """A reading that never came is not counted; times that go back break the law that they don't."""
    expect: list[dict[str, Any]] = [
        {"kind": "count", "topic": "weather", "equals": 1},
        {"kind": "invariant", "invariant": "times_never_go_back"},
    ]
    for faults, failed in ((FAULTS[4:], "weather readings exactly 1"), (FAULTS[2:3], "times never go back")):
        scenario = write_scenario(tmp_path / "a.json", lines=["blue"], stream_faults=faults, expect=expect)
        result = invoke("replay", scenario, "--json")
        assert result.exit_code == 1
        assert [each["name"] for each in json.loads(result.stdout)["expect"] if not each["ok"]] == [failed]


def test_the_installed_command_names_a_wrong_stream_fault(tmp_path: Path) -> None:
    """Exit code 2, one line, nothing written."""
    scenario = write_scenario(
        tmp_path / "a.json", stream_faults=[{"kind": "delay", "topic": "arrivals", "delya": "PT1S"}]
    )
    ended = cta("record", scenario, "-o", tmp_path / "a.jsonl")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"{scenario}: $.stream_faults[0].delya: no such key; did you mean delay?" in ended.stderr
    assert list(tmp_path.iterdir()) == [scenario]
