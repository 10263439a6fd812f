"""A run's records as they are delivered: those of the simulation, with what its plan's stream faults do to them.

Theory of operation. Each record is due when it happens, or as much later as its faults say; records are delivered in
the order in which they are due, and those due at once in the order in which the world sent them. Event times stay as
they are. What is not due yet when the world's clock is at a batch's last record is held back: at most what happens in
the longest delays together, and its copies. What is still held at the end is delivered then.

Chance is a word a record: of the n-th record that an entity has in an hour, under a key that is the fault's own. So
neither other entities, nor other faults, nor where the stream is cut into batches move what a fault strikes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cta.faults.kinds import PART_BITS, WHOLE, Fates, Rows, strike
from cta.model.batch import Batch
from cta.model.time import HOUR_MS
from cta.network.network import Network
from cta.simulation.plan import Plan
from cta.simulation.randomness import words
from cta.simulation.run import simulate
from cta.simulation.stream_faults import AnyStreamFault

STREAM: Final = "stream_faults"
REST_RECORDS: Final = 100_000
"""What is delivered at the end comes in batches of so many, about a busy hour's."""


def delivered(
    network: Network, plan: Plan, *, from_ms: int | None = None, until_ms: int | None = None
) -> Iterator[Batch]:
    """The plan's records as delivered, those with from_ms <= event time < until_ms: the whole run's, cut there."""
    if not plan.stream_faults:
        return simulate(network, plan, from_ms=from_ms, until_ms=until_ms)
    whole_hour_ms = None if from_ms is None else from_ms // HOUR_MS * HOUR_MS  # chance counts an entity's records in it
    sent = simulate(network, plan, from_ms=whole_hour_ms, until_ms=until_ms)
    return (batch.within(from_ms, None) for batch in faulty(sent, plan.seed, plan.stream_faults))


def faulty(batches: Iterable[Batch], seed: int, faults: Iterable[AnyStreamFault]) -> Iterator[Batch]:
    """The batches' records, which are in the order of time, as the faults deliver them: as many batches, and the rest."""
    strikes = _Strikes(seed, faults)
    held = Batch.of(())
    due_ms: NDArray[np.int64] = np.empty(0, np.int64)
    for batch in batches:
        if not len(batch):
            yield batch
            continue
        arriving, arriving_due_ms = strikes.fates(batch).deliveries()
        held, due_ms = Batch.joined([held, arriving]), np.concatenate([due_ms, arriving_due_ms])
        order = np.argsort(due_ms, kind="stable")
        held, due_ms = held[order], due_ms[order]
        now = int(np.searchsorted(due_ms, batch.times[-1], "right"))
        yield held[:now].compact()
        held, due_ms = held[now:].compact(), due_ms[now:]
    for start in range(0, len(held), REST_RECORDS):
        yield held[start : start + REST_RECORDS].compact()


class _Strikes:
    """Draws which records the faults strike; keeps how many records each entity has had in the hour."""

    def __init__(self, seed: int, faults: Iterable[AnyStreamFault]) -> None:
        self._seed = seed
        self._faults: dict[int, list[AnyStreamFault]] = defaultdict(list)
        """By the topic's rank."""
        for fault in faults:
            self._faults[fault.topic.rank].append(fault)
        self._hour = -1
        self._met: Counter[tuple[int, str]] = Counter()

    def fates(self, batch: Batch) -> Fates:
        """What becomes of a batch's records; batches are given in the order of time."""
        fates = Fates(batch)
        concerned = {
            fault: np.array([fault.may_strike(content) for content in batch.contents], np.bool_)
            for faults in self._faults.values()
            for fault in faults
        }
        for hour, (rank, entity), rows in self._groups(batch):
            if hour != self._hour:
                self._hour = hour
                self._met.clear()
            first = self._met[rank, entity]
            self._met[rank, entity] += len(rows)
            times, codes = batch.times[rows], batch.codes[rows]
            for fault in self._faults[rank]:
                chosen = concerned[fault][codes] & (times >= fault.window.start_ms) & (times < fault.window.end_ms)
                if chosen.any():
                    drawn = words(self._seed, STREAM, f"{fault.chance}/{entity}", hour, first + len(rows))[first:]
                    chosen &= drawn >> np.uint64(PART_BITS) < np.uint64(round(fault.share * WHOLE))
                    strike(fault, fates, rows[chosen], drawn[chosen] & np.uint64(WHOLE - 1))
        return fates

    def _groups(self, batch: Batch) -> Iterator[tuple[int, tuple[int, str], Rows]]:
        """The batch's records of topics with faults, by hour, and by topic's rank and entity, in their order."""
        numbers: dict[tuple[int, str], int] = {}
        of_contents = [
            numbers.setdefault((content.topic.rank, content.entity), len(numbers))
            if content.topic.rank in self._faults
            else -1
            for content in batch.contents
        ]
        entities = list(numbers)
        column, hours = np.array(of_contents, np.intp)[batch.codes], batch.times // HOUR_MS
        rows = np.flatnonzero(column >= 0)
        rows = rows[np.lexsort((column[rows], hours[rows]))]
        ends = np.flatnonzero(np.diff(column[rows]) | np.diff(hours[rows])) + 1
        for group in np.split(rows, ends):
            if len(group):
                yield int(hours[group[0]]), entities[column[group[0]]], group
