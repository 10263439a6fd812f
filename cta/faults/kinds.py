"""What becomes of a record that stream faults strike.

A record's fate is of its own making: each fault looks at the record as the world sent it, whatever other faults do to
it. So what they do adds up, in any order: a record that one fault drops never comes, its copies come as late as it does
and are cut where it is, delays add up. Taking a fault away leaves what the others strike as it was.
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec
import numpy as np
from numpy.typing import NDArray

from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.simulation.stream_faults import AnyStreamFault, Corrupt, Delay, Drop, Duplicate, Reorder

Rows = NDArray[np.intp]
Drawn = NDArray[np.uint64]

PART_BITS: Final = 32
"""A drawn word's upper half says whether a record is struck; a number drawn below 2**32, its lower half, says how."""
WHOLE: Final = 1 << PART_BITS


class Fates:
    """What is to become of a batch's records: columns of as many rows."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self.late_ms = np.zeros(len(batch), np.int64)
        self.lost = np.zeros(len(batch), np.bool_)
        self.cut = np.full(len(batch), WHOLE, np.int64)
        """Where the value ends, in parts of 2**32 of its length."""
        self.copies: list[tuple[Rows, int]] = []
        """Rows that come once more, and how much later in milliseconds."""

    def deliveries(self) -> tuple[Batch, NDArray[np.int64]]:
        """What is delivered of the batch, copies behind their records, and when each is due, int64[n] epoch milliseconds."""
        everything: Rows = np.arange(len(self._batch))
        rows = np.concatenate([everything, *(rows for rows, _ in self.copies)])
        late_ms = np.concatenate([self.late_ms, *(self.late_ms[rows] + later_ms for rows, later_ms in self.copies)])
        kept = np.flatnonzero(~self.lost[rows])
        order = kept[np.argsort(rows[kept], kind="stable")]
        batch = self._with_cut_values()[rows[order]]
        return batch, batch.times + late_ms[order]

    def _with_cut_values(self) -> Batch:
        batch = self._batch
        struck = np.flatnonzero(self.cut < WHOLE)
        if not len(struck):
            return batch
        codes, contents = batch.codes.copy(), list(batch.contents)
        for row in struck.tolist():
            codes[row] = len(contents)
            contents.append(cut_short(batch.contents[batch.codes[row]], int(self.cut[row])))
        return Batch(batch.times, codes, contents)


def cut_short(content: Content, cut: int) -> Content:
    """The content with the beginning of its value's JSON as its value: bytes that are neither JSON nor framed Avro.

    At least one byte is left and at least one is gone; ``cut``, below 2**32, says how many. The key, and with it the
    partition, is what it was.
    """
    text = msgspec.json.encode(content.value)
    value = Raw.of(text[: 1 + ((len(text) - 1) * cut >> PART_BITS)])
    return Content(foreign(content.topic.name), content.key, value)


def strike(fault: AnyStreamFault, fates: Fates, rows: Rows, drawn: Drawn) -> None:
    """What the fault does to these rows; ``drawn``: a number below 2**32 for each."""
    match fault:
        case Duplicate():
            fates.copies.append((np.repeat(rows, fault.copies), fault.delay_ms))
        case Delay():
            fates.late_ms[rows] += fault.delay_ms
        case Reorder():
            fates.late_ms[rows] += (drawn * np.uint64(fault.within_ms) >> np.uint64(PART_BITS)).astype(np.int64)
        case Drop():
            fates.lost[rows] = True
        case Corrupt():
            fates.cut[rows] = np.minimum(fates.cut[rows], drawn.astype(np.int64))
        case _:
            assert_never(fault)
