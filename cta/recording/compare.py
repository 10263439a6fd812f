"""How two streams of records differ: by topic and key, and by the order within the key.

The digests come first: where they are equal there is nothing to say, and where they are not, their chains name the keys
that differ. Only those keys' records are read again, and matched key by key (`matching`). A record is kept as a time
and a code, 12 bytes, for so many keys at once as have `GROUP_RECORDS` records; where more differ, the streams are read
once more for each further group. So memory is bounded by a group, or by the largest single key, however long the
streams are; two full days of different seeds are one group.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal

import msgspec
import numpy as np

from cta.model.batch import Batch, Content
from cta.model.topics import ARRIVALS, BY_NAME, RECORDED, Topic
from cta.recording.digest import Digest
from cta.recording.matching import Column, Match, match

GROUP_RECORDS: Final = 1 << 21
"""Of both streams together: 25 MB."""

SURROUNDING_RECORDS: Final = 3
"""How many records of the key are shown before and after the first divergence, on each side."""

PLACES: Final[Mapping[Topic, tuple[str, ...]]] = {ARRIVALS: ("station_id", "direction")}
"""The fields that say what a record is about, beyond its key: records of one key that differ in them are not one record
changed."""

Stream = Callable[[], Iterator[Batch]]
"""Makes the stream's batches anew."""

Mark = Literal["=", "a", "b"]
"""Whether a record is in both streams, or in one of them only as it stands."""


@dataclass
class Tally:
    """Differences counted. ``shifts_ms``: b's time less a's, of each record moved."""

    missing: int = 0
    """In a alone."""
    extra: int = 0
    """In b alone."""
    changed: int = 0
    """Another content; ``fields`` counts which field differs, and ``time`` where that does too."""
    moved: int = 0
    """The same content at another time, or (a shift of 0) in another order."""
    fields: Counter[str] = field(default_factory=Counter)
    shifts_ms: array[int] = field(default_factory=lambda: array("i"))

    @property
    def total(self) -> int:
        return self.missing + self.extra + self.changed + self.moved

    @property
    def median_shift_ms(self) -> int | None:
        return round(float(np.median(self.shifts_ms))) if self.shifts_ms else None

    def add(self, other: Tally) -> None:
        self.missing += other.missing
        self.extra += other.extra
        self.changed += other.changed
        self.moved += other.moved
        self.fields.update(other.fields)
        self.shifts_ms.extend(other.shifts_ms)


@dataclass(frozen=True)
class Divergence:
    """The earliest difference: its key's records around it, in the order of time, a's before b's at one time."""

    time_ms: int
    topic: Topic
    entity: str
    records: list[tuple[Mark, int, Content]]


@dataclass(frozen=True)
class Comparison:
    """What two streams have in common and what not. Streams are the same when nothing is ``different``."""

    a: Digest
    b: Digest
    tallies: dict[tuple[Topic, str], Tally]
    """By topic and entity, those with differences, in the order of topic and entity."""
    first: Divergence | None
    outside: int
    """Of the missing and the extra records, those outside the window that both runs were said to have."""

    @property
    def different(self) -> bool:
        return bool(self.tallies)

    def topics(self) -> dict[Topic, Tally]:
        """The tallies summed over each topic."""
        sums: dict[Topic, Tally] = {topic: Tally() for topic in RECORDED}
        for (topic, _), tally in self.tallies.items():
            sums.setdefault(topic, Tally()).add(tally)
        return sums


def compare(
    a: Stream,
    b: Stream,
    *,
    ignore: Collection[str] = (),
    tolerance_ms: int | None = None,
    within: tuple[int, int] | None = None,
) -> Comparison:
    """Compare two streams. ``ignore``: fields of values, ``temperature`` or ``weather.temperature``, taken as equal.

    ``tolerance_ms``: records of equal content so far apart or nearer are the same. ``within``: both runs' common window
    (start_ms, end_ms), for ``outside``.
    """
    streams = [_ignoring(stream, ignore) if ignore else stream for stream in (a, b)]
    digests = [_digest(stream) for stream in streams]
    differences = _Differences(tolerance_ms, within)
    for keys in _groups(*(digest.chains() for digest in digests)):
        contents = _Contents()
        columns = [_columns(stream, keys, contents) for stream in streams]
        for key in keys:
            differences.look(columns[0][key], columns[1][key], contents.known)
    tallies = sorted(differences.tallies.items(), key=lambda item: (item[0][0].rank, item[0][1]))
    return Comparison(digests[0], digests[1], dict(tallies), differences.first(), differences.outside)


