"""Ctrl+C, and SIGTERM, which is the same to every command: exit code 130 and one line."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import CTA, cta, interrupted, write_scenario

BOTH = pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "ended"])


@BOTH
@pytest.mark.parametrize("command", [["check", "LONG"], ["diff", "LONG", "LONG"], ["network", "--fidelity"]])
def test_a_command_that_only_reads(tmp_path: Path, command: list[str], by: signal.Signals) -> None:
    """Nothing on stdout, no traceback; on a terminal the line stands below what the terminal shows of Ctrl+C."""
    long = write_scenario(tmp_path / "long.json", duration="P300D", lines=None)
    ended, stdout, terminal = interrupted(*[long if word == "LONG" else word for word in command], by=by)
    assert (ended, stdout) == (130, "")
    assert terminal.endswith("\r\nerror: interrupted\r\n")
    assert "Traceback" not in terminal


@BOTH
def test_without_a_terminal_it_is_one_line(tmp_path: Path, by: signal.Signals) -> None:
    """No empty one before it."""
    recording = tmp_path / "day.jsonl"
    cta("record", write_scenario(tmp_path / "day.json", duration="P1D"), "-o", recording)
    with subprocess.Popen(
        [CTA, "cat", recording], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("{")  # and goes on until the pipe is full
        running.send_signal(by)
        _, stderr = running.communicate(timeout=60)
    assert (running.returncode, stderr) == (130, "error: interrupted\n")


@BOTH
def test_a_part_that_is_not_whole_is_not_left_behind(tmp_path: Path, by: signal.Signals) -> None:
    """What a cut has written so far can be had again from its source."""
    recording = tmp_path / "day.jsonl"
    cta("record", write_scenario(tmp_path / "day.json", duration="PT6H", lines=None), "-o", recording)
    place = tmp_path / "cut"
    place.mkdir()
    ended, _, terminal = interrupted("cut", recording, "-o", place / "part.jsonl.zst", by=by)
    assert (ended, list(place.iterdir())) == (130, [])
    assert "Traceback" not in terminal
