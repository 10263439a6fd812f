"""Reading a recording: its header and trailer at once, its records in batches of bounded size.

Everything is verified on the way: each line's form, the order of times, and at the end the counts, the digest and the
SHA-256 that the trailer holds. Records are yielded before the end is known to be sound, so what is made of them stands
only when the iteration has ended without a RecordingError.

A window of a file in frames is read from the frame in which it begins to where it ends. Frames before and after are not
looked at; those in it are held against their checksums, which is what then stands for the trailer's figures.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording.digest import Digest
from cta.recording.files import BLOCK_BYTES, Gap, frames_of, open_file, text_of, whole_lines
from cta.recording.format import (
    AVRO_START,
    HEADER_START,
    MAX_HEADER_BYTES,
    MAX_LINE_BYTES,
    MAX_TRAILER_BYTES,
    SUFFIX,
    TRAILER_START,
    ZST_SUFFIX,
    Header,
    Trailer,
    decode_header,
    decode_trailer,
)
from cta.recording.lines import DamagedLineError, LineReader
from cta.recording.partitions import PartitionChains
from cta.recording.remedies import record_again
from cta.recording.seek import first_line
from cta.recording.seekable import FrameReader, NoTableError, is_zst


def is_recording(path: str | Path) -> bool:
    """Whether the file is to be read as a recording, by its name or its first bytes, which need not be there."""
    if Path(path).name.endswith((SUFFIX, ZST_SUFFIX)):
        return True
    try:
        with open_file(Path(path)) as file:
            start = file.read(len(HEADER_START))
            return start == HEADER_START or start.startswith(AVRO_START) or is_zst(file)
    except RecordingError:
        return False


FIRST_BLOCK_BYTES: Final = 64 << 10
"""Of a window: its first records are there before a whole block's contents are decoded."""


class Ends(NamedTuple):
    """What can be said of a recording at once, whatever its size."""

    header_line: bytes
    header: Header
    trailer_line: bytes | None
    """None: cut short."""
    text_bytes: int
    """0 where the file has lost its seek table."""
    frames: int | None
    """None where the file is plain, or has lost its seek table."""


def ends(path: Path) -> Ends:
    """Reads the first and the last line and the seek table. RecordingError: the first line is not that of a recording."""
    source = str(path)
    with open_file(path) as file:
        if file.seek(0, os.SEEK_END) == 0:
            raise RecordingError("empty", where=source, remedy="cta record SCENARIO -o FILE makes a recording")
        try:
            frames = frames_of(file, source)
        except NoTableError:
            header_line = _first_line(file, source)
            return Ends(header_line, decode_header(header_line, source), None, 0, None)
        with text_of(file, frames) as text:
            size = text.seek(0, os.SEEK_END)
            text.seek(0)
            header_line = text.readline(MAX_HEADER_BYTES + 1)
            header = decode_header(header_line, source)
            # The trailer's own frame where it has one; else so many bytes that it must be among them.
            last_frame = 0 if frames is None else int(frames.starts[-2])
            text.seek(max(text.tell(), size - MAX_TRAILER_BYTES, last_frame))
            tail = text.read()
            if not tail.startswith(TRAILER_START):
                text.seek(max(len(header_line), size - MAX_TRAILER_BYTES))
                tail = text.read()
        last = tail[tail.rfind(b"\n", 0, -1) + 1 :]
        whole = last.startswith(TRAILER_START) and last.endswith(b"\n")
        return Ends(
            header_line, header, last if whole else None, size, None if frames is None else len(frames.starts) - 1
        )


def _first_line(file: BinaryIO, source: str) -> bytes:
    """The header's line of a file in frames whose table is missing."""
    lines = next(whole_lines(file), None)
    if lines is None or isinstance(lines, Gap):
        raise _without_header(source)
    return lines[0] + b"\n"


def _without_header(source: str) -> RecordingError:
    """Of a file in frames: behind the first, which holds it, records may be whole."""
    return RecordingError("its header is not whole", where=source, remedy=record_again(source))


