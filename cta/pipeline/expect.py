"""What a scenario expects, judged on the stream as delivered.

`Expectations` watches the records go by and is asked once, at the end, with the run's own board. What is expected at a
moment is a fold of the records before it, in whatever order they come: counts are kept a stretch between moments, and
each moment at which the page is judged has a board of its own that takes in the arrivals before it. So whoever replays
has nothing to stop for: it folds every batch and asks for the results. Topics that no one asks about are passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.scenario import Scenario
from cta.model.topics import ALERTS, ARRIVALS, BY_SHORT, TURNSTILE, WEATHER, Topic
from cta.network.network import Network
from cta.pipeline.board import Board
from cta.pipeline.invariants import INVARIANTS
from cta.simulation.expected import BoardExpected, CountExpected, Expected, InvariantExpected, resolve_expectations
from cta.simulation.plan import Plan
from cta.simulation.references import References

Facets = tuple[str, str | None, int | None, str | None]
"""What a count can ask of a record: its topic's short name, line, station and status."""


@dataclass(frozen=True, slots=True)
class Result:
    """An expectation and what came of it, as the summary's table and ``--json`` show it."""

    name: str
    ok: bool
    expected: str
    actual: int

    def __str__(self) -> str:
        """``no train moves: expected exactly 0, actual 12``; a name that says what is expected says it once."""
        expected = "" if self.expected in self.name else f"expected {self.expected}, "
        return f"{self.name}: {expected}actual {self.actual}"


class Expectations:
    """A scenario's expectations over one run: fold every batch, then ask for the results.

    They are of the whole run: over a part of it, such as ``--from`` leaves, counts come out short.
    """

    def __init__(self, scenario: Scenario, plan: Plan, network: Network) -> None:
        references = References(network, "scenario", plan.window.start_ms, plan.window.end_ms, plan.lines)
        self._expected = resolve_expectations(scenario, references)
        counts = [each for each in self._expected if isinstance(each, CountExpected)]
        self._topics = {each.topic: BY_SHORT[each.topic] for each in counts}
        self._moments = np.array(sorted({each.at_ms for each in counts if each.at_ms is not None}), np.int64)
        self._tallies: list[Counter[Facets]] = [Counter() for _ in range(len(self._moments) + 1)]
        """Records by their facets: before the first moment, from it to the second, ..., from the last on."""
        self._boards = {
            each.at_ms: Board.for_network(network, plan.lines)
            for each in self._expected
            if isinstance(each, BoardExpected) and each.at_ms is not None
        }
        invariants = {each.invariant for each in self._expected if isinstance(each, InvariantExpected)}
        self._invariants = {name: make(plan) for name, make in INVARIANTS.items() if name in invariants}

    def fold(self, batch: Batch) -> None:
        """Take in the records delivered next."""
        if self._topics:
            for tally, part in self._stretches(batch):
                self._count(tally, part)
        for at_ms, board in self._boards.items():
            board.fold(batch[(batch.times < at_ms) & (batch.ranks() == ARRIVALS.rank)])
        for invariant in self._invariants.values():
            invariant.fold(batch)

    def results(self, board: Board) -> list[Result]:
        """What came of each expectation, in the scenario's order. ``board``: the run's own, at its end."""
        return [self._result(expected, board) for expected in self._expected]

    def _stretches(self, batch: Batch) -> Iterator[tuple[Counter[Facets], Batch]]:
        """The batch by the moments that its times lie between; mostly it lies between two as a whole."""
        if not len(batch):
            return
        first, last = np.searchsorted(self._moments, (batch.times.min(), batch.times.max()), "right").tolist()
        if first == last:
            yield self._tallies[first], batch
            return
        stretches = np.searchsorted(self._moments, batch.times, "right")
        for stretch in range(first, last + 1):
            yield self._tallies[stretch], batch[stretches == stretch]

    def _count(self, tally: Counter[Facets], batch: Batch) -> None:
        """Count by content, then add up: an hour's entries are a few hundred contents."""
        records_by_code = np.bincount(batch.codes, minlength=len(batch.contents)).tolist()
        for content, records in zip(batch.contents, records_by_code, strict=True):
            if records and self._topics.get(content.topic.short) is content.topic:
                tally[_facets(content)] += records

    def _result(self, expected: Expected, board: Board) -> Result:
        if isinstance(expected, InvariantExpected):
            broken = self._invariants[expected.invariant].broken
            return Result(expected.name, broken == 0, "0 records that break it", broken)
        if isinstance(expected, BoardExpected):
            actual = _trains_shown(expected, board if expected.at_ms is None else self._boards[expected.at_ms])
        else:
            actual = self._counted(expected)
        return Result(expected.name, expected.bounds.holds(actual), str(expected.bounds), actual)

    def _counted(self, expected: CountExpected) -> int:
        stretches = len(self._tallies)
        if expected.at_ms is not None:
            stretches = int(np.searchsorted(self._moments, expected.at_ms)) + 1
        wanted: Facets = (expected.topic, expected.line, expected.station_id, expected.status)
        tallied = chain.from_iterable(tally.items() for tally in self._tallies[:stretches])
        return sum(n for facets, n in tallied if _matches(wanted, facets))


def _facets(content: Content) -> Facets:
    topic: Topic = content.topic
    value = content.value
    if topic is ARRIVALS:
        return topic.short, value.line, value.station_id, value.train_status
    if topic is WEATHER:
        return topic.short, None, None, value.status
    assert topic in (TURNSTILE, ALERTS)
    return topic.short, value.line, value.station_id, None


def _matches(wanted: Facets, facets: Facets) -> bool:
    """Whether each thing that is asked for is so; None asks for nothing."""
    return all(want is None or want == have for want, have in zip(wanted, facets, strict=True))


def _trains_shown(expected: BoardExpected, board: Board) -> int:
    """The trains in the page's cells of the line, station and direction, with the status."""
    cells = [
        station[direction]
        for line in board.document()["lines"]
        if line["line"] == expected.line
        for station in line["stations"]
        if expected.station_id in (None, station["station_id"])
        for direction in ("a", "b")
        if expected.direction in (None, direction)
    ]
    return sum(expected.status in (None, train["status"]) for cell in cells for train in cell)
