"""The bar: wherever a person may wait, on a terminal's stderr and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.running import cta, interrupted, write_scenario


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of the shortest line, without its last line."""
    place = tmp_path_factory.mktemp("progress")
    cta("record", write_scenario(place / "day.json", duration="P1D"), "-o", place / "day.jsonl")
    whole = (place / "day.jsonl").read_bytes()
    (place / "cut.jsonl").write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    return place / "day.jsonl"


def commands(recording: Path) -> dict[str, list[str | Path]]:
    place = recording.parent
    return {
        "record": ["record", recording, "-o", place / "again.jsonl", "--force"],
        "cut": ["cut", recording, "-o", place / "part.jsonl", "--force"],
        "convert": ["convert", recording, "-o", place / "day.jsonl.zst", "--force"],
        "repair": ["repair", place / "cut.jsonl", "-o", place / "saved.jsonl", "--force"],
        "check": ["check", recording],
        "diff": ["diff", recording, place / "day.json", "--seed-b", "8"],
        "replay": ["replay", recording],
        "network": ["network", "--fidelity"],
    }


@pytest.mark.parametrize("command", commands(Path()))
def test_who_waits_sees_how_far_it_is(recording: Path, command: str) -> None:
    """A share of the simulated time, and records counted."""
    _, _, terminal = interrupted(*commands(recording)[command])
    assert re.search(r"\d+ % +[1-9][0-9,]* records", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal)), terminal


@pytest.mark.parametrize("command", ["repair", "diff"])
def test_nobody_else_sees_a_bar(recording: Path, command: str) -> None:
    """In a log there are words only."""
    assert not re.search(r"%|\x1b", cta(*commands(recording)[command]).stderr)
