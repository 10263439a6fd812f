from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import history
from tests.oracle.check_delivery import delivery
from tests.oracle.conftest import Record
from tests.oracle.judge import judge

_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.json"))
_UNRELIABLE = [path for path in _SCENARIOS if "stream_faults" in json.loads(path.read_text("utf-8"))]

_OF_THE_WORLD = {"trailer", "stations", "form", "trains at closed stations", "entries", "entries at closed stations"}
"""What holds of each record, and of the file, however the stream was delivered."""


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=lambda path: path.stem)
def test_the_oracle_agrees_with_a_recording_of_each_scenario(scenario: Path, record: Record) -> None:
    """Nothing is wrong with the recording, and `cta replay` comes to the oracle's figures and to its board.

    Of a delivery with stream faults nothing is wrong with any record by itself; the rest is the test below.
    """
    recording = record(scenario)
    report = judge(recording)
    said = _replay(recording)
    held = _OF_THE_WORLD if scenario in _UNRELIABLE else report.violations.keys()
    assert {check: found for check, found in report.violations.items() if check in held} == {}
    assert {name: said[name] for name in ("records", "total", "digest", "board_digest")} == {
        "records": report.figures["records"],
        "total": report.figures["total"],
        "digest": report.figures["digest"],
        "board_digest": report.board_digest,
    }


@pytest.mark.parametrize("scenario", _UNRELIABLE, ids=lambda path: path.stem)
def test_what_is_delivered_is_what_was_sent_but_for_the_stream_faults(
    scenario: Path, record: Record, tmp_path: Path
) -> None:
    """Without them the world is sound; with them each record comes as often and as late as they may make it."""
    document = json.loads(scenario.read_text("utf-8"))
    del document["stream_faults"]
    calm = tmp_path / "calm.json"
    calm.write_text(json.dumps(document), "utf-8")
    sent, came = record(calm), record(scenario)
    assert judge(sent).violations == {}
    assert delivery(history.read(came), history.read(sent)) == []


def _replay(recording: Path) -> dict[str, Any]:
    """What `cta replay FILE --json` prints. Whether the scenario's expectations hold is not judged here."""
    command = [sys.executable, "-m", "cta", "replay", str(recording), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
