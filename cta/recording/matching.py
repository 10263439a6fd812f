"""Which record of one stream is which record of another, for the records of one topic and key.

The rule. Records that are equal in time and content, and in the same order, are the same. What is left is paired
off in passes, each over what the pass before has left:

1. equal content at the same time: out of order by then, moved by nothing;
2. any content at the same time: changed;
3. equal content at most `REACH_MS` apart: moved;
4. the same place (a train's stop, say), at most `REACH_MS` apart: changed, and moved if the times differ.

The rest is missing or extra. Under a tolerance, records of equal content within it are the same in any order.

Why it is linear. Where times don't go back within a key, equal records can only be found among those of one time: the
longest common subsequence of the whole is that of each instant, one after the other, and an instant has a record or
two. Where one has many, of several contents, or where times do go back (a capture of a broker), it is found by Myers'
algorithm up to `MOST_EDITS` edits. Beyond them the n-th record of a kind is held against the n-th on the other side, and
the longest run of these that is in order stands for it.

Passes pair what carries the same label first in, first out where both sides have as many of it: a delay moves all
alike. Else the nearest are paired first, roughly: within a second, ten, a minute, ten, an hour. All of it looks the same
from both sides: matching b with a gives the same pairs the other way round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from cta.model.time import HOUR_MS, MINUTE_MS, SECOND_MS
from cta.recording.salvage import longest_rise

REACH_MS: Final = HOUR_MS
"""How far a record is looked for. Ours: beyond most delays and within most trains' laps, after which a record recurs."""

SCALES_MS: Final = (SECOND_MS, 10 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, REACH_MS)

MOST_EDITS: Final = 128
"""Of records of one time that are searched for the longest common subsequence, quadratic in this."""

Label = Callable[[int], object]
"""What two records must have in common to be paired, by the code of their content."""


@dataclass(frozen=True, slots=True)
class Column:
    """The records of one key: epoch milliseconds, and a code a content. Lists of one length."""

    times: list[int]
    codes: list[int]

    def goes_back(self) -> bool:
        return any(after < before for before, after in pairwise(self.times))


@dataclass(frozen=True, slots=True)
class Match:
    """Indices into the two columns, rising in a. Records that stand in none of these are the same in both."""

    changed: list[tuple[int, int]]
    """Another content; perhaps another time too."""
    moved: list[tuple[int, int]]
    """The same content at another time, or in another order."""
    only_a: list[int]
    only_b: list[int]


def match(a: Column, b: Column, place: Label, tolerance_ms: int | None = None) -> Match:
    """Match two columns over the same codes. ``place``: what a content is about, for the last pass."""
    left = _Left(a, b)
    if tolerance_ms is None:
        left.drop_equal()
    left.sort()
    if tolerance_ms is not None:
        left.pair(_content, tolerance_ms)
    moved = left.pair(_content, 0)
    changed = left.pair(_anything, 0)
    moved += left.pair(_content, REACH_MS)
    changed += left.pair(place, REACH_MS)
    return Match(sorted(changed), sorted(moved), left.a, left.b)


def _content(code: int) -> object:
    return code


def _anything(code: int) -> object:
    return None


