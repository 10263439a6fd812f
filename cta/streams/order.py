"""A partition's records in order and each once, whatever a consumer makes of a rebalance.

Around a rebalance Faust may hand out a record that is ahead of those it will read again, or drop some that it has read
for read; counting by "beyond the last offset" would then pass over what comes behind. So the worker keeps the place
itself: it takes the record that it expects, passes over what it has had, and waits for the consumer to be sent back where
records are missing. A gap that is still there then is the log's own (deleted, compacted away, or a transaction's mark),
and is stepped over.
"""

from __future__ import annotations


class InOrder:
    """``expected``: the offset of the next record to take.

    ``dense``: the log has no gaps of its own, as far as anybody knows; each is looked at. In a compacted log they are
    usual, and only the first record is, for it is around a rebalance that records go missing.
    """

    def __init__(self, expected: int, *, dense: bool = True) -> None:
        self.expected = expected
        self._dense = dense
        self._begun = False
        self._gap_end: int | None = None
        """The record behind a gap: seen again after going back, it shows that the gap is the log's own."""

    @property
    def is_waiting(self) -> bool:
        """Records are missing: the consumer is to go back to ``expected``."""
        return self._gap_end is not None

    def take(self, offset: int) -> bool:
        """Whether it is the turn of the record at an offset."""
        if offset < self.expected:
            return False
        usual = self._begun and not self._dense and not self.is_waiting
        if offset not in (self.expected, self._gap_end) and not usual:
            self._gap_end = self._gap_end or offset
            return False
        self.expected, self._gap_end, self._begun = offset + 1, None, True
        return True
