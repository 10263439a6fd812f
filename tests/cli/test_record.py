"""`cta record`: a whole file or none."""

from __future__ import annotations

import json
from pathlib import Path

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


def test_a_recording_may_be_cut_onto_itself(tmp_path: Path) -> None:
    """It is read to its end before the shorter one takes its name."""
    scenario, output, fresh = (
        write_scenario(tmp_path / "small.json"),
        tmp_path / "out.jsonl",
        tmp_path / "fresh.jsonl",
    )
    invoke("record", scenario, "-o", output)
    assert invoke("record", output, "-o", output, "--force", "--until", "07:05").exit_code == 0
    invoke("record", scenario, "-o", fresh, "--until", "07:05")
    assert output.read_bytes() == fresh.read_bytes()


def test_ctrl_c_leaves_no_file_and_says_what_is_safe(tmp_path: Path) -> None:
    """Exit 130; nothing under the final name; the line names the partial file that has the records so far."""
    scenario, output = write_scenario(tmp_path / "long.json", duration="P300D", lines=None), tmp_path / "out.jsonl"
    ended, stdout, terminal = interrupted("record", scenario, "-o", output)
    assert (ended, stdout) == (130, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["long.json", "out.jsonl.partial"]
    assert "out.jsonl.partial" in terminal
    assert "Traceback" not in terminal