class _Left:
    """The indices of both columns' records that no pass has paired yet, in the order of time."""

    def __init__(self, a: Column, b: Column) -> None:
        self._a, self._b = a, b
        self.a = list(range(len(a.times)))
        self.b = list(range(len(b.times)))

    def drop_equal(self) -> None:
        """Takes out the longest common subsequence of (time, content)."""
        a, b = self._a, self._b
        if a.goes_back() or b.goes_back():
            self._drop(longest_common(_tokens(a), _tokens(b)))
            return
        i = j = 0
        left_a: list[int] = []
        left_b: list[int] = []
        while i < len(a.times) and j < len(b.times):
            if a.times[i] < b.times[j]:
                left_a.append(i)
                i += 1
            elif b.times[j] < a.times[i]:
                left_b.append(j)
                j += 1
            else:
                i_end, j_end = _instant(a.times, i), _instant(b.times, j)
                common = longest_common(a.codes[i:i_end], b.codes[j:j_end])
                same_a, same_b = {i + at for at, _ in common}, {j + at for _, at in common}
                left_a += [at for at in range(i, i_end) if at not in same_a]
                left_b += [at for at in range(j, j_end) if at not in same_b]
                i, j = i_end, j_end
        self.a = left_a + list(range(i, len(a.times)))
        self.b = left_b + list(range(j, len(b.times)))

    def sort(self) -> None:
        self.a.sort(key=self._a.times.__getitem__)
        self.b.sort(key=self._b.times.__getitem__)

    def _drop(self, pairs: list[tuple[int, int]]) -> None:
        paired_a, paired_b = {i for i, _ in pairs}, {j for _, j in pairs}
        self.a = [i for i in self.a if i not in paired_a]
        self.b = [j for j in self.b if j not in paired_b]

    def pair(self, label: Label, reach_ms: int) -> list[tuple[int, int]]:
        """Takes out and returns pairs of one label, at most ``reach_ms`` apart."""
        if not (self.a and self.b):
            return []
        labels_a, labels_b = _by_label(self._a, self.a, label), _by_label(self._b, self.b, label)
        pairs: list[tuple[int, int]] = []
        for name, left_a in labels_a.items():
            if name in labels_b:
                pairs += self._pair_alike(left_a, labels_b[name], reach_ms)
        self._drop(pairs)
        return pairs

    def _pair_alike(self, left_a: list[int], left_b: list[int], reach_ms: int) -> list[tuple[int, int]]:
        times_a, times_b = self._a.times, self._b.times
        if len(left_a) == len(left_b):
            pairs = list(zip(left_a, left_b, strict=True))
            if all(abs(times_a[i] - times_b[j]) <= reach_ms for i, j in pairs):
                return pairs
        pairs = []
        for scale_ms in [scale for scale in SCALES_MS if scale < reach_ms] + [reach_ms]:
            near = _first_in_first_out(times_a, times_b, left_a, left_b, scale_ms)
            pairs += near
            paired_a, paired_b = {i for i, _ in near}, {j for _, j in near}
            left_a = [i for i in left_a if i not in paired_a]
            left_b = [j for j in left_b if j not in paired_b]
        return pairs


def _tokens(column: Column) -> list[tuple[int, int]]:
    return list(zip(column.times, column.codes, strict=True))


def _instant(times: list[int], start: int) -> int:
    """Where the records of the time at ``start`` end."""
    stop = start + 1
    while stop < len(times) and times[stop] == times[start]:
        stop += 1
    return stop


def _by_label(column: Column, left: list[int], label: Label) -> dict[object, list[int]]:
    groups: dict[object, list[int]] = defaultdict(list)
    for i in left:
        groups[label(column.codes[i])].append(i)
    return groups


def _first_in_first_out(
    times_a: list[int], times_b: list[int], left_a: list[int], left_b: list[int], reach_ms: int
) -> list[tuple[int, int]]:
    """As many pairs at most ``reach_ms`` apart as there can be, in order on both sides."""
    pairs = []
    i = j = 0
    while i < len(left_a) and j < len(left_b):
        apart_ms = times_b[left_b[j]] - times_a[left_a[i]]
        if abs(apart_ms) <= reach_ms:
            pairs.append((left_a[i], left_b[j]))
        i += apart_ms >= -reach_ms
        j += apart_ms <= reach_ms
    return pairs


def longest_common(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Index pairs, rising on both sides, of the longest common subsequence; past `MOST_EDITS` edits, of a long one."""
    start = 0
    while start < len(a) and start < len(b) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[len(a) - 1 - end] == b[len(b) - 1 - end]:
        end += 1
    middle = _myers(a[start : len(a) - end], b[start : len(b) - end])
    return [
        *((at, at) for at in range(start)),
        *((start + x, start + y) for x, y in middle),
        *((len(a) - at, len(b) - at) for at in range(end, 0, -1)),
    ]


def _myers(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Myers, An O(ND) difference algorithm (1986): the greedy search forward, then the way back through its steps."""
    if not (a and b):
        return []
    furthest = {1: 0}
    steps: list[dict[int, int]] = []
    for edits in range(min(MOST_EDITS, len(a) + len(b)) + 1):
        steps.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(a) and x - k >= len(b):
                return _way_back(steps, len(a), len(b))
    return _in_order(a, b)


def _way_back(steps: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs = []
    for edits in range(len(steps) - 1, -1, -1):
        furthest, k = steps[edits], x - y
        down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if down else k - 1
        from_x = furthest[before] if edits else 0
        from_y = from_x - before if edits else 0
        while x > from_x and y > from_y:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = from_x, from_y
    return pairs[::-1]


def _in_order(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The n-th of each kind in a with the n-th in b: the longest rising run of these pairs (patience sorting)."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j in range(len(b) - 1, -1, -1):
        places[b[j]].append(j)
    pairs = [(i, places[kind].pop()) for i, kind in enumerate(a) if places.get(kind)]
    return [pairs[at] for at in longest_rise([j for _, j in pairs])]
