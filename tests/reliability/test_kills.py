"""`cta record` killed at any moment: no file under the final name or a whole one, and a partial that is saved exactly."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from random import Random

import pytest

from cta.commands.info import moment
from cta.commands.repair import repair
from cta.model.errors import RecordingError
from cta.recording.reader import Recording
from cta.recording.seekable import walk
from tests.cli.running import CTA, write_scenario
from tests.reliability.effort import effort

KILLS = effort(share=10, everything=200)


def start(scenario: Path, output: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [CTA, "record", scenario, "-o", output, "--force", "--quiet"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def whole_text(partial: bytes, reference: Path) -> tuple[bytes, int]:
    """The text of what is whole in so much of the reference's file, and the bytes of the file that hold it."""
    if reference.suffix != ".zst":
        stop = partial.rfind(b"\n") + 1
        return partial[:stop], stop
    with reference.open("rb") as file:
        frames = list(takewhile(lambda frame: frame.text is not None and frame.stop <= len(partial), walk(file)))
    return b"".join(frame.text or b"" for frame in frames), frames[-1].stop if frames else 0


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_killed_at_any_moment(tmp_path: Path, name: str, record_property: Callable[[str, object], None]) -> None:
    """What is left is a start of the reference's bytes; repair saves every whole line or frame of it, and says the rest."""
    scenario = write_scenario(tmp_path / "x.json", name="x", duration="PT12H", lines=None, expect=None)
    reference = tmp_path / f"reference_{name}"
    began_s = time.perf_counter()
    assert start(scenario, reference).wait() == 0
    took_s = time.perf_counter() - began_s
    expected, seen, random = reference.read_bytes(), Counter[str](), Random(4)

    for kill in range(KILLS // 2):
        folder = tmp_path / str(kill)
        folder.mkdir()
        running = start(scenario, output := folder / name)
        time.sleep(random.uniform(0.25, 1.1) * took_s)
        running.kill()
        running.wait()
        left = {path.name: path.read_bytes() for path in folder.iterdir()}
        assert set(left) <= {name, f"{name}.partial"}
        if name in left:
            assert left == {name: expected}
            seen["whole"] += 1
        elif not left:
            seen["nothing yet"] += 1
        else:
            seen[saved_exactly(left[f"{name}.partial"], output.with_name(f"{name}.partial"), reference)] += 1
    for outcome, times in seen.items():
        record_property(f"{name}, killed: {outcome}", times)
    assert seen.total() == KILLS // 2


def saved_exactly(partial: bytes, path: Path, reference: Path) -> str:
    """Repair the partial file and hold what comes of it against the reference."""
    assert reference.read_bytes().startswith(partial)
    text, stop = whole_text(partial, reference)
    output = path.with_name("saved.jsonl")
    if not text:
        with pytest.raises(RecordingError, match=r"nothing in it is whole"):
            repair(str(path), str(output))
        return "partial, not even a header"
    saved = repair(str(path), str(output))
    assert path.read_bytes() == partial
    trailer, lines = Recording.open(output).trailer, text.splitlines()[1:]
    complete = bool(lines) and lines[-1].startswith(b'{"end":')
    lines = lines[:-1] if complete else lines
    assert output.read_bytes().splitlines()[1:-1] == lines
    last = f"after {moment(trailer.last_ms)}" if trailer.last_ms is not None else "from the start"
    what = "a line without its end" if reference.suffix != ".zst" else "no whole frame"
    losses = (
        [f"bytes {stop:,} to {len(partial):,} of the file: {what}; {last}, to the end"] if stop < len(partial) else []
    )
    if not complete:
        after = "nothing" if trailer.last_ms is None else moment(trailer.last_ms)
        losses.append(f"the last line is missing: what was recorded after {after} cannot be told")
    assert saved.losses == losses
    assert saved.digest.total == trailer.total == len(lines)
    return "partial, all whole records saved"
