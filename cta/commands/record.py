"""Record: a run's records into a file of JSON Lines."""

from __future__ import annotations

from pathlib import Path

from cta.commands.console import Progress, unseen
from cta.commands.pace import Stop
from cta.commands.target import Run
from cta.model.errors import CtaError, OutputError
from cta.recording.digest import Digest
from cta.recording.format import SUFFIX, ZST_SUFFIX, Header
from cta.recording.newfile import NewFile
from cta.recording.remedies import save
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window


class InterruptedRunError(CtaError):
    """Ctrl+C, or whoever ends the process, before the end."""

    exit_code = 130


def record(run: Run, window: Window, output: str, *, force: bool = False, progress: Progress = unseen) -> Digest:
    """Write the run's records in ``window`` to ``output`` and return their digest.

    Errors: InterruptedRunError, which says where the records so far are; those of `check_output`, and OutputError where
    it cannot be written; then nothing new is left behind.
    """
    check_output(output, force=force, source=run.path)
    header = Header.of(
        scenario=run.scenario,
        seed=run.seed,
        start_ms=window.start_ms,
        end_ms=window.end_ms,
        stations=run.station_rows(),
        order=run.order,
    )
    writer = RecordingWriter(output, header, leaves=True)
    safe = "what was written so far is"
    try:
        with Stop() as stop, writer:
            for batch in run.batches(window):
                writer.write(batch)
                progress(writer.digest.last_ms or window.start_ms, writer.digest.total)
                if stop.asked:
                    writer.flush()
                    safe = f"the first {writer.digest.total:,} records are"
                    raise KeyboardInterrupt  # as a second Ctrl+C does: then the writer leaves its partial file
    except KeyboardInterrupt:
        partial = NewFile(Path(output)).partial
        raise InterruptedRunError(
            f"interrupted; {safe} in {partial}",
            where=output,
            remedy=f"run it again for the whole file, or {save(partial)}",
        ) from None
    return writer.digest


def check_output(
    output: str, *, force: bool, source: Path | None = None, forms: tuple[str, ...] = (SUFFIX, ZST_SUFFIX)
) -> None:
    """OutputError where ``output`` is no name for a file of one of the forms, or is there and is not to be replaced.

    Also, ``force`` or not, where what is read, ``source``, would be lost: it is the output under any name, or under the
    partial name that is written first. --force is advised only where it helps.
    """
    if not output or "\0" in output:
        raise OutputError("no file can have this name", where=repr(output), remedy="choose another name")
    path = Path(output)
    new = NewFile(path)
    new.check()
    if not output.endswith(forms):
        raise OutputError("no form has this ending", where=output, remedy=f"end it with {', '.join(forms)}")
    written = [place for place in (path, new.partial) if place.exists()]
    if source is not None and source.exists() and any(place.samefile(source) for place in written):
        raise OutputError("would be written over the file that is read", where=output, remedy="choose another name")
    if path in written and not force:
        raise OutputError("is there already", where=output, remedy="choose another name, or --force to replace it")
