"""What two streams' records of one key differ in: counted, and the earliest of it in its surroundings."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal

import msgspec
import numpy as np

from cta.model.batch import Content
from cta.model.topics import ARRIVALS, BY_NAME, RECORDED, Topic
from cta.recording.matching import Column, Match, match

SURROUNDING_RECORDS: Final = 3
"""How many records of the key are shown before and after the first divergence, on each side."""

PLACES: Final[Mapping[Topic, tuple[str, ...]]] = {ARRIVALS: ("station_id", "direction")}
"""The fields that say what a record is about, beyond its key: records of one key that differ in them are not one record
changed."""

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


class Differences:
    """Counts what each key's match leaves, and keeps the earliest of it."""

    def __init__(self, tolerance_ms: int | None, within: tuple[int, int] | None) -> None:
        self.tallies: dict[tuple[Topic, str], Tally] = {}
        self.outside = 0
        self._tolerance_ms = tolerance_ms
        self._within = within
        self._first: tuple[tuple[int, int, str], Divergence] | None = None

    def first(self) -> Divergence | None:
        return None if self._first is None else self._first[1]

    def look(self, a: Column, b: Column, contents: list[Content]) -> None:
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
    return [name for name in fields_of(a.value) if getattr(a.value, name) != getattr(b.value, name)]


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


def fields_of(value: Any) -> Sequence[str]:
    """The names of a value's fields; none where no schema explains it."""
    return value.__struct_fields__ if isinstance(value, msgspec.Struct) else ()
