"""Record lines into batches. Lines repeat but for their time, so what follows the time is decoded once and remembered.

A line is taken only in its one canonical form, ``{"t":TIME,"topic":T,"key":K,"value":V}``: a line met for the first
time is decoded by its topic's types and encoded again, and must come out the same. A captured record has its partition,
offset and headers between time and topic, so that content is still what follows; such lines are read one by one. Times are read in columns where
all of a block have thirteen digits (the years 2001 to 2286), else line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from cta.model.batch import Batch, Content
from cta.model.errors import RecordingError
from cta.model.raw import Origin, Raw, foreign
from cta.model.topics import BY_NAME, RECORDED
from cta.recording.format import MAX_LINE_BYTES
from cta.recording.remedies import record_again

MEMO_CONTENTS: Final = 65_536
"""A full day has about 9,000 contents; a foreign file may have one a record, at about 1 kB each."""
MEMO_BYTES: Final = 64 << 20
"""Of lines: a foreign file's may be long."""

NOT_CANONICAL: Final = "altered: not in the form that cta writes"

_encode = msgspec.json.Encoder().encode
_decode_raw = msgspec.json.Decoder(Raw).decode
_decode_origin = msgspec.json.Decoder(Origin).decode
_RAW_STARTS: Final = (b'{"text":', b'{"base64":')
_NO_ORIGIN: Final = Origin()
_TOPIC: Final = b'"topic":'
_HEAD: Final = re.compile(rb'\{"t":(-1|0|[1-9][0-9]{0,14}),')
_PREFIX: Final = np.frombuffer(b'{"t":', np.uint8)
_WEIGHTS: Final = 10 ** np.arange(12, -1, -1, dtype=np.int64)
_NEWLINE: Final = ord("\n")
_HEAD_BYTES: Final = len(_PREFIX) + len(_WEIGHTS) + 1


class DamagedLineError(RecordingError):
    """A line of the file ``source`` that is not a record of ours; ``line`` counts from 1, or on from ``place``."""

    def __init__(self, what: str, *, source: str, line: int, place: str = "") -> None:
        super().__init__(what, where=f"{source}{place} line {line}", remedy=record_again(source))
        self.line = line


class _Record(Struct):
    topic: str
    key: msgspec.Raw
    value: msgspec.Raw


class _Codec:
    """Decodes a topic's records: by its types where it has any, and bytes as they were captured."""

    def __init__(self, name: str) -> None:
        self.topic = BY_NAME[name] if name in BY_NAME and BY_NAME[name] in RECORDED else foreign(name)
        self._foreign = foreign(name)
        self._key = _decoder(self.topic.key_type)
        self._value = _decoder(self.topic.value_type)

    def content(self, record: _Record) -> Content:
        key, key_explained = _part(bytes(record.key), self._key)
        value, value_explained = _part(bytes(record.value), self._value)
        return Content(self.topic if key_explained and value_explained else self._foreign, key, value)


def _decoder(kind: type[Struct] | None) -> msgspec.json.Decoder[Any] | None:
    return None if kind is None else msgspec.json.Decoder(kind)


def _part(text: bytes, decoder: msgspec.json.Decoder[Any] | None) -> tuple[Any, bool]:
    """A key or a value, and whether a schema explains it: the rest is null or bytes."""
    if text == b"null":
        return None, False
    if decoder is not None and not text.startswith(_RAW_STARTS):
        return decoder.decode(text), True
    raw = _decode_raw(text)
    if Raw.of(raw.data) != raw:
        raise ValueError("bytes that are not told as text or base64, as they should be")
    return raw, False


