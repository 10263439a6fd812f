from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.oracle.conftest import Record
from tests.oracle.judge import judge

_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.json"))


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=lambda path: path.stem)
def test_the_oracle_agrees_with_a_recording_of_each_scenario(scenario: Path, record: Record) -> None:
    """Nothing is wrong with the recording, and `cta replay` comes to the oracle's figures and to its board."""
    recording = record(scenario)
    report = judge(recording)
    said = _replay(recording)
    assert report.violations == {}
    assert {name: said[name] for name in ("records", "total", "digest", "board_digest")} == {
        "records": report.figures["records"],
        "total": report.figures["total"],
        "digest": report.figures["digest"],
        "board_digest": report.board_digest,
    }


def _replay(recording: Path) -> dict[str, Any]:
    """What `cta replay FILE --json` prints. Whether the scenario's expectations hold is not judged here."""
    command = [sys.executable, "-m", "cta", "replay", str(recording), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
