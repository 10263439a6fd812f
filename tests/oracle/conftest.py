"""Recordings for the oracle's tests, made by the command that users have."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Record = Callable[[Path], Path]


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """`cta record SCENARIO` into a file of its own."""

    def run(scenario: Path) -> Path:
        output = tmp_path_factory.mktemp("recordings") / f"{scenario.stem}.jsonl"
        command = [sys.executable, "-m", "cta", "record", str(scenario), "-o", str(output), "--quiet"]
        subprocess.run(command, check=True)
        return output

    return run
