"""Record: a run's records into a file of JSON Lines."""

from __future__ import annotations

from pathlib import Path

from cta.commands.console import Progress, unseen
from cta.commands.target import Run
from cta.model.errors import OutputError
from cta.recording.digest import Digest
from cta.recording.format import Header
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window


def record(run: Run, window: Window, output: str, *, force: bool = False, progress: Progress = unseen) -> Digest:
    """Write the run's records in ``window`` to ``output`` and return their digest.

    Errors: OutputError where ``output`` is there and ``force`` is not given, or where it cannot be written; then
    nothing new is left behind.
    """
    if Path(output).exists() and not force:
        raise OutputError("is there already", where=output, remedy="choose another name, or --force to replace it")
    header = Header.of(
        scenario=run.scenario,
        seed=run.seed,
        start_ms=window.start_ms,
        end_ms=window.end_ms,
        stations=run.station_rows(),
    )
    digest = Digest()
    with RecordingWriter(output, header) as writer:
        for batch in run.batches(window):
            writer.write(batch)
            digest.update(batch)
            progress(digest.last_ms or window.start_ms, digest.total)
    return digest
