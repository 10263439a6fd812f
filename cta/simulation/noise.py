"""Numbers from raw words by integer arithmetic alone: near-normal draws, and counts around a mean.

A count is Poisson, from the inverted distribution, where its mean is small; from 36 on it is normal noise of the same
variance, rounded up by chance so that no mean is lost. 36 because the noise stays within six deviations: there, and
from there on, the least count is nought. Means are in millionths (micro), so that any platform has the same.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

MICRO: Final = 1_000_000
NORMAL_ONE: Final = 1 << 16
"""What `normals` calls 1."""
NORMAL_WORDS: Final = 3
COUNT_WORDS: Final = NORMAL_WORDS + 1

_PIECES: Final = 4 * NORMAL_WORDS
_PIECE_MASK: Final = np.uint64(0xFFFF)
_NORMAL_FROM: Final = 36 * MICRO
_TAIL: Final = 12  # a Poisson count of mean m is above m + 6 sqrt(m) + 12 less than once in 10**11


def normals(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Near-normal numbers of mean 0 and variance 1, within six of 0, in 65536ths: int64[n] from uint64[n, 3].

    The sum of twelve uniform 16-bit pieces (Irwin-Hall): each has variance (2**32 - 1) / 12, the sum one of 65536**2.
    """
    pieces = [(words >> np.uint64(shift)) & _PIECE_MASK for shift in (0, 16, 32, 48)]
    total: NDArray[np.int64] = (pieces[0] + pieces[1] + pieces[2] + pieces[3]).sum(axis=1).astype(np.int64)
    return total - _PIECES * 0xFFFF // 2


def counts(means_micro: NDArray[np.int64], words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Counts of mean and variance ``means_micro`` (int64[n], under 2**40), int64[n], from words uint64[n, 4]."""
    noise = _deviations_micro(means_micro) * normals(words[:, :NORMAL_WORDS]) // NORMAL_ONE
    rounding = ((words[:, NORMAL_WORDS] >> np.uint64(32)) * np.uint64(MICRO) >> np.uint64(32)).astype(np.int64)
    drawn: NDArray[np.int64] = (means_micro + noise + rounding) // MICRO
    for row in np.flatnonzero(means_micro < _NORMAL_FROM).tolist():
        drawn[row] = _poisson(int(means_micro[row]), int(words[row, NORMAL_WORDS]))
    return drawn


def most(means_micro: NDArray[np.int64]) -> NDArray[np.int64]:
    """The largest count that `counts` can draw around each mean, or somewhat more, int64[n]."""
    return (means_micro + 6 * _deviations_micro(means_micro)) // MICRO + _TAIL


def _deviations_micro(means_micro: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([isqrt(mean * MICRO) for mean in means_micro.tolist()], np.int64)


def _poisson(mean_micro: int, word: int) -> int:
    table = _poisson_table(mean_micro)
    return bisect_right(table, table[-1] * word >> 64)


@lru_cache(maxsize=2048)
def _poisson_table(mean_micro: int) -> tuple[int, ...]:
    """Running totals of mean**k / k!, k = 0, 1, ...: the distribution but for its scale, which needs no exp()."""
    weights = [1 << 64]
    for k in range(1, int(most(np.array([mean_micro]))[0]) + 1):
        weights.append(weights[-1] * mean_micro // (k * MICRO))
    return tuple(accumulate(weights))
