"""`cta record`: a whole file or none."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from cta.recording.reader import Recording
from tests.cli.running import cta, interrupted, invoke, write_scenario


def test_the_file_and_what_is_printed(tmp_path: Path) -> None:
    """A header, records, a trailer; stdout has the digest and the name, stderr the file and its records."""
    scenario, output = write_scenario(tmp_path / "small.json"), tmp_path / "out.jsonl"
    ended = cta("record", scenario, "-o", output)
    header, *records, trailer = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert ended.returncode == 0
    assert ended.stdout == f"{trailer['end']['digest']}  small\n"
    assert ended.stderr == f"{output}: {len(records):,} records\n"
    assert header["scenario"]["name"] == "small"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "small.json"]


def test_the_same_run_is_the_same_file(tmp_path: Path) -> None:
    """Byte for byte, from the scenario twice and from the recording itself."""
    scenario = write_scenario(tmp_path / "small.json")
    first, second, third = (tmp_path / f"{name}.jsonl" for name in ("first", "second", "third"))
    for target, output in ((scenario, first), (scenario, second), (first, third)):
        assert invoke("record", target, "-o", output, "--quiet").exit_code == 0
    assert second.read_bytes() == first.read_bytes()
    assert third.read_bytes() == first.read_bytes()


def test_force_replaces(tmp_path: Path) -> None:
    """With --force the file is the new run's."""
    scenario, output, fresh = (
        write_scenario(tmp_path / "small.json"),
        tmp_path / "out.jsonl",
        tmp_path / "fresh.jsonl",
    )
    output.write_text("mine")
    assert invoke("record", scenario, "-o", output, "--force", "--seed", "8").exit_code == 0
    invoke("record", scenario, "-o", fresh, "--seed", "8")
    assert output.read_bytes() == fresh.read_bytes()


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "ended"])
@pytest.mark.parametrize("form", [".jsonl", ".jsonl.zst"])
def test_an_interrupted_run_says_what_is_safe(tmp_path: Path, form: str, by: signal.Signals) -> None:
    """Exit 130, nothing under the final name; the partial file holds as many records as the line says, all whole."""
    scenario, output = write_scenario(tmp_path / "long.json", duration="P300D", lines=None), tmp_path / f"out{form}"
    ended, stdout, terminal = interrupted("record", scenario, "-o", output, by=by)
    assert (ended, stdout) == (130, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.json", f"out{form}.partial"]
    assert "Traceback" not in terminal
    told = re.search(r"interrupted; the first ([0-9,]+) records are in (\S+);", terminal)
    assert told is not None, terminal
    assert told[2] == f"{output}.partial"
    repaired = cta("repair", told[2], "-o", tmp_path / "saved.jsonl")
    saved = Recording.open(tmp_path / "saved.jsonl")
    assert f"{saved.trailer.total:,}" == told[1]
    assert repaired.stderr.splitlines()[1:] == [f"missing: {what}" for what in saved.header.missing]
    assert len(saved.header.missing) == 1  # what would have come


def test_an_interrupted_run_through_a_link_names_the_place_behind_it(tmp_path: Path) -> None:
    """There the records are, and no file stands beside the link."""
    scenario, link = write_scenario(tmp_path / "long.json", duration="P300D", lines=None), tmp_path / "link.jsonl"
    (tmp_path / "disk").mkdir()
    link.symlink_to("disk/run.jsonl")
    _, _, terminal = interrupted("record", scenario, "-o", link)
    told = re.search(r"records are in (\S+);.*cta repair (\S+) -o", terminal)
    assert told is not None, terminal
    assert told[1] == told[2] == str(tmp_path / "disk" / "run.jsonl.partial")
    assert Path(told[1]).exists()