class LineReader:
    """Reads a file's record lines in order. Keeps the contents met, up to ``MEMO_CONTENTS``, and the last time.

    ``topics``: those that records may have; None: any. ``ordered``: times must not go back. ``place``: where in the file
    ``source`` reading begins, for the errors' sake.
    """

    def __init__(self, source: str, topics: Iterable[str] | None, *, ordered: bool = True, place: str = "") -> None:
        self._source = source
        self._place = place
        self._any_topic = topics is None
        self._codecs = {name: _Codec(name) for name in topics or ()}
        self._contents: list[Content] = []
        self._codes: dict[bytes, int] = {}
        self._memo_bytes = 0
        self._ordered = ordered
        self._last_ms = 0

    def batch(self, lines: list[bytes], first_line: int) -> Batch:
        """The records of lines without their newline, the first being ``first_line``. DamagedLineError: the first bad one."""
        return self.block(b"\n".join([*lines, b""]), first_line)

    def block(self, block: bytes, first_line: int) -> Batch:
        """As `batch`, of whole lines with their newlines."""
        if len(self._contents) > MEMO_CONTENTS or self._memo_bytes > MEMO_BYTES:
            self._contents, self._codes, self._memo_bytes = [], {}, 0
        text = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(text == _NEWLINE)
        starts = np.concatenate([[0], ends[:-1] + 1])
        times = _times(text, starts, ends)
        if times is None or (self._ordered and np.diff(times, prepend=self._last_ms).min() < 0):
            return self._one_by_one(block, first_line)
        spans = zip((starts + _HEAD_BYTES).tolist(), ends.tolist(), strict=True)
        tails = [block[start:end] for start, end in spans]
        codes = [self._codes.get(tail, -1) for tail in tails]
        for place in _places(codes, -1):
            if not tails[place].startswith(_TOPIC):
                return self._one_by_one(block, first_line)
            codes[place] = self._code(tails[place], first_line + place)
        self._last_ms = int(times[-1])
        return Batch(times, np.array(codes, np.intp), self._contents).compact()

    def _one_by_one(self, block: bytes, first_line: int) -> Batch:
        records = [self._record(line, first_line + i) for i, line in enumerate(block.split(b"\n")[:-1])]
        batch = Batch.of([(time_ms, content) for time_ms, content, _ in records])
        if any(origin is not None for _, _, origin in records):
            origins = np.empty(len(records), np.object_)
            origins[:] = [origin or _NO_ORIGIN for _, _, origin in records]
            batch.origins = origins
        return batch

    def _record(self, line: bytes, number: int) -> tuple[int, Content, Origin | None]:
        head = _HEAD.match(line)
        if head is None:
            raise self._damaged('not a record: it does not begin with {"t":TIME,', number)
        time_ms, place = int(head[1]), head.end()
        origin = None
        if not line.startswith(_TOPIC, place):
            origin, place = self._origin(line, place, number)
        content = self._contents[self._code(line[place:], number)]
        if self._ordered and time_ms < self._last_ms:
            raise self._damaged(f"time goes back from {self._last_ms} to {time_ms}", number)
        self._last_ms = time_ms
        return time_ms, content, origin

    def _damaged(self, what: str, number: int) -> DamagedLineError:
        return DamagedLineError(what, source=self._source, line=number, place=self._place)

    def _origin(self, line: bytes, start: int, number: int) -> tuple[Origin, int]:
        """What stands between time and topic, and where the topic begins: no string can hold its seven characters."""
        stop = line.find(_TOPIC, start)
        stop = len(line) if stop < 0 else stop
        text = line[start:stop]
        try:
            origin = _decode_origin(b"{" + text.removesuffix(b",") + b"}")
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"not a record: {error}", number) from None
        raws = [raw for _, raw in origin.headers if raw is not None]
        if origin_text(origin) != text or any(Raw.of(raw.data) != raw for raw in raws):
            raise self._damaged(NOT_CANONICAL, number)
        return origin, stop

    def _code(self, tail: bytes, number: int) -> int:
        code = self._codes.get(tail)
        if code is None:
            content = self._decode(tail, number)
            code = self._codes[tail] = len(self._contents)
            self._contents.append(content)
            self._memo_bytes += len(tail)
        return code

    def _decode(self, tail: bytes, number: int) -> Content:
        if len(tail) > MAX_LINE_BYTES:
            raise self._damaged(f"longer than {MAX_LINE_BYTES} bytes", number)
        try:
            record = msgspec.json.decode(b"{" + tail, type=_Record)
            codec = self._codecs.get(record.topic)
            if codec is None and self._any_topic:
                codec = self._codecs[record.topic] = _Codec(record.topic)
            content = None if codec is None else codec.content(record)
        except (ValueError, RecursionError) as error:
            raise self._damaged(f"not a record: {error}", number) from None
        if content is None:
            unknown = self._damaged(f"unknown topic {record.topic[:80]!r}", number)
            unknown.remedy = f"its header names {', '.join(self._codecs)}; {unknown.remedy}"
            raise unknown
        if content.fragment + b"}" != tail:
            raise self._damaged(NOT_CANONICAL, number)
        return content


def _places(values: list[int], value: int) -> Iterator[int]:
    """Where the value stands in the list."""
    place = -1
    with suppress(ValueError):
        while True:
            place = values.index(value, place + 1)
            yield place


def origin_text(origin: Origin) -> bytes:
    """What stands between a line's time and its topic; nothing for a record that was not captured."""
    text = _encode(origin)[1:-1]
    return text + b"," if text else b""


def _times(text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The times in milliseconds, int64[n], of lines that all begin with ``{"t":``, thirteen digits and a comma."""
    if not len(ends) or (ends - starts).min() < _HEAD_BYTES:
        return None
    columns = text[starts[:, np.newaxis] + np.arange(_HEAD_BYTES)]
    digits = columns[:, len(_PREFIX) : -1] - np.uint8(ord("0"))  # anything but a digit wraps round to more than nine
    regular = (columns[:, : len(_PREFIX)] == _PREFIX).all() and (columns[:, -1] == ord(",")).all()
    if not (regular and digits.max() <= 9 and digits[:, 0].all()):
        return None
    times: NDArray[np.int64] = digits @ _WEIGHTS
    return times
