"""A case's trains, watched: every movement and every record, for the laws to be held against."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import example, given

from cta.model.batch import Content
from cta.model.scenario import Breakdown, Closure, Scenario, SlowZone, Surge
from cta.network.load import chicago
from cta.network.network import Network
from cta.simulation.movement import Movement
from cta.simulation.plan import Plan, resolve
from cta.simulation.trains import Trains
from cta.testing.documents import Case, case
from cta.testing.scenarios import cases

T = TypeVar("T")


@dataclass(frozen=True)
class Watched:
    """``arrivals``: (time_ms, content) of the plan's window; ``movements``: all, also before it."""

    network: Network
    plan: Plan
    trains: Trains
    movements: list[Movement]
    arrivals: list[tuple[int, Content]]

    def hops(self) -> Iterator[tuple[tuple[int, int], Movement, Movement]]:
        """Each run over an edge: (from stop, to stop), the movement that it began with and the one that it ended with."""
        for _, moves in grouped(self.movements, lambda move: move.train_id):
            for before, after in itertools.pairwise(moves):
                if after.call == before.call + 1:
                    yield (before.stop_id, after.stop_id), before, after


BUSY = Scenario(
    name="busy",
    seed=7,
    start="2026-05-13T06:30:00-05:00",
    duration="PT2H",
    faults=[
        Breakdown("brown", "Merchandise Mart", "b", "07:10", "PT25M"),
        Breakdown("blue", "Clark/Lake", "a", "07:40", "PT15M"),
        Closure("State/Lake", "07:00", "PT1H"),
        SlowZone("green", "Roosevelt", "35th-Bronzeville-IIT", 2.0, "06:45", "PT1H"),
        Surge("Addison (Red)", 5.0, "08:00", "PT20M"),
    ],
)
"""Chicago's morning with most things wrong that can be."""

OUT_OF_SLOW = Scenario(
    name="out_of_slow",
    seed=3,
    start="2026-05-13T07:00:00-05:00",
    duration="PT1H",
    lines=["blue"],
    faults=[SlowZone("blue", "O'Hare", "Rosemont", 6.0, "07:00", "PT20M")],
)
"""Trains that enter an edge when its slow zone has ended, behind one that still crawls along it."""


IN_AND_OUT = case((Path(__file__).parent / "cases" / "in_and_out_at_once.json").read_text("utf-8"))
"""A departure that waits at a yard for the next train to pull in. Fresh examples of the laws found it."""


def on_networks(law: Callable[[Case], None]) -> Callable[[], None]:
    """The law on generated cases, and on three that random ones rarely hit."""
    named = example(Case(chicago(), BUSY))(example(Case(chicago(), OUT_OF_SLOW))(example(IN_AND_OUT)(law)))
    return given(cases())(named)


def watch(case: Case) -> Watched:
    """Run the case's trains to the end of its window."""
    plan = resolve(case.scenario, case.network)
    movements: list[Movement] = []
    trains = Trains(case.network, plan, movements.append)
    arrivals, _ = trains.until(plan.window.end_ms)
    return Watched(case.network, plan, trains, movements, arrivals)


def grouped(items: list[T], key: Callable[[T], Any]) -> Iterator[tuple[Any, list[T]]]:
    """Items by key, each group in the order given."""
    groups: dict[Any, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return iter(groups.items())
