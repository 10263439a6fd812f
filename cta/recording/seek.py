"""Going to a moment: the place in a recording's frames from which on all its records from then are read.

A search by halves over the frames' first lines, each a glance at some kilobytes. A glance is not verified; the frame
that it leads to is, by its checksum, and must begin before the moment, as then all frames before it do.
"""

from __future__ import annotations

import re
from typing import Final

from cta.recording.seekable import FrameReader

NEAR_BYTES: Final = 4_096
_TIME: Final = re.compile(rb'\{"t":(0|[1-9][0-9]{0,14}),')


def first_line(frames: FrameReader, header_bytes: int, from_ms: int) -> int:
    """The byte of the text at which a record's line begins, at or before the first record from ``from_ms`` on.

    Times in the text must not go back. Errors: those of `FrameReader.frame`.
    """
    below, above = 0, len(frames.starts) - 1  # the frame looked for is at or after `below` and before `above`
    while above - below > 1:
        middle = (below + above) // 2
        found = _record(frames.probe(middle))
        if found is not None and found[1] < from_ms:
            below = middle
        else:  # later, or no record begins in it: to begin too early does no harm
            above = middle
    while below > 0:
        found = _record(frames.frame(below))
        if found is not None and found[1] < from_ms:
            return int(frames.starts[below]) + _last_before(frames.frame(below), found[0], from_ms)
        below -= 1
    return header_bytes


def _last_before(text: bytes, below: int, from_ms: int) -> int:
    """A place in the text at which a line begins that is before the moment, and near it; the one at ``below`` is."""
    above = len(text)
    while above - below > NEAR_BYTES:
        middle = (below + above) // 2
        start = text.find(b"\n", middle, above) + 1
        match = _TIME.match(text, start) if start else None
        if match is not None and int(match[1]) < from_ms:
            below = start
        else:  # later, or no record's line begins between here and there
            above = middle
    return below


def _record(text: bytes) -> tuple[int, int] | None:
    """Where in the text a record's line first begins, and its time in milliseconds."""
    place = 0
    while (match := _TIME.match(text, place)) is None:
        place = text.find(b"\n", place) + 1
        if not place:
            return None
    return place, int(match[1])
