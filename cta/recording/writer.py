"""Writing a recording: whole under its final name, or not there at all.

Records go to ``NAME.partial`` beside it. When all is written, flushed and on the disk, the file takes its final name,
and with it the place of one that stood there. A run that fails leaves nothing; one that is interrupted or killed leaves
the partial file, whose records are whole up to its last newline (or its last whole frame), for `cta repair` to save.
A name that ends in ``.jsonl.zst`` gets the same bytes in frames; header and trailer have frames of their own.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from cta.model.batch import Batch
from cta.model.errors import RecordError, RecordingError
from cta.recording.digest import Digest
from cta.recording.format import (
    MAX_LINE_BYTES,
    ZST_SUFFIX,
    Header,
    Trailer,
    decode_header,
    decode_trailer,
)
from cta.recording.lines import origin_text
from cta.recording.newfile import NewFile
from cta.recording.partitions import PartitionChains
from cta.recording.seekable import FrameWriter

MAX_CONTENT_BYTES: Final = MAX_LINE_BYTES - (1 << 20)
"""The rest of a line is for its headers."""


class RecordingWriter:
    """A context manager; ``write`` takes batches in the order of time. Leaving it without an exception finishes the file.

    Otherwise nothing is left behind; but ``leaves`` leaves what an interrupted run has written in its partial file.

    ``digest`` is that of the records so far; ``trailer`` is None until the file is finished. OutputError: the place
    cannot be written, the disk is full.
    """

    def __init__(self, path: str | Path, header: Header | bytes, *, leaves: bool = False) -> None:
        """``header``: or the line of one, as it stands in another recording, with all that this cta does not know of."""
        self.path = Path(path)
        self.digest = Digest()
        self.trailer: Trailer | None = None
        self._line = header if isinstance(header, bytes) else header.line()
        self._header = decode_header(header, str(path)) if isinstance(header, bytes) else header
        self._frames: FrameWriter | None = None
        self._chains = PartitionChains()
        self._last_line: bytes | None = None
        self._sha256 = sha256()
        self._new = NewFile(self.path)
        self._leaves = leaves

    def __enter__(self) -> Self:
        self._new.open()
        if self.path.name.endswith(ZST_SUFFIX):
            self._frames = FrameWriter(self._new.file)
        self._put(self._line, end_frame=True)
        return self

    def write(self, batch: Batch) -> None:
        if not len(batch):
            return
        batch = batch.compact()
        if strays := {content.topic.name for content in batch.contents}.difference(self._header.topics):
            raise ValueError(f"records of topics that the header does not name: {', '.join(sorted(strays))}")
        if self._header.order == "time" and (
            batch.times[0] < (self.digest.last_ms or 0) or (batch.times[1:] < batch.times[:-1]).any()
        ):
            raise ValueError("records are recorded in the order of time")
        if (longest := max(len(content.fragment) for content in batch.contents)) > MAX_CONTENT_BYTES:
            what = f"a record of {longest:,} bytes; a line takes {MAX_LINE_BYTES:,} at most"
            raise RecordError(what, where=str(self.path), remedy="leave its topic out")
        self.digest.update(batch)
        self._chains.captured(batch)
        self._put(record_lines(batch))

    def flush(self) -> None:
        """Every record so far is in the partial file, for `cta repair` to save; a frame ends here."""
        self._put(b"", end_frame=True)

    def expect(self, trailer_line: bytes, source: str) -> None:
        """Hold what was written against the last line of its source, which is then its own as it stands.

        RecordingError: the source is not what its last line says.
        """
        if any(decode_trailer(trailer_line, source).differences(self._trailer())):
            what = "altered: its records are not what its trailer says"
            raise RecordingError(what, where=source, remedy="use an unaltered copy")
        self._last_line = trailer_line

    def _trailer(self) -> Trailer:
        return Trailer.of(self.digest, self._sha256.hexdigest(), self._header.topics, self._chains)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self._finish()
        elif self._leaves and not issubclass(kind, Exception):  # interrupted
            self._new.leave()
        else:
            self._new.discard()

    def _put(self, lines: bytes, *, end_frame: bool = False) -> None:
        self._sha256.update(lines)
        try:
            (self._frames or self._new.file).write(lines)
            if end_frame and self._frames is not None:
                self._frames.end_frame()
            if end_frame:
                self._new.file.flush()
        except OSError as error:
            self._new.discard()
            raise self._new.refused(error) from None

    def _finish(self) -> None:
        trailer = self._trailer()
        last_line = self._last_line or trailer.line()
        try:
            if self._frames is None:
                self._new.file.write(last_line)
            else:
                self._frames.end_frame()
                self._frames.write(last_line)
                self._frames.finish()
        except OSError as error:
            self._new.discard()
            raise self._new.refused(error) from None
        self._new.finish()
        self.trailer = trailer


def record_lines(batch: Batch) -> bytes:
    """The lines of a batch's records, each with its newline."""
    if not len(batch):
        return b""
    tails = [content.fragment + b"}\n" for content in batch.contents]
    # Many records share a millisecond: entries are at whole seconds. A time is put into words once a run of it.
    begins = np.concatenate([[True], batch.times[1:] != batch.times[:-1]])
    heads = [b'{"t":%d,' % time_ms for time_ms in batch.times[begins].tolist()]
    parts = [
        map(heads.__getitem__, (np.cumsum(begins) - 1).tolist()),
        *([] if batch.origins is None else [map(origin_text, batch.origins.tolist())]),
        map(tails.__getitem__, batch.codes.tolist()),
    ]
    pieces = [b""] * (len(parts) * len(batch))
    for place, part in enumerate(parts):
        pieces[place :: len(parts)] = part
    return b"".join(pieces)
