"""Convert: a recording in another form, without loss: plain, in frames, or an Avro Object Container File."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cta.commands.console import Progress, unseen
from cta.commands.record import check_output
from cta.model.batch import Batch
from cta.recording import avro
from cta.recording.avro import AvroRecording, write_avro
from cta.recording.format import SUFFIX, ZST_SUFFIX, Header, Trailer
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter

FORMS = (SUFFIX, ZST_SUFFIX, avro.SUFFIX)


class Stored(Protocol):
    """A recording in any form."""

    path: Path
    header_line: bytes
    header: Header
    trailer_line: bytes
    trailer: Trailer

    def batches(self) -> Iterable[Batch]: ...


def open_stored(file: str) -> Stored:
    """By its name or its first bytes an Avro file, else a recording. RecordingError."""
    path = Path(file)
    return AvroRecording(path) if file.endswith(avro.SUFFIX) or avro.is_avro(path) else Recording.open(path)


def convert(source: Stored, output: str, *, force: bool = False, progress: Progress = unseen) -> Trailer:
    """Write the whole recording in the form that ``output`` names; its trailer is the source's, or nothing is written.

    Errors: OutputError for a name without a form, a file that is there, a full disk; RecordingError.
    """
    check_output(output, force=force, source=source.path, forms=FORMS)
    batches = _seen(source.batches(), progress, source.header.start_ms)
    if output.endswith(avro.SUFFIX):
        write_avro(Path(output), source.header_line, source.trailer_line, batches)
    else:
        with RecordingWriter(output, source.header_line) as writer:
            for batch in batches:
                writer.write(batch)
            writer.expect(source.trailer_line, str(source.path))
    return source.trailer


def _seen(batches: Iterable[Batch], progress: Progress, start_ms: int) -> Iterable[Batch]:
    records = 0
    for batch in batches:
        yield batch
        records += len(batch)
        progress(int(batch.times[-1]) if len(batch) else start_ms, records)
