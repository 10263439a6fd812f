"""Cat: a recording's records as JSON lines, all or some."""

from __future__ import annotations

from collections.abc import Iterator

from cta.commands.choice import Choice
from cta.recording.reader import Recording
from cta.recording.writer import record_lines
from cta.simulation.plan import Window


def cat(recording: Recording, window: Window | None, choice: Choice) -> Iterator[bytes]:
    """The lines of the records that are meant, as they stand in the recording, in blocks.

    ``window`` None: all of it, verified to its end. RecordingError: damage, when the blocks before it have been yielded.
    """
    from_ms, until_ms = (None, None) if window is None else (window.start_ms, window.end_ms)
    for batch in recording.batches(from_ms, until_ms):
        if len(chosen := choice.of(batch)):
            yield record_lines(chosen)