class Recording:
    """A recording's file. ``batches`` may be called again and again; each reads the file anew."""

    def __init__(self, path: Path, header_line: bytes, header: Header, trailer_line: bytes, end: int) -> None:
        """RecordingError: the last line is damaged."""
        self.path = path
        self.header_line = header_line
        """As it stands in the file, with fields of the header that this cta does not know."""
        self.header = header
        self.trailer_line = trailer_line
        self.trailer = decode_trailer(trailer_line, str(path))
        self._end = end
        """The byte of the text that the trailer's line begins with."""

    @classmethod
    def open(cls, path: str | Path) -> Recording:
        """Reads the first and the last line.

        RecordingError: no such file, a directory, not a recording, a newer format, cut short (and then the whole file
        is read to say how many records are whole), damaged in either line.
        """
        path = Path(path)
        found = ends(path)
        if found.trailer_line is None:
            with open_file(path) as file:
                raise _cut_short(file, str(path))
        end = found.text_bytes - len(found.trailer_line)
        return cls(path, found.header_line, found.header, found.trailer_line, end)

    def batches(self, from_ms: int | None = None, until_ms: int | None = None) -> Iterator[Batch]:
        """The records with from_ms <= time < until_ms in the order written.

        The whole file is read and verified, but for a window of a file in frames: of that the frames in the window.
        RecordingError: the first thing found wrong.
        """
        source = str(self.path)
        with open_file(self.path) as file:
            frames = frames_of(file, source)
            if frames is None or self.header.order != "time" or (from_ms is None and until_ms is None):
                yield from self._all(text_of(file, frames), from_ms, until_ms)
            else:
                yield from self._window(frames, from_ms, until_ms)

    def _all(self, text: BinaryIO, from_ms: int | None, until_ms: int | None) -> Iterator[Batch]:
        ordered = self.header.order == "time"
        reader = LineReader(str(self.path), self.header.topics, ordered=ordered)
        digest, checksum, chains = Digest(), sha256(), PartitionChains()
        text.seek(0)
        checksum.update(text.readline(MAX_HEADER_BYTES + 1))
        line = 2
        for block in _blocks(text, self._end):
            if not block.endswith(b"\n"):
                raise _unfinished(str(self.path), line, block)
            checksum.update(block)
            batch = reader.block(block, line)
            digest.update(batch)
            chains.captured(batch)
            line += len(batch)
            wanted = batch.between(from_ms, until_ms) if ordered else batch.within(from_ms, until_ms)
            if len(wanted):
                yield wanted
        self._verify(Trailer.of(digest, checksum.hexdigest(), self.header.topics, chains))

    def _window(self, frames: FrameReader, from_ms: int | None, until_ms: int | None) -> Iterator[Batch]:
        start = len(self.header_line) if from_ms is None else first_line(frames, len(self.header_line), from_ms)
        place = f" from byte {start} of its text"
        reader = LineReader(str(self.path), self.header.topics, place=place)
        line = 1
        with io.BufferedReader(frames, BLOCK_BYTES) as text:
            text.seek(start)
            for block in _blocks(cast(BinaryIO, text), self._end, FIRST_BLOCK_BYTES):
                if not block.endswith(b"\n"):
                    raise _unfinished(str(self.path), line, block, place)
                batch = reader.block(block, line)
                line += len(batch)
                if len(wanted := batch.between(from_ms, until_ms)):
                    yield wanted
                if until_ms is not None and batch.times[-1] >= until_ms:
                    return

    def _verify(self, found: Trailer) -> None:
        for field, written, actual in self.trailer.differences(found):
            what = f"altered: its last line says {field} {written}, its contents come to {actual}"
            raise RecordingError(what, where=str(self.path), remedy=record_again(self.path))


def _blocks(file: BinaryIO, end: int, first_bytes: int | None = None) -> Iterator[bytes]:
    """The bytes from here to ``end`` in blocks of whole lines; only the last, or one too long, may lack its newline."""
    size = first_bytes or BLOCK_BYTES
    while (left := end - file.tell()) > 0:
        block = file.read(min(size, left))
        size = BLOCK_BYTES
        if not block:
            return  # the file became shorter while it was read: its SHA-256 will not be right
        if len(block) < left:
            block += file.readline(MAX_LINE_BYTES + 1)
        yield block


def _unfinished(source: str, line: int, block: bytes, place: str = "") -> DamagedLineError:
    """What to say of a block, from ``line`` on, whose last line has no newline."""
    line += block.count(b"\n")
    if len(block) - block.rfind(b"\n") - 1 > MAX_LINE_BYTES:
        return DamagedLineError(f"longer than {MAX_LINE_BYTES} bytes", source=source, line=line, place=place)
    return DamagedLineError("cut short", source=source, line=line, place=place)


def _cut_short(file: BinaryIO, source: str) -> RecordingError:
    """What to say of a file without its last line or its table: how many of its records are whole."""
    file.seek(0)
    reader: LineReader | None = None
    line = 1
    for lines in whole_lines(file):
        if isinstance(lines, Gap):
            break
        if reader is None:
            header = decode_header(lines.pop(0) + b"\n", source)
            reader = LineReader(source, header.topics, ordered=header.order == "time")
            line = 2
        try:
            if lines:
                reader.batch(lines, line)
        except DamagedLineError as error:
            line = error.line
            break
        line += len(lines)
    if reader is None:
        return _without_header(source)
    what = f"cut short: {line - 2} records are whole, and here the last line should stand"
    return DamagedLineError(what, source=source, line=line)
