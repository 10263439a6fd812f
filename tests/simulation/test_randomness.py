"""Words are a function of what they are drawn under, whoever else draws at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cta.simulation.randomness import below, words


@given(st.integers(0, 2**53), st.text(max_size=5), st.integers(1, 50), st.integers(1, 50))
def test_fewer_words_are_the_first_of_more(seed: int, entity: str, some: int, more: int) -> None:
    """How many are drawn does not change what they are."""
    assert words(seed, "s", entity, 1, some + more)[:some].tolist() == words(seed, "s", entity, 1, some).tolist()


def test_the_words_are_philoxs() -> None:
    """To the bit, for ever: NumPy promises the raw words of a key, and the key is a hash of ours."""
    assert words(1, "a", "b", 3, 2).tolist() == [18190209890463513526, 3227867200051494794]


def test_threads_do_not_disturb_each_other() -> None:
    """Two simulations in one process draw what each would draw alone."""
    alone = [words(7, "s", entity, 0, 40).tolist() for entity in range(300)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda entity: words(7, "s", entity, 0, 40).tolist(), [*range(300)] * 20))
    assert together == alone * 20


@given(st.integers(1, 2**31), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_below_stays_below(bound: int, drawn: list[int]) -> None:
    """Every word gives a whole number from 0 up to, and without, the bound."""
    numbers = below(np.array(drawn, np.uint64), bound)
    assert all(0 <= number < bound for number in numbers.tolist())
