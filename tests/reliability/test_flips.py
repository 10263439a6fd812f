"""One bit flipped anywhere: the reader says so, or what it reads is what was written. Never anything else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from cta.commands.repair import repair
from cta.model.errors import RecordingError
from cta.recording.format import TRAILER_START
from cta.recording.reader import Recording
from cta.recording.seekable import walk
from tests.recording.records import ARRIVAL, ENTRY, HEADER, PULL_OUT, SMALL, START_MS, Records, write
from tests.reliability.effort import effort

FLIPS = effort(share=600, everything=10_000)
LARGE: Records = [(START_MS + 7 * i, content) for i in range(6_000) for content in (ENTRY, ARRIVAL, PULL_OUT)]
"""Four frames of records."""
FILES = [("run.jsonl", SMALL), ("run.jsonl.zst", SMALL), ("large.jsonl", LARGE), ("large.jsonl.zst", LARGE)]

Content = tuple[bytes, list[tuple[int, bytes]], object]


def regions(path: Path) -> dict[str, range]:
    """The bytes of the file that are its header, its records, its trailer and its index."""
    if path.suffix != ".zst":
        data = path.read_bytes()
        first, last = data.index(b"\n") + 1, data.rindex(TRAILER_START)
        return {"header": range(first), "records": range(first, last), "trailer": range(last, len(data))}
    with path.open("rb") as file:
        frames = list(walk(file))
    header, trailer = frames[0], frames[-1]
    return {
        "header": range(header.start, header.stop),
        "records": range(header.stop, trailer.start),
        "trailer": range(trailer.start, trailer.stop),
        "index": range(trailer.stop, path.stat().st_size),
    }


def content(path: Path) -> Content:
    recording = Recording.open(path)
    records = [(time_ms, content.fragment) for batch in recording.batches() for time_ms, content in batch]
    return recording.header_line, records, recording.trailer


@pytest.mark.parametrize("name, records", FILES, ids=["small", "small in frames", "large", "large in frames"])
def test_no_flipped_bit_is_taken_in_silence(
    tmp_path: Path, name: str, records: Records, record_property: Callable[[str, object], None]
) -> None:
    """Flips over header, records, trailer and index alike; of each so many are found, and the rest is harmless."""
    path = write(tmp_path / name, records, HEADER)
    data, written, random, seen = path.read_bytes(), content(path), Random(name), Counter[str]()
    parts = list(regions(path).items())
    for flip in range(FLIPS // len(FILES)):
        part, places = parts[flip % len(parts)]
        place, bit = random.choice(places), random.randrange(8)
        flipped = bytearray(data)
        flipped[place] ^= 1 << bit
        path.write_bytes(flipped)
        try:
            assert content(path) == written, f"bit {bit} of byte {place}, in the {part}"
            seen[f"{part}: harmless"] += 1
        except RecordingError:
            seen[f"{part}: found"] += 1
    for outcome, times in sorted(seen.items()):
        record_property(f"{name}, {outcome}", times)
    assert seen.total() == FLIPS // len(FILES)


@pytest.mark.parametrize("name, records", FILES, ids=["small", "small in frames", "large", "large in frames"])
def test_repair_after_a_flipped_bit_saves_what_it_says(tmp_path: Path, name: str, records: Records) -> None:
    """Repair ends with a recording, or with an error of ours; where it reports nothing missing, nothing is."""
    path, output = write(tmp_path / name, records, HEADER), tmp_path / "saved.jsonl"
    data, (_, told, _), random = path.read_bytes(), content(path), Random(name)
    parts = list(regions(path).items())
    for flip in range(max(12, FLIPS // 40)):
        _, places = parts[flip % len(parts)]
        flipped = bytearray(data)
        flipped[random.choice(places)] ^= 1 << random.randrange(8)
        path.write_bytes(flipped)
        saved = repair(str(path), str(output), force=True)
        _, records_saved, _ = content(output)
        assert saved.losses or records_saved == told
        assert saved.digest.total == len(records_saved)
