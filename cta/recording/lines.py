"""Record lines into batches. Lines repeat but for their time, so what follows the time is decoded once and remembered.

A line is taken only in its one canonical form, ``{"t":TIME,"topic":T,"key":K,"value":V}``: a line met for the first
time is decoded by its topic's types and encoded again, and must come out the same. Times are read in columns where
all of a block have thirteen digits (the years 2001 to 2286), else line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np
from msgspec import Raw, Struct
from numpy.typing import NDArray

from cta.model.batch import Batch, Content
from cta.model.errors import RecordingError
from cta.model.topics import BY_NAME, RECORDED, Topic
from cta.recording.format import RECORD_AGAIN

MEMO_CONTENTS: Final = 65_536
"""A full day has about 9,000 contents; a foreign file may have one a record, at about 1 kB each."""

_HEAD: Final = re.compile(rb'\{"t":(0|[1-9][0-9]{0,14}),')
_PREFIX: Final = np.frombuffer(b'{"t":', np.uint8)
_WEIGHTS: Final = 10 ** np.arange(12, -1, -1, dtype=np.int64)
_HEAD_BYTES: Final = len(_PREFIX) + len(_WEIGHTS) + 1


class DamagedLineError(RecordingError):
    """A line that is not a record of ours; ``line`` counts from 1."""

    def __init__(self, what: str, *, source: str, line: int, remedy: str = RECORD_AGAIN) -> None:
        super().__init__(what, where=f"{source} line {line}", remedy=remedy)
        self.line = line


class _Record(Struct):
    topic: str
    key: Raw
    value: Raw


class _Codec:
    """Decodes a topic's records by its types."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self._key = msgspec.json.Decoder(topic.key_type)
        self._value = msgspec.json.Decoder(topic.value_type)

    def content(self, record: _Record) -> Content:
        return Content(self._topic, self._key.decode(record.key), self._value.decode(record.value))


class LineReader:
    """Reads a file's record lines in order. Keeps the contents met, up to ``MEMO_CONTENTS``, and the last time."""

    def __init__(self, source: str, topics: Iterable[str]) -> None:
        self._source = source
        self._codecs = {name: _Codec(BY_NAME[name]) for name in topics if name in BY_NAME and BY_NAME[name] in RECORDED}
        self._contents: list[Content] = []
        self._codes: dict[bytes, int] = {}
        self._last_ms = 0

    def batch(self, lines: list[bytes], first_line: int) -> Batch:
        """The records of lines without their newline, the first being ``first_line``. DamagedLineError: the first bad one."""
        if len(self._contents) > MEMO_CONTENTS:
            self._contents, self._codes = [], {}
        times = _times(lines)
        if times is None or np.diff(times, prepend=self._last_ms).min() < 0:
            return Batch.of([self._record(line, first_line + i) for i, line in enumerate(lines)])
        tails = [line[_HEAD_BYTES:] for line in lines]
        codes = [self._codes.get(tail, -1) for tail in tails]
        if -1 in codes:
            codes = [self._code(tail, first_line + i) for i, tail in enumerate(tails)]
        self._last_ms = int(times[-1])
        return Batch(times, np.array(codes, np.intp), self._contents).compact()

    def _record(self, line: bytes, number: int) -> tuple[int, Content]:
        head = _HEAD.match(line)
        if head is None:
            raise DamagedLineError('not a record: it does not begin with {"t":TIME,', source=self._source, line=number)
        time_ms = int(head[1])
        content = self._contents[self._code(line[head.end() :], number)]
        if time_ms < self._last_ms:
            raise DamagedLineError(
                f"time goes back from {self._last_ms} to {time_ms}", source=self._source, line=number
            )
        self._last_ms = time_ms
        return time_ms, content

    def _code(self, tail: bytes, number: int) -> int:
        code = self._codes.get(tail)
        if code is None:
            content = self._decode(tail, number)
            code = self._codes[tail] = len(self._contents)
            self._contents.append(content)
        return code

    def _decode(self, tail: bytes, number: int) -> Content:
        try:
            record = msgspec.json.decode(b"{" + tail, type=_Record)
            codec = self._codecs.get(record.topic)
            content = None if codec is None else codec.content(record)
        except (ValueError, RecursionError) as error:
            raise DamagedLineError(f"not a record: {error}", source=self._source, line=number) from None
        if content is None:
            remedy = f"known here: {', '.join(self._codecs)}"
            raise DamagedLineError(
                f"unknown topic {record.topic[:80]!r}", source=self._source, line=number, remedy=remedy
            )
        if content.fragment + b"}" != tail:
            raise DamagedLineError("altered: not in the form that cta writes", source=self._source, line=number)
        return content


def _times(lines: list[bytes]) -> NDArray[np.int64] | None:
    """The times in milliseconds, int64[n], of lines that all begin with ``{"t":``, thirteen digits and a comma."""
    heads = b"".join([line[:_HEAD_BYTES] for line in lines])
    if len(heads) != _HEAD_BYTES * len(lines):
        return None
    columns = np.frombuffer(heads, np.uint8).reshape(len(lines), _HEAD_BYTES)
    digits = columns[:, len(_PREFIX) : -1] - np.uint8(ord("0"))  # anything but a digit wraps round to more than nine
    regular = (columns[:, : len(_PREFIX)] == _PREFIX).all() and (columns[:, -1] == ord(",")).all()
    if not (regular and digits.max() <= 9 and digits[:, 0].all()):
        return None
    return digits @ _WEIGHTS