def ignorable() -> dict[str, list[str]]:
    """The fields that ``ignore`` can name, by the topic's short name."""
    return {topic.short: list(topic.value_type.__struct_fields__) for topic in RECORDED if topic.value_type}


def _digest(stream: Stream) -> Digest:
    digest = Digest()
    for batch in stream():
        digest.update(batch)
    return digest


def _ignoring(stream: Stream, ignore: Collection[str]) -> Stream:
    """The stream with the ignored fields empty."""

    def batches() -> Iterator[Batch]:
        for batch in stream():
            batch = batch.compact()
            yield Batch(batch.times, batch.codes, [_blank(content, ignore) for content in batch.contents])

    return batches


def _blank(content: Content, ignore: Collection[str]) -> Content:
    if content.topic not in RECORDED:
        return content
    short = content.topic.short
    blanks = {name: None for name in _fields(content.value) if name in ignore or f"{short}.{name}" in ignore}
    return Content(content.topic, content.key, msgspec.structs.replace(content.value, **blanks)) if blanks else content


def _fields(value: Any) -> Sequence[str]:
    return value.__struct_fields__ if isinstance(value, msgspec.Struct) else ()


Chains = dict[bytes, tuple[int, str]]


def _groups(a: Chains, b: Chains) -> Iterator[list[bytes]]:
    """The keys whose chains differ, in groups of about `GROUP_RECORDS` records."""
    group: list[bytes] = []
    records = 0
    for key in sorted(a.keys() | b.keys()):
        if a.get(key) == b.get(key):
            continue
        count = sum(chains[key][0] for chains in (a, b) if key in chains)
        if group and records + count > GROUP_RECORDS:
            yield group
            group, records = [], 0
        group.append(key)
        records += count
    if group:
        yield group


class _Contents:
    """Contents, each once, and their codes."""

    def __init__(self) -> None:
        self.known: list[Content] = []
        self._codes: dict[bytes, int] = {}

    def code(self, content: Content) -> int:
        code = self._codes.setdefault(content.hash, len(self.known))
        if code == len(self.known):
            self.known.append(content)
        return code


class _Packed:
    """A key's records as they are gathered: times in milliseconds, codes."""

    __slots__ = ("codes", "times")

    def __init__(self) -> None:
        self.times = array("q")
        self.codes = array("i")

    def column(self) -> Column:
        return Column(self.times.tolist(), self.codes.tolist())


def _columns(stream: Stream, keys: list[bytes], contents: _Contents) -> dict[bytes, _Packed]:
    """The records of each of the keys."""
    columns = {key: _Packed() for key in keys}
    places = {key: place for place, key in enumerate(keys)}
    for batch in stream():
        batch = batch.compact()
        place_of = np.array([places.get(content.chain_key, -1) for content in batch.contents], np.intp)
        batch = batch[place_of[batch.codes] >= 0].compact()
        if not len(batch):
            continue
        place_of = np.array([places[content.chain_key] for content in batch.contents], np.intp)[batch.codes]
        order = np.argsort(place_of, kind="stable")
        times = batch.times[order].astype("q")
        codes = np.array([contents.code(content) for content in batch.contents], "i")[batch.codes[order]]
        found, starts = np.unique(place_of[order], return_index=True)
        for place, start, stop in zip(found.tolist(), starts.tolist(), [*starts[1:].tolist(), len(batch)], strict=True):
            column = columns[keys[place]]
            column.times.frombytes(times[start:stop].tobytes())
            column.codes.frombytes(codes[start:stop].tobytes())
    return columns


