from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.simulation.noise import COUNT_WORDS, MICRO, NORMAL_ONE, NORMAL_WORDS, counts, most, normals
from cta.simulation.randomness import words

SIGMAS = 4


def test_normals_have_mean_0_and_variance_1() -> None:
    """Over 100,000 draws, mean and variance are within sampling error of the standard normal's."""
    n = 100_000
    drawn = normals(words(1, "test", "normals", 0, n * NORMAL_WORDS).reshape(n, NORMAL_WORDS)) / NORMAL_ONE

    assert abs(drawn.mean()) < SIGMAS / sqrt(n)
    assert abs(drawn.var() - 1) < SIGMAS * sqrt(2 / n)


def test_normals_end_at_six() -> None:
    """The least and the greatest words give numbers just within six deviations, one the other's negative."""
    least, greatest = normals(np.array([[0] * NORMAL_WORDS, [2**64 - 1] * NORMAL_WORDS], np.uint64)).tolist()

    assert (least, greatest) == (-6 * 0xFFFF, 6 * 0xFFFF)


@pytest.mark.parametrize("mean", [0.01, 0.5, 3.25, 35.999999, 36, 100.7, 4000.3])
def test_counts_have_the_mean_and_a_poisson_variance(mean: float) -> None:
    """Mean within sampling error, variance too but for the quarter at most that rounding by chance adds from 36 on."""
    n = 40_000
    means = np.full(n, round(mean * MICRO))
    drawn = counts(means, words(2, "test", str(mean), 0, n * COUNT_WORDS).reshape(n, COUNT_WORDS))

    rounding = 0.25 if mean >= 36 else 0
    assert abs(drawn.mean() - mean) < SIGMAS * sqrt((mean + rounding) / n)
    assert -SIGMAS * sqrt((mean + 2 * mean**2) / n) < drawn.var() - mean
    assert drawn.var() - mean < rounding + SIGMAS * sqrt((mean + 2 * mean**2) / n)


def test_a_mean_of_nought_is_never_counted() -> None:
    """A station without riders has none, whatever the words."""
    drawn = counts(np.zeros(3, np.int64), np.array([[0] * 4, [2**63] * 4, [2**64 - 1] * 4], np.uint64))

    assert drawn.tolist() == [0, 0, 0]


@given(
    mean=st.integers(0, 2**40 - 1) | st.integers(0, 50 * MICRO),
    drawn=st.lists(st.sampled_from([0, 2**64 - 1]) | st.integers(0, 2**64 - 1), min_size=4, max_size=4),
)
def test_counts_lie_between_nought_and_most(mean: int, drawn: list[int]) -> None:
    """However extreme the words, a count is not negative and there is room for it."""
    means = np.array([mean])

    assert 0 <= int(counts(means, np.array([drawn], np.uint64))[0]) <= int(most(means)[0])
