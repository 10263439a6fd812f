"""The longest common subsequence, against the textbook's table."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.recording import matching
from cta.recording.matching import Column, Match, longest_common, match

words = st.lists(st.integers(0, 3), max_size=12)


def table(a: list[int], b: list[int]) -> int:
    """The length of the longest common subsequence, cell by cell."""
    lengths = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if x == y else max(lengths[i][j + 1], lengths[i + 1][j])
    return lengths[-1][-1]


def common(a: list[int], b: list[int]) -> int:
    """The length of what `longest_common` finds, held to be a common subsequence."""
    pairs = longest_common(a, b)
    assert all(a[i] == b[j] for i, j in pairs)
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in pairwise(pairs))
    return len(pairs)


@given(words, words)
def test_the_common_subsequence_is_the_longest(a: list[int], b: list[int]) -> None:
    """Within the bound of edits nothing longer is common to both."""
    assert common(a, b) == table(a, b)


@given(words, words)
def test_beyond_the_bound_it_is_still_common_and_finds_what_is_there_once(a: list[int], b: list[int]) -> None:
    """Without any edits allowed the rest is found by occurrence: exact where no element comes twice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "MOST_EDITS", 0)
        assert common(a, b) <= table(a, b)
        once_a, once_b = list(dict.fromkeys(a)), list(dict.fromkeys(b))
        assert common(once_a, once_b) == table(once_a, once_b)


def test_long_columns_of_which_little_differs_take_linear_time() -> None:
    """A quarter of a million squared would not return."""
    times = list(range(200_000))
    codes = [0] * 200_000
    other = [time_ms for time_ms in times if time_ms % 1_000]
    found = match(Column(times, codes), Column(other, codes[: len(other)]), lambda code: None)
    assert found == Match([], [], list(range(0, 200_000, 1_000)), [])


def test_a_capture_whose_times_go_back_is_matched_in_its_own_order() -> None:
    """A record lost of many out of order is one record lost."""
    times = [time_ms ^ 1 for time_ms in range(10_000)]
    codes = [0] * 10_000
    lost = [*range(500), *range(501, 10_000)]
    found = match(Column(times, codes), Column([times[i] for i in lost], [codes[i] for i in lost]), lambda code: None)
    assert found == Match([], [], [500], [])
