"""A partition's records in order and each once, whatever a consumer makes of a rebalance.

Around a rebalance Faust may hand out a record that is ahead of those it will read again, and counting by "beyond the last
offset" would then pass over what comes behind. So the worker keeps the place itself: it takes the record that it expects,
passes over what it has had, and sends the consumer back where records are missing. A gap that is still there after that
is the log's own (records deleted, or a transaction's marks), and is stepped over.
"""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    TAKE = "the one expected"
    PASS = "had before, or its turn comes later"
    BACK = "records before it are missing: go back to `InOrder.expected`"


class InOrder:
    """``expected``: the offset of the next record to take."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self._gap_end: int | None = None
        """The record behind a gap that the consumer was sent back for."""

    def see(self, offset: int) -> Verdict:
        """What to do with the record at an offset. After `BACK` the consumer is to read from ``expected`` again."""
        if offset < self.expected:
            return Verdict.PASS
        if offset == self.expected or offset == self._gap_end:
            self.expected, self._gap_end = offset + 1, None
            return Verdict.TAKE
        if self._gap_end is not None and offset > self._gap_end:
            return Verdict.PASS
        self._gap_end = offset
        return Verdict.BACK
