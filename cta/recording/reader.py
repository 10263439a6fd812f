"""Reading a recording: its header and trailer at once, its records in batches of bounded size.

Everything is verified on the way: each line's form, the order of times, and at the end the counts, the digest and the
SHA-256 that the trailer holds. Records are yielded before the end is known to be sound, so what is made of them stands
only when the iteration has ended without a RecordingError.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording.digest import Digest
from cta.recording.format import (
    HEADER_START,
    MAX_HEADER_BYTES,
    MAX_LINE_BYTES,
    MAX_TRAILER_BYTES,
    RECORD_AGAIN,
    SUFFIX,
    TRAILER_START,
    Header,
    Trailer,
    decode_header,
    decode_trailer,
)
from cta.recording.lines import DamagedLineError, LineReader

BLOCK_BYTES: Final = 1 << 20


def is_recording(path: str | Path) -> bool:
    """Whether the file is to be read as a recording, by its first bytes or its name. False where it cannot be read."""
    try:
        with _open(Path(path)) as file:
            return file.read(len(HEADER_START)) == HEADER_START or Path(path).suffix == SUFFIX
    except RecordingError:
        return False


class Recording:
    """A recording's file. ``batches`` may be called again and again; each reads the file anew."""

    def __init__(self, path: Path, header: Header, trailer: Trailer, end: int) -> None:
        self.path = path
        self.header = header
        self.trailer = trailer
        self._end = end
        """The byte that the trailer's line begins with."""

    @classmethod
    def open(cls, path: str | Path) -> Recording:
        """Reads the first and the last line.

        RecordingError: no such file, a directory, not a recording, a newer format, cut short (and then the whole file
        is read to say how many records are whole), damaged in either line.
        """
        path = Path(path)
        with _open(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size == 0:
                raise RecordingError("empty", where=str(path), remedy="cta record SCENARIO -o FILE makes a recording")
            header = decode_header(file.readline(MAX_HEADER_BYTES + 1), str(path))
            file.seek(max(file.tell(), size - MAX_TRAILER_BYTES))
            tail = file.read()
            last = tail[tail.rfind(b"\n", 0, -1) + 1 :]
            if not (last.startswith(TRAILER_START) and last.endswith(b"\n")):
                raise _cut_short(file, str(path), header, size)
            return cls(path, header, decode_trailer(last, str(path)), size - len(last))

    def batches(self, from_ms: int | None = None, until_ms: int | None = None) -> Iterator[Batch]:
        """The records with from_ms <= time < until_ms in the order written.

        The whole file is read and verified whatever the window. RecordingError: the first thing found wrong.
        """
        reader = LineReader(str(self.path), self.header.topics)
        digest, checksum = Digest(), sha256()
        with _open(self.path) as file:
            checksum.update(file.readline(MAX_HEADER_BYTES + 1))
            line = 2
            for block in _blocks(file, self._end):
                lines = block.split(b"\n")
                if unfinished := lines.pop():
                    raise _unfinished(str(self.path), line + len(lines), unfinished)
                checksum.update(block)
                batch = reader.batch(lines, line)
                digest.update(batch)
                line += len(lines)
                if len(wanted := batch.between(from_ms, until_ms)):
                    yield wanted
        self._verify(Trailer.of(digest, checksum.hexdigest()))

    def _verify(self, found: Trailer) -> None:
        for field in ("sha256", "digest", "records", "total", "first_ms", "last_ms"):
            if (actual := getattr(found, field)) != (written := getattr(self.trailer, field)):
                raise RecordingError(
                    f"altered: its last line says {field} {written}, its contents come to {actual}",
                    where=str(self.path),
                    remedy=RECORD_AGAIN,
                )


def _open(path: Path) -> BinaryIO:
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return path.open("rb")
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordingError(what.lower(), where=str(path), remedy="name a recording's file") from None
    what = "a directory" if path.is_dir() else "not a regular file"
    raise RecordingError(what, where=str(path), remedy="name a recording's file")


def _blocks(file: BinaryIO, end: int) -> Iterator[bytes]:
    """The bytes from here to ``end`` in blocks of whole lines; only the last, or one too long, may lack its newline."""
    while (left := end - file.tell()) > 0:
        block = file.read(min(BLOCK_BYTES, left))
        if not block:
            return  # the file became shorter while it was read: its SHA-256 will not be right
        if len(block) < left:
            block += file.readline(MAX_LINE_BYTES + 1)
        yield block


def _unfinished(source: str, line: int, text: bytes) -> DamagedLineError:
    if len(text) > MAX_LINE_BYTES:
        return DamagedLineError(f"longer than {MAX_LINE_BYTES} bytes", source=source, line=line)
    return DamagedLineError("cut short", source=source, line=line)


def _cut_short(file: BinaryIO, source: str, header: Header, size: int) -> RecordingError:
    """What to say of a file without its last line: how many of its records are whole."""
    reader = LineReader(source, header.topics)
    file.seek(0)
    file.readline(MAX_HEADER_BYTES + 1)
    line = 2
    for block in _blocks(file, size):
        lines = block.split(b"\n")
        unfinished = lines.pop()
        try:
            if lines:
                reader.batch(lines, line)
        except DamagedLineError as error:
            line = error.line
            break
        line += len(lines)
        if unfinished:
            break
    return DamagedLineError(
        f"cut short: {line - 2} records are whole, and here the last line should stand", source=source, line=line
    )
