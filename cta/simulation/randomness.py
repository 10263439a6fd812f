"""Counter-based chance: any station's hour, any trip, any day is drawn without what came before.

NumPy's Philox gives raw 64-bit words under a key that is a hash of (seed, stream, entity, counter); NumPy promises
those words for ever (its stream compatibility guarantee covers bit generators, not distributions), so everything from
a word to a number is integer arithmetic of ours. Words are taken apart by value: shifts and masks, or a view
of what is explicitly little-endian.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random import Philox
from numpy.typing import NDArray

_ZERO_COUNTER = np.zeros(4, np.uint64)
_idle: list[tuple[Philox, Any]] = []
"""Generators and their states, out of use. Making one costs more than the words of a station's hour; taking one out of
a list and putting it back is atomic, so that two threads never share one."""


def words(seed: int, stream: str, entity: str | int, counter: int, n: int) -> NDArray[np.uint64]:
    """``n`` independent uniform 64-bit words, uint64[n], a function of the arguments alone."""
    digest = blake2b(f"{seed}\x1f{stream}\x1f{entity}\x1f{counter}".encode(), digest_size=16).digest()
    try:
        philox, state = _idle.pop()
    except IndexError:
        philox, state = _generator()
    state["state"]["key"] = np.array(
        [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")], np.uint64
    )
    philox.state = state
    drawn = philox.random_raw(n)
    _idle.append((philox, state))
    return drawn


def _generator() -> tuple[Philox, Any]:
    """A generator, and the state to set it to, but for the key: counter at zero, nothing left over from words before."""
    philox = Philox(key=0)
    state: Any = philox.state
    state["state"]["counter"] = _ZERO_COUNTER
    state["buffer_pos"] = 4
    state["has_uint32"] = 0
    return philox, state


def below(words: NDArray[np.uint64], bound: int) -> NDArray[np.int64]:
    """Integers in [0, bound), int64[n], from each word's upper 32 bits; bound at most 2**31 (bias under 2**-20 for 4096)."""
    return (((words >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)
