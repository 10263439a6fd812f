"""Cut: a part of a recording, which is a recording again."""

from __future__ import annotations

from cta.commands.choice import Choice
from cta.commands.console import Progress, unseen
from cta.commands.record import check_output
from cta.recording.digest import Digest
from cta.recording.format import replaced
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window


def cut(
    recording: Recording,
    window: Window,
    choice: Choice,
    output: str,
    *,
    force: bool = False,
    progress: Progress = unseen,
) -> Digest:
    """Write the records in ``window`` that are meant, under the recording's header, and return their digest.

    The header's window is the cut's, and where records were left out it says so. Errors: RecordingError, OutputError.
    """
    check_output(output, force=force, source=recording.path)
    fields: dict[str, object] = {"start_ms": window.start_ms, "end_ms": window.end_ms}
    if choice.line is not None:
        fields["missing"] = [*recording.header.missing, f"records of other lines than {choice.line}"]
    with RecordingWriter(output, replaced(recording.header_line, **fields)) as writer:
        for batch in recording.batches(window.start_ms, window.end_ms):
            writer.write(choice.of(batch))
            progress(writer.digest.last_ms or window.start_ms, writer.digest.total)
    return writer.digest