class _Differences:
    """Counts what each key's match leaves, and keeps the earliest of it."""

    def __init__(self, tolerance_ms: int | None, within: tuple[int, int] | None) -> None:
        self.tallies: dict[tuple[Topic, str], Tally] = {}
        self.outside = 0
        self._tolerance_ms = tolerance_ms
        self._within = within
        self._first: tuple[tuple[int, int, str], Divergence] | None = None

    def first(self) -> Divergence | None:
        return None if self._first is None else self._first[1]

    def look(self, packed_a: _Packed, packed_b: _Packed, contents: list[Content]) -> None:
        a, b = packed_a.column(), packed_b.column()
        found = match(a, b, lambda code: _place(contents[code]), self._tolerance_ms)
        if not (found.changed or found.moved or found.only_a or found.only_b):
            return
        content = contents[(a.codes or b.codes)[0]]
        topic, entity = BY_NAME.get(content.topic.name, content.topic), content.entity
        self.tallies.setdefault((topic, entity), Tally()).add(_tally(a, b, found, contents))
        if self._within is not None:
            start_ms, end_ms = self._within
            lone = chain((a.times[i] for i in found.only_a), (b.times[j] for j in found.only_b))
            self.outside += sum(not start_ms <= time_ms < end_ms for time_ms in lone)
        place = (_earliest_ms(a, b, found), topic.rank, entity)
        if self._first is None or place < self._first[0]:
            records = _surroundings(a, b, found, contents, place[0])
            self._first = place, Divergence(place[0], topic, entity, records)


def _place(content: Content) -> tuple[Any, ...]:
    return tuple(getattr(content.value, name) for name in PLACES.get(content.topic, ()))


def _tally(a: Column, b: Column, found: Match, contents: list[Content]) -> Tally:
    tally = Tally(len(found.only_a), len(found.only_b), len(found.changed), len(found.moved))
    for i, j in found.changed:
        tally.fields.update(changed_fields(contents[a.codes[i]], contents[b.codes[j]]))
        tally.fields["time"] += a.times[i] != b.times[j]
    tally.fields += Counter()  # drops a time that never differed
    tally.shifts_ms.extend(b.times[j] - a.times[i] for i, j in found.moved)
    return tally


def changed_fields(a: Content, b: Content) -> list[str]:
    """The names of the value's fields in which two contents of one topic differ; ``value`` where it has no fields."""
    if type(a.value) is not type(b.value) or a.topic not in RECORDED:
        return ["value"]
    return [name for name in _fields(a.value) if getattr(a.value, name) != getattr(b.value, name)]


def _earliest_ms(a: Column, b: Column, found: Match) -> int:
    pairs = chain(found.changed, found.moved)
    times_ms = chain(
        (min(a.times[i], b.times[j]) for i, j in pairs),
        (a.times[i] for i in found.only_a),
        (b.times[j] for j in found.only_b),
    )
    return min(times_ms)


def _surroundings(
    a: Column, b: Column, found: Match, contents: list[Content], time_ms: int
) -> list[tuple[Mark, int, Content]]:
    """The records around the first difference, which is at ``time_ms``: before it all is the same in both."""
    pairs = [*found.changed, *found.moved]
    records: list[tuple[int, int, Mark, Content]] = []
    sides: list[tuple[int, Column, set[int]]] = [
        (0, a, {*found.only_a, *(i for i, _ in pairs)}),
        (1, b, {*found.only_b, *(j for _, j in pairs)}),
    ]
    for side, column, different in sides:
        first = _position(column, different, time_ms)
        stop = first + (first in different) + SURROUNDING_RECORDS
        for at in range(max(0, first - SURROUNDING_RECORDS), min(len(column.times), stop)):
            mark: Mark = "=" if at not in different else "ab"[side]  # type: ignore[assignment]
            if mark != "=" or side == 0:
                records.append((column.times[at], side, mark, contents[column.codes[at]]))
    records.sort(key=lambda record: record[:2])
    return [(mark, at_ms, content) for at_ms, _, mark, content in records]


def _position(column: Column, different: set[int], time_ms: int) -> int:
    """Where the moment stands in a column: at a record of it that is different, else at the first not before it."""
    here = [at for at in different if column.times[at] == time_ms]
    later = (at for at, at_ms in enumerate(column.times) if at_ms >= time_ms)
    return min(here) if here else next(later, len(column.times))
