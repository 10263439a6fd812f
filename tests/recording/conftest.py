"""The two forms of a recording, for tests that hold for both."""

from __future__ import annotations

from pathlib import Path

import pytest

FORMS = ("run.jsonl", "run.jsonl.zst")


@pytest.fixture(params=FORMS, ids=["plain", "zst"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A recording's path, plain and in frames."""
    return tmp_path / str(request.param)


@pytest.fixture(params=FORMS, ids=["plain", "zst"], scope="module")
def either_scratch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that a law's examples write anew, plain and in frames."""
    return tmp_path_factory.mktemp("recording") / str(request.param)
