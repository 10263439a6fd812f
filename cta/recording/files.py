"""A recording's text, plain or in frames, as one file of bytes; and what is whole of a file that is not."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

from cta.model.errors import RecordingError
from cta.recording.format import MAX_HEADER_BYTES
from cta.recording.seekable import FrameReader, is_zst, walk

BLOCK_BYTES: Final = 1 << 20


def open_file(path: Path) -> BinaryIO:
    """The file's bytes as they are stored. RecordingError: not there, not to be read, not a regular file."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return path.open("rb")
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordingError(what.lower(), where=str(path), remedy="name a recording's file") from None
    if path.is_dir():
        raise RecordingError("a directory", where=str(path), remedy="name a recording's file")
    remedy = "a recording is read from its end, so write it to a file first"
    raise RecordingError("not a regular file", where=str(path), remedy=remedy)


def frames_of(file: BinaryIO, source: str) -> FrameReader | None:
    """The frames of a file in the seekable format, by its first bytes; None for a plain one. Errors: `FrameReader`'s."""
    return FrameReader(file, source) if is_zst(file) else None


def text_of(file: BinaryIO, frames: FrameReader | None) -> BinaryIO:
    """The text of a file whose `frames_of` these are, at any place of it; closed with the file. Errors: `FrameReader`'s."""
    return file if frames is None else cast(BinaryIO, io.BufferedReader(frames, BLOCK_BYTES))


class Gap(NamedTuple):
    """Bytes of a file in which no line is whole."""

    start: int
    stop: int
    """In the file as it is stored."""
    what: str


def whole_lines(file: BinaryIO) -> Iterator[list[bytes] | Gap]:
    """The lines of a file, damaged or cut short, without their newlines, and the gaps between them, in order.

    A line is whole if its newline is there and no damaged frame falls into it. Lines longer than any may be are gaps.
    """
    in_frames = is_zst(file)
    rest, start = b"", 0  # a line that has begun, and where in the file it did, or the frame in which it did
    for piece in _pieces(file):
        if isinstance(piece, Gap):
            if rest:
                yield Gap(start, piece.start, "a line without its end")
            rest = b""
            yield piece
            continue
        begin, text = piece
        start = start if rest else begin
        *lines, rest = (rest + text).split(b"\n")
        if lines:
            yield lines
            start = begin if in_frames else begin + len(text) - len(rest)
        if len(rest) > MAX_HEADER_BYTES:
            yield Gap(start, begin if in_frames else begin + len(text), "a line longer than any may be")
            rest = b""
    if rest:
        file.seek(0, io.SEEK_END)
        yield Gap(start, file.tell(), "a line without its end")


def _pieces(file: BinaryIO) -> Iterator[tuple[int, bytes] | Gap]:
    """Text with the place in the file at which it is stored."""
    if is_zst(file):
        for start, stop, text in walk(file):
            yield Gap(start, stop, "no whole frame") if text is None else (start, text)
        return
    while block := file.read(BLOCK_BYTES):
        yield file.tell() - len(block), block
