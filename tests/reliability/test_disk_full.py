"""No room: a clear error, and nothing under the final name or beside it."""

from __future__ import annotations

import resource
import subprocess
from functools import partial
from pathlib import Path

import pytest

from tests.cli.running import CTA, write_scenario

REMEDY = "nothing was left behind; name a place with room that you may write to"


def limited(room_bytes: int, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """``cta ARGS`` where no file may grow beyond so many bytes."""
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
    return subprocess.run(
        [CTA, *map(str, args)], capture_output=True, text=True, timeout=120, check=False, preexec_fn=limit
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    scenario = write_scenario(folder / "small.json", lines=None, expect=None)
    subprocess.run([CTA, "record", scenario, "-o", folder / "whole.jsonl", "--quiet"], check=True, capture_output=True)
    return folder / "whole.jsonl"


@pytest.mark.parametrize("room", [0.0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize(
    "command, suffix",
    [("record", ".jsonl"), ("record", ".jsonl.zst"), ("cut", ".jsonl.zst"), ("convert", ".avro"), ("repair", ".jsonl")],
)
def test_a_full_disk(whole: Path, tmp_path: Path, command: str, suffix: str, room: float) -> None:
    """At the start, in the header, among the records or at the end: exit 2, one line, no file."""
    assert limited(10**9, command, whole, "-o", tmp_path / f"fits{suffix}").returncode == 0
    size = (tmp_path / f"fits{suffix}").stat().st_size
    (tmp_path / f"fits{suffix}").unlink()
    output = tmp_path / f"out{suffix}"
    ended = limited(int(size * room), command, whole, "-o", output)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"error: {output}: cannot be written: file too large; {REMEDY}\n"
    assert list(tmp_path.iterdir()) == []
