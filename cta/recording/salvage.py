"""What is whole of a recording that is damaged or cut short: its records, and what is lost between them.

Nothing is guessed: a record is saved if its line stands there in the one form that a record has. Of a recording in the
order of time, a record is also let go if its time cannot be right: it lies outside the run's window, or it is one of
the fewest that have to go for the rest to be in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording.files import Gap, open_file, whole_lines
from cta.recording.format import (
    AVRO_START,
    HEADER_START,
    TRAILER_START,
    Header,
    NewerFormatError,
    Trailer,
    decode_header,
    decode_trailer,
)
from cta.recording.lines import DamagedLineError, LineReader


class Loss(NamedTuple):
    """Something that could not be saved: ``bytes 1,000 to 2,000 of the file: no whole frame``, ``line 7: ...``."""

    what: str


class HeaderLine(NamedTuple):
    """The first line, with its newline."""

    line: bytes


Found = HeaderLine | Batch | Loss | Trailer


def salvage(path: Path) -> Iterator[Found]:
    """All that is whole in the file, and each loss, in the order of the file.

    RecordingError: the file cannot be opened, is Avro, or is of a newer format, which nobody here can judge.
    """
    source = str(path)
    with open_file(path) as file:
        sieve: _Sieve | None = None
        for lines in whole_lines(file):
            if isinstance(lines, Gap):
                if sieve is not None:
                    yield from sieve.sift([], last=True)
                yield Loss(f"bytes {lines.start:,} to {lines.stop:,} of the file: {lines.what}")
                continue
            if sieve is None:
                header, found = _header(lines, source)
                yield found
                sieve = _Sieve(source, header)
            yield from sieve.sift(lines)
        if sieve is not None:
            yield from sieve.sift([], last=True)


def _header(lines: list[bytes], source: str) -> tuple[Header | None, HeaderLine | Loss]:
    """The header in the first of the lines, which is taken away if it was meant for one."""
    if lines[0].startswith(AVRO_START):
        decode_header(lines[0], source)
    if not lines[0].startswith(HEADER_START):
        return None, Loss("line 1: not a header")
    line = lines.pop(0) + b"\n"
    try:
        return decode_header(line, source), HeaderLine(line)
    except NewerFormatError:
        raise
    except RecordingError as error:
        return None, Loss(f"line 1, the header: {error.what}")


class _Sieve:
    """Takes lines in the order of the file, lets the good ones through. One line waits, to be judged with its next."""

    def __init__(self, source: str, header: Header | None) -> None:
        self._source = source
        self._reader = LineReader(source, None if header is None else header.topics, ordered=False)
        self._ordered = header is None or header.order == "time"
        self._window = None if header is None else (header.start_ms, header.end_ms)
        self._number = 1 if header is None else 2
        self._held: list[bytes] = []
        self._last_ms = -1

    def sift(self, lines: list[bytes], *, last: bool = False) -> Iterator[Batch | Loss | Trailer]:
        """``last``: nothing follows, or nothing that follows on these lines."""
        lines = self._held + lines
        self._held = [] if last or not lines else [lines.pop()]
        ends = [place for place, line in enumerate(lines) if line.startswith(TRAILER_START)]
        start = 0
        for stop in [*ends, len(lines)]:
            yield from self._records(lines[start:stop], self._number + start)
            if stop < len(lines):
                yield self._trailer(lines[stop], self._number + stop)
            start = stop + 1
        self._number += len(lines)

    def _trailer(self, line: bytes, number: int) -> Trailer | Loss:
        try:
            return decode_trailer(line + b"\n", self._source)
        except RecordingError as error:
            return Loss(f"line {number}, the trailer: {error.what}")

    def _records(self, lines: list[bytes], first: int) -> Iterator[Batch | Loss]:
        if not lines:
            return
        numbers: list[int] | range = range(first, first + len(lines))
        bad: list[tuple[int, str]] = []
        try:
            batch = self._reader.batch(lines, first)
        except DamagedLineError:
            numbers = []
            for number, line in enumerate(lines, first):
                try:
                    self._reader.batch([line], number)
                    numbers.append(number)
                except DamagedLineError as error:
                    bad.append((number, error.what))
            batch = (
                self._reader.batch([lines[number - first] for number in numbers], first) if numbers else Batch.of([])
            )
        kept = self._credible(batch)
        bad += [(numbers[row], "its time cannot be right") for row in np.flatnonzero(~kept).tolist()]
        places = np.array(numbers, np.int64)[kept]
        batch = batch if kept.all() else batch[kept]
        if len(batch):
            self._last_ms = int(batch.times[-1])
        start = 0
        for number, loss in _told(sorted(bad)):
            stop = int(np.searchsorted(places, number))
            if start < stop:
                yield batch[start:stop]
            start = stop
            yield loss
        if start < len(batch):
            yield batch[start:] if start else batch

    def _credible(self, batch: Batch) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which records have times that can be right, bool[n]."""
        kept = np.ones(len(batch), np.bool_)
        if not self._ordered or not len(batch):
            return kept
        if self._window is not None:
            inside = (batch.times >= self._window[0]) & (batch.times < self._window[1])
            if 2 * inside.sum() >= len(batch):  # else it is the window that cannot be right
                kept &= inside
        kept &= batch.times >= self._last_ms
        rows = np.flatnonzero(kept)
        if (np.diff(batch.times[rows]) < 0).any():
            kept[:] = False
            kept[rows[longest_rise(batch.times[rows].tolist())]] = True
        return kept


def _told(bad: Iterable[tuple[int, str]]) -> Iterator[tuple[int, Loss]]:
    """A loss a run of lines that are bad for the same reason, with the first line's number."""
    for (_, what), run in groupby(enumerate(bad), lambda item: (item[1][0] - item[0], item[1][1])):
        numbers = [number for _, (number, _) in run]
        lines = f"line {numbers[0]:,}" if len(numbers) == 1 else f"lines {numbers[0]:,} to {numbers[-1]:,}"
        yield numbers[0], Loss(f"{lines}: {what}")


def longest_rise(times: list[int]) -> list[int]:
    """The places of a longest run of times that never goes back, not counting what stands between them."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, time_ms in enumerate(times):
        length = bisect_right(ends, time_ms)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = [time_ms]
        places[length : length + 1] = [place]
    rise: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        rise.append(place)
        place = before[place]
    return rise[::-1]
