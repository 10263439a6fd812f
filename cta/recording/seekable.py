"""The Zstandard seekable format: independent frames, and at the end a skippable frame that says where they are.

The format is facebook/zstd's contrib/seekable_format, version 0.1.0; any Zstandard tool reads the file as one stream and
passes over the table. Frames here end at ends of lines, at most ``FRAME_BYTES`` of text each, each with its checksum
(the low 32 bits of XXH64 of the text), which stands in the table once more. Whatever a table or a frame promises is
held against what is there before it is believed: a frame is never decompressed beyond the size that the table gives,
and a table never asks for more than ``MAX_FRAME_BYTES`` at a time.

pyzstd has a SeekableZstdFile, and the tests hold the two together. It checks no table against its frames, cuts frames
anywhere, and reads nothing from a file whose table is missing, which is what a killed writer leaves.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cta.model.errors import RecordingError
from cta.recording.remedies import use_a_copy

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from pyzstd import ZstdDecompressor

FRAME_BYTES: Final = 1 << 20
LEVEL: Final = 6
"""6.4 bytes a record of a full day; level 3 takes 7.4, level 9 takes 6.2 at twice the time."""

FRAME_MAGIC: Final = bytes.fromhex("28b52ffd")
MAX_FRAME_BYTES: Final = 16 << 20
"""Of text in a frame, for files that other tools have framed."""
MAX_WINDOW_LOG: Final = 24
"""No frame needs a window larger than itself; zstd's own default would take 128 MiB for one that claims to."""

TABLE_MAGIC: Final = (0x184D2A5E).to_bytes(4, "little")
FOOT_MAGIC: Final = (0x8F92EAB1).to_bytes(4, "little")
HEAD_BYTES: Final = 8
FOOT_BYTES: Final = 9
CHECKSUM_FLAG: Final = 0x80
PROBE_BYTES: Final = 64 << 10


class NoTableError(RecordingError):
    """The file does not end with a seek table: it was cut short, or never had one."""


class FrameWriter:
    """Writes text in frames. ``file`` is the caller's, to be flushed and closed by it."""

    def __init__(self, file: BinaryIO) -> None:
        from pyzstd import CParameter, ZstdCompressor

        self._file = file
        self._compressor = ZstdCompressor({CParameter.compressionLevel: LEVEL, CParameter.checksumFlag: 1})
        self._pending = bytearray()
        self._entries: list[bytes] = []

    def write(self, lines: bytes) -> None:
        """Take whole lines; a frame is written when there is enough for one."""
        self._pending += lines
        start = 0
        while len(self._pending) - start >= FRAME_BYTES:
            stop = start + FRAME_BYTES
            stop = self._pending.rfind(b"\n", start, stop) + 1 or stop
            self._put(bytes(self._pending[start:stop]))
            start = stop
        del self._pending[:start]

    def end_frame(self) -> None:
        """What comes next begins a frame of its own."""
        if self._pending:
            self._put(bytes(self._pending))
            self._pending.clear()

    def finish(self) -> None:
        """Write what is left, and the table."""
        self.end_frame()
        entries = b"".join(self._entries)
        self._file.write(TABLE_MAGIC + (len(entries) + FOOT_BYTES).to_bytes(4, "little") + entries)
        self._file.write(len(self._entries).to_bytes(4, "little") + bytes([CHECKSUM_FLAG]) + FOOT_MAGIC)

    def _put(self, text: bytes) -> None:
        frame = self._compressor.compress(text, self._compressor.FLUSH_FRAME)
        self._file.write(frame)
        self._file.flush()  # a run that is killed leaves all frames that were whole
        checksum = frame[-4:]  # a frame ends with it
        self._entries.append(len(frame).to_bytes(4, "little") + len(text).to_bytes(4, "little") + checksum)


class FrameReader(io.RawIOBase):
    """The text of a seekable file, at any place of it. It has the frame last read in memory and no more.

    ``starts``: int64[frames + 1], where in the text each frame begins, and the end of the text. Errors: NoTableError;
    RecordingError for a table that does not fit the file and a frame that does not fit the table.
    """

    def __init__(self, file: BinaryIO, source: str) -> None:
        self._file = file
        self._source = source
        size = file.seek(0, os.SEEK_END)
        compressed, texts, self._checksums = _read_table(file, size, source)
        self._offsets = np.concatenate([[0], np.cumsum(compressed)])
        self.starts = np.concatenate([[0], np.cumsum(texts)])
        self._held = -1
        self._text = b""
        self._place = 0

    def frame(self, number: int) -> bytes:
        """The text of a frame, whole and verified."""
        if number != self._held:
            self._text = self._verified(number)
            self._held = number
        return self._text

    def probe(self, number: int) -> bytes:
        """The first bytes of a frame, up to `PROBE_BYTES` and not verified: good for a guess at where to look."""
        from pyzstd import ZstdError

        try:
            return _decompressor().decompress(self._compressed(number), PROBE_BYTES)
        except ZstdError:
            return b""

    def _verified(self, number: int) -> bytes:
        from pyzstd import ZstdError

        size = int(self.starts[number + 1] - self.starts[number])
        frame = self._compressed(number)
        try:
            decompressor = _decompressor()
            text = decompressor.decompress(frame, size)
        except ZstdError as error:
            raise self._damaged(number, str(error)) from None
        if len(text) != size or not decompressor.eof or decompressor.unused_data:
            raise self._damaged(number, "it does not fit the table at the end of the file")
        if self._checksums is not None and frame[-4:] != self._checksums[number].tobytes():
            raise self._damaged(number, "its checksum is not the table's")
        return text

    def _compressed(self, number: int) -> bytes:
        self._file.seek(self._offsets[number])
        return self._file.read(int(self._offsets[number + 1] - self._offsets[number]))

    def _damaged(self, number: int, what: str) -> RecordingError:
        where = f"{self._source} frame {number + 1} of {len(self.starts) - 1}"
        return RecordingError(f"damaged: {what.lower()}", where=where, remedy=use_a_copy(self._source))

    # What io.BufferedReader asks of a file.

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: int(self.starts[-1])}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        if self._place >= self.starts[-1]:
            return 0
        number = int(np.searchsorted(self.starts, self._place, "right")) - 1
        start = self._place - int(self.starts[number])
        piece = self.frame(number)[start : start + len(view)]
        view[: len(piece)] = piece
        self._place += len(piece)
        return len(piece)

    def close(self) -> None:
        self._file.close()
        super().close()


