"""Cut after any byte, a recording is refused as it is, and what is whole of it is saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from cta.commands.info import about
from cta.commands.repair import repair
from cta.model.errors import RecordingError
from cta.recording import seekable
from cta.recording.reader import Recording
from tests.recording.records import SMALL, write
from tests.reliability.test_kills import whole_text


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.zst"])
def test_truncation_at_every_byte(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader refuses, info says incomplete or refuses, and repair saves a start of the records: all that is whole."""
    monkeypatch.setattr(seekable, "FRAME_BYTES", 300)  # so that six records are several frames
    whole, cut, output = write(tmp_path / name, SMALL), tmp_path / "cut", tmp_path / "saved.jsonl"
    data = whole.read_bytes()
    for size in range(len(data)):
        cut.write_bytes(data[:size])
        with pytest.raises(RecordingError):
            Recording.open(cut)
        text, _ = whole_text(data[:size], whole)
        lines = text.splitlines()[1:]
        if not text:
            with pytest.raises(RecordingError):
                repair(str(cut), str(output), force=True)
            continue
        assert about(str(cut)).trailer is None
        complete = bool(lines) and lines[-1].startswith(b'{"end":')
        saved = repair(str(cut), str(output), force=True)
        assert output.read_bytes().splitlines()[1:-1] == (lines[:-1] if complete else lines)
        assert saved.losses or complete  # the seek table alone is no loss
