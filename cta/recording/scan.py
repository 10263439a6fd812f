"""Reading a recording as far as it can be read: its records with their lines, and whatever is wrong with the file.

`Recording` stops at the first thing that is wrong; a scan names it and goes on behind it. What it cannot do without is
the header. The order of times is not its matter: a law of the stream says more about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording.digest import Digest
from cta.recording.files import Gap, frames_of, open_file, whole_lines
from cta.recording.format import TRAILER_START, Trailer, decode_header, decode_trailer
from cta.recording.lines import DamagedLineError, LineReader
from cta.recording.partitions import PartitionChains
from cta.recording.seekable import is_zst


@dataclass(frozen=True)
class Flaw:
    """Something wrong with the file: with a line that is no record, or with its bytes as a whole."""

    line: int
    """Counted from 1; behind a gap, among the lines that are whole."""
    kind: Literal["bytes", "schema"]
    what: str
    loses: bool
    """Whether records may be missing here."""


@dataclass(frozen=True)
class Lines:
    """Records that stand in lines one after the other, the first of them ``line``."""

    line: int
    batch: Batch


class Scan:
    """A recording's file, scanned once by `parts`. ``digest`` and ``line`` are of what was read so far.

    RecordingError: the file cannot be opened, or has no header that this cta reads.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with open_file(self.path) as file:
            first = next(whole_lines(file), Gap(0, 0, "empty"))
        if isinstance(first, Gap):
            raise RecordingError(f"no header: {first.what}", where=str(path), remedy="use an unaltered copy")
        self.header = decode_header(first[0] + b"\n", str(path))
        self.digest = Digest()
        self._chains = PartitionChains()
        self.line = 1
        self._reader = LineReader(str(path), self.header.topics, ordered=False)
        self._sha256 = sha256()
        self._trailer: Trailer | None = None
        self._found_sha256 = ""
        self._losses = 0
        self._gaps = 0

    def parts(self) -> Iterator[Lines | Flaw]:
        """Records and flaws in the order of the file; those of the whole stand last."""
        with open_file(self.path) as file:
            framed = is_zst(file)
            for piece in whole_lines(file):
                if isinstance(piece, Gap):
                    self._gaps += 1
                    yield Flaw(self.line, "bytes", _gap(piece, framed), loses=True)
                else:
                    yield from self._lines(piece)
            yield from self._end()
            try:
                frames_of(file, str(self.path))
            except RecordingError as error:
                yield Flaw(self.line, "bytes", error.what, loses=False)

    def _lines(self, lines: list[bytes]) -> Iterator[Lines | Flaw]:
        if self.line == 1:
            self._take(lines[:1])
            lines = lines[1:]
        while lines:
            cut = next((i for i, line in enumerate(lines) if line.startswith(TRAILER_START)), len(lines))
            if cut:
                if self._trailer is not None:
                    yield Flaw(self.line, "bytes", "more lines behind the last", loses=False)
                yield from self._records(lines[:cut], self.line)
                self._take(lines[:cut])
            if cut < len(lines):
                yield from self._last_line(lines[cut])
                self._take(lines[cut : cut + 1])
            lines = lines[cut + 1 :]

    def _take(self, lines: list[bytes]) -> None:
        self._sha256.update(b"\n".join([*lines, b""]))
        self.line += len(lines)

    def _records(self, lines: list[bytes], first: int) -> Iterator[Lines | Flaw]:
        """The records of the lines; where one is damaged, of the halves on either side of it."""
        try:
            batch = self._reader.batch(lines, first)
        except DamagedLineError as error:
            if len(lines) == 1:
                self._losses += 1
                yield Flaw(first, "schema", error.what, loses=True)
                return
            half = len(lines) // 2
            yield from self._records(lines[:half], first)
            yield from self._records(lines[half:], first + half)
        else:
            self.digest.update(batch)
            self._chains.captured(batch)
            yield Lines(first, batch)

    def _last_line(self, line: bytes) -> Iterator[Flaw]:
        if self._trailer is not None:
            yield Flaw(self.line, "bytes", "a second last line", loses=False)
        try:
            self._trailer = decode_trailer(line + b"\n", str(self.path))
            self._found_sha256 = self._sha256.hexdigest()
        except RecordingError as error:
            yield Flaw(self.line, "bytes", f"the last line is {error.what}", loses=False)

    def _end(self) -> Iterator[Flaw]:
        """Whether the whole comes to what the last line says, as far as there is a whole."""
        if self._trailer is None:
            what = f"cut short: {self.digest.total:,} records, and here the last line should stand"
            yield Flaw(self.line, "bytes", what, loses=True)
            return
        if self._gaps:
            return
        found = Trailer.of(self.digest, self._found_sha256, self.header.topics, self._chains)
        for field, written, actual in self._trailer.differences(found):
            if field == "sha256":
                what = "altered after it was written: the lines do not have the SHA-256 of the last one"
            elif self._losses:
                continue
            else:
                what = f"the last line says {field} {written}, the lines before it come to {actual}"
            yield Flaw(self.line - 1, "bytes", what, loses=False)


def _gap(gap: Gap, framed: bool) -> str:
    if not framed:
        return gap.what
    return f"{gap.what} in bytes {gap.start:,} to {gap.stop:,} of the file; lines are counted on without what is lost"
