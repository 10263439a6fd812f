"""Record: a run's records into a file of JSON Lines."""

from __future__ import annotations

from pathlib import Path

from cta.commands.console import Progress, unseen
from cta.commands.target import Run
from cta.model.errors import CtaError, OutputError
from cta.recording.digest import Digest
from cta.recording.format import Header
from cta.recording.newfile import PARTIAL_SUFFIX
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window


class InterruptedRunError(CtaError):
    """Ctrl+C before the end."""

    exit_code = 130


def record(run: Run, window: Window, output: str, *, force: bool = False, progress: Progress = unseen) -> Digest:
    """Write the run's records in ``window`` to ``output`` and return their digest.

    Errors: InterruptedRunError, which says where the records so far are; OutputError where ``output`` is there and ``force`` is not given, or where it cannot be written; then
    nothing new is left behind.
    """
    refuse_to_replace(output, force=force)
    header = Header.of(
        scenario=run.scenario,
        seed=run.seed,
        start_ms=window.start_ms,
        end_ms=window.end_ms,
        stations=run.station_rows(),
    )
    writer = RecordingWriter(output, header)
    try:
        with writer:
            for batch in run.batches(window):
                writer.write(batch)
                progress(writer.digest.last_ms or window.start_ms, writer.digest.total)
    except KeyboardInterrupt:
        raise InterruptedRunError(
            f"interrupted; the records so far, up to {writer.digest.total:,}, are in {output}{PARTIAL_SUFFIX}",
            where=output,
            remedy="run it again for the whole file",
        ) from None
    return writer.digest


def refuse_to_replace(output: str, *, force: bool) -> None:
    """OutputError where ``output`` is there and is not to be replaced, or is no name for a file."""
    if "\0" in output:
        raise OutputError("no file can have this name", where=repr(output), remedy="choose another name")
    if Path(output).exists() and not force:
        raise OutputError("is there already", where=output, remedy="choose another name, or --force to replace it")
