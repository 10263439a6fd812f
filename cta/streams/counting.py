"""Counting a station's entries exactly, though Kafka may deliver any of them again.

An entry has no id, so the place where it stands is its identity: a state keeps the count together with the last offset
counted in each partition, and passes over what isn't beyond it. Count and offsets are one value and travel as one record
of the changelog, so that no crash can part them: whatever state a worker wakes up with, reading on from anywhere at or
before it gives the same counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class State(msgspec.Struct):
    """A station's entries so far. ``offsets``: the last offset counted, by partition."""

    count: int = 0
    offsets: dict[int, int] = {}

    def counted(self, partition: int, offsets: Iterable[int]) -> State:
        """The state after the entries at those offsets, which do not go back; those counted before count nothing."""
        last = self.offsets.get(partition, -1)
        count = self.count
        for offset in offsets:
            if offset > last:
                last, count = offset, count + 1
        return State(count, {**self.offsets, partition: last})

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)


def decoded(state: bytes | None) -> State:
    """The state as the changelog has it; None is a station that nobody has entered."""
    return State() if state is None else msgspec.json.decode(state, type=State)