def _read_table(
    file: BinaryIO, size: int, source: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32] | None]:
    """Compressed sizes, text sizes and checksums (None where the table has none) of a file's frames."""
    file.seek(max(0, size - FOOT_BYTES))
    foot = file.read(FOOT_BYTES)
    if len(foot) < FOOT_BYTES or foot[-4:] != FOOT_MAGIC:
        raise NoTableError("no seek table at its end", where=source, remedy=use_a_copy(source))
    frames, flags = int.from_bytes(foot[:4], "little"), foot[4]
    words = 3 if flags & CHECKSUM_FLAG else 2
    table_bytes = HEAD_BYTES + 4 * words * frames + FOOT_BYTES
    if flags & ~CHECKSUM_FLAG or not frames or table_bytes > size:
        raise _bad_table(source)
    file.seek(size - table_bytes)
    table = file.read(table_bytes)
    head = TABLE_MAGIC + (table_bytes - HEAD_BYTES).to_bytes(4, "little")
    entries = np.frombuffer(table, "<u4", words * frames, HEAD_BYTES).reshape(frames, words)
    compressed, texts = entries[:, 0].astype(np.int64), entries[:, 1].astype(np.int64)
    if table[:HEAD_BYTES] != head or compressed.sum() != size - table_bytes or texts.max() > MAX_FRAME_BYTES:
        raise _bad_table(source)
    return compressed, texts, entries[:, 2] if flags & CHECKSUM_FLAG else None


def _bad_table(source: str) -> RecordingError:
    return RecordingError("damaged: its seek table does not fit the file", where=source, remedy=use_a_copy(source))


def _decompressor() -> ZstdDecompressor:
    from pyzstd import DParameter, ZstdDecompressor

    return ZstdDecompressor(option={DParameter.windowLogMax: MAX_WINDOW_LOG})


class Stretch(NamedTuple):
    """A part of a file, found without its table: a whole frame's text, or bytes in which there is none."""

    start: int
    stop: int
    """In the file, compressed."""
    text: bytes | None


def walk(file: BinaryIO) -> Iterator[Stretch]:
    """The whole frames of a file and what lies between them, in order and without gaps; its table is passed over."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        place = lost = 0
        while place < size:
            found = _frame_at(data, place, size)
            if found is None:
                place = data.find(FRAME_MAGIC, place + 1)
                place = size if place < 0 else place
                continue
            if lost < place:
                yield Stretch(lost, place, None)
            stop, text = found
            if text is not None:
                yield Stretch(place, stop, text)
            place = lost = stop
        if lost < size:
            yield Stretch(lost, size, None)


def _frame_at(data: mmap.mmap, place: int, size: int) -> tuple[int, bytes | None] | None:
    """Where the frame that begins here ends, and its text; a text of None for the table; None if no whole frame does."""
    from pyzstd import ZstdError

    head = data[place : place + HEAD_BYTES]
    if head[:4] == TABLE_MAGIC and len(head) == HEAD_BYTES:
        stop = place + HEAD_BYTES + int.from_bytes(head[4:], "little")
        return (stop, None) if stop == size and data[-4:] == FOOT_MAGIC else None
    if head[:4] != FRAME_MAGIC:
        return None
    decompressor, pieces, left, start = _decompressor(), [], MAX_FRAME_BYTES, place
    try:
        while not decompressor.eof:
            piece = data[place : place + PROBE_BYTES] if decompressor.needs_input else b""
            if decompressor.needs_input and not piece:
                return None
            place += len(piece)
            pieces.append(decompressor.decompress(piece, left))
            left -= len(pieces[-1])
            if not left and not decompressor.eof:
                return None
    except ZstdError:
        return None
    stop = place - len(decompressor.unused_data)
    return (stop, b"".join(pieces)) if stop > start else None


def is_zst(file: BinaryIO) -> bool:
    """Whether the file begins with a frame, or ends with a table where its beginning is damaged; it is wound back."""
    head = _read_at(file, 0, os.SEEK_SET, len(FRAME_MAGIC))
    foot = _read_at(file, -min(len(FOOT_MAGIC), file.seek(0, os.SEEK_END)), os.SEEK_END, len(FOOT_MAGIC))
    file.seek(0)
    return head == FRAME_MAGIC or foot == FOOT_MAGIC


def _read_at(file: BinaryIO, offset: int, whence: int, size: int) -> bytes:
    file.seek(offset, whence)
    return file.read(size)
