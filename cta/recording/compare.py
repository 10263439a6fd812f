"""How two streams of records differ: by topic and key, and by the order within the key.

The digests come first: where they are equal there is nothing to say, and where they are not, their chains name the keys
that differ. Only those keys' records are read again, and matched key by key (`matching`). A record is kept as a time
and a code, 12 bytes, for so many keys at once as have `GROUP_RECORDS` records; where more differ, the streams are read
once more for each further group. So memory is bounded by a group, or by the largest single key, however long the
streams are, but for 4 bytes a record that moved; two full days of different seeds are one group.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from cta.model.batch import Batch, Content
from cta.model.topics import RECORDED, Topic
from cta.recording.differences import Differences, Divergence, Tally, fields_of
from cta.recording.digest import Digest
from cta.recording.matching import Column

GROUP_RECORDS: Final = 1 << 21
"""Of both streams together: 25 MB."""

Stream = Callable[[], Iterator[Batch]]
"""Makes the stream's batches anew."""


@dataclass(frozen=True)
class Comparison:
    """What two streams have in common and what not. Streams are the same when nothing is ``different``."""

    a: Digest
    b: Digest
    """Of the streams as they were given, nothing ignored."""
    tallies: dict[tuple[Topic, str], Tally]
    """By topic and entity, those with differences, in the order of topic and entity."""
    first: Divergence | None
    outside: int
    """Of the missing and the extra records, those outside the window that both runs were said to have."""
    exact: bool
    """Whether nothing was ignored or tolerated."""

    @property
    def different(self) -> bool:
        return bool(self.tallies)

    @property
    def total(self) -> int:
        """How many differences there are."""
        return sum(tally.total for tally in self.tallies.values())

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
    matched: Callable[[int, int], None] = lambda keys, of: None,
) -> Comparison:
    """Compare two streams. ``ignore``: fields of values, ``temperature`` or ``weather.temperature``, taken as equal.

    ``tolerance_ms``: records of equal content so far apart or nearer are the same. ``within``: both runs' common window
    (start_ms, end_ms), for ``outside``. ``matched`` is told how many keys are, of how many that differ.
    """
    given = [_digest(stream) for stream in (a, b)]
    streams = [_ignoring(stream, ignore) if ignore else stream for stream in (a, b)]
    compared = [_digest(stream) for stream in streams] if ignore else given
    differences = Differences(tolerance_ms, within)
    groups = list(_groups(*(digest.chains() for digest in compared)))
    differing, done = sum(map(len, groups)), 0
    for keys in groups:
        contents = _Contents()
        columns = [_columns(stream, keys, contents) for stream in streams]
        for key in keys:
            differences.look(columns[0][key].column(), columns[1][key].column(), contents.known)
            done += 1
            matched(done, differing)
    tallies = sorted(differences.tallies.items(), key=lambda item: (item[0][0].rank, item[0][1]))
    exact = not ignore and tolerance_ms is None
    return Comparison(given[0], given[1], dict(tallies), differences.first(), differences.outside, exact)


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
    blanks = {name: None for name in fields_of(content.value) if name in ignore or f"{short}.{name}" in ignore}
    return Content(content.topic, content.key, msgspec.structs.replace(content.value, **blanks)) if blanks else content


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
