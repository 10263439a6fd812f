"""Stream faults of a plan: which records each may strike, and what becomes of one that it strikes.

A record's fate is of its own making: each fault looks at the record as the world sent it, whatever other faults do to
it. So what they do adds up, in any order: a record that one fault drops never comes, its copies come as late as it does
and are cut where it is, delays add up. Taking a fault away leaves what the others strike as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.model.topics import Topic
from cta.simulation.world_faults import Window

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


@dataclass(frozen=True)
class StreamFault:
    """Strikes a ``share`` of the topic's records in the window of event time; None: of any line, station, train."""

    topic: Topic
    line: str | None
    station_id: int | None
    train_id: str | None
    window: Window
    share: float

    @property
    def late(self) -> bool:
        """Whether records come later than their time."""
        return False

    @property
    def chance(self) -> str:
        """What its chance is keyed by, beside seed, entity and hour: a larger share strikes what a smaller one does, and more."""
        where = f"{self.topic.short}/{self.line}/{self.station_id}/{self.train_id}"
        return f"{type(self).__name__}/{where}/{self.window.start_ms}"

    def may_strike(self, content: Content) -> bool:
        """Whether it is about such records, at any time."""
        value = content.value
        return (
            content.topic is self.topic
            and (self.line is None or value.line == self.line)
            and (self.station_id is None or value.station_id == self.station_id)
            and (self.train_id is None or value.train_id == self.train_id)
        )

    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        """Do it to these rows; ``drawn``: a number below 2**32 for each."""
        raise NotImplementedError


@dataclass(frozen=True)
class Duplicate(StreamFault):
    copies: int
    delay_ms: int

    @property
    def late(self) -> bool:
        return self.delay_ms > 0

    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        fates.copies.append((np.repeat(rows, self.copies), self.delay_ms))


@dataclass(frozen=True)
class Delay(StreamFault):
    delay_ms: int

    @property
    def late(self) -> bool:
        return True

    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        fates.late_ms[rows] += self.delay_ms


@dataclass(frozen=True)
class Reorder(StreamFault):
    within_ms: int

    @property
    def late(self) -> bool:
        return True

    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        fates.late_ms[rows] += (drawn * np.uint64(self.within_ms) >> np.uint64(PART_BITS)).astype(np.int64)


@dataclass(frozen=True)
class Drop(StreamFault):
    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        fates.lost[rows] = True


@dataclass(frozen=True)
class Corrupt(StreamFault):
    def strike(self, fates: Fates, rows: Rows, drawn: Drawn) -> None:
        fates.cut[rows] = np.minimum(fates.cut[rows], drawn.astype(np.int64))
