"""Replay: a run through a broker, and what came of it.

    run ─> digest, expectations ─> route: producer ─> broker ─> consumer ─> board, tally

In memory a batch goes the whole way before the next one is made, and what was consumed is deleted, so that a run of any
length takes the memory of one simulated hour. `cta.commands.kafka_replay` is the route into Kafka.

A replay that begins in the middle sends the records from there at once, and folds what was before into the board when
the first of them are out: the board takes records in any order, and is then that of the run from its start.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cta.broker.consumer import Consumer
from cta.broker.memory import MemoryBroker
from cta.broker.producer import Producer
from cta.commands.console import Progress, unseen
from cta.commands.lag import Lag
from cta.commands.pace import Clock, Stop, WallClock, late_s, paced
from cta.commands.tally import Tally
from cta.commands.target import Run
from cta.model.batch import Batch
from cta.pipeline.board import Board
from cta.pipeline.expect import Expectations, Result
from cta.pipeline.stations import station_table
from cta.recording.digest import Digest
from cta.simulation.plan import Window


@dataclass(frozen=True)
class Outcome:
    """What came of a replay."""

    run: Run
    window: Window
    digest: Digest
    board: Board
    """Of the records from the run's start, wherever the window begins, to where it ends."""
    tally: Tally
    expect: list[Result]
    not_judged: str | None
    """Why the scenario's expectations were not judged; None where they were, or where there are none."""
    wall_s: float
    interrupted: bool
    via: str | None
    """The route: "broker" or "services" into Kafka; None: the embedded one."""
    lag: Lag
    """At the end, when everything that was sent is delivered."""
    repeated: Mapping[str, int]
    """How many records may have been delivered more than once, by topic's short name; empty: none can."""

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 0 if all(result.ok for result in self.expect) else 1


class Route(Protocol):
    """The way of a batch to where the board is made of it. ``via`` and ``repeated`` are those of an `Outcome`."""

    @property
    def via(self) -> str | None: ...

    @property
    def repeated(self) -> Mapping[str, int]: ...

    def deliver(self, batch: Batch) -> Iterable[Batch]:
        """Send a batch; the batches that were delivered meanwhile, in any order between partitions."""

    def finish(self) -> None:
        """Return when all that was sent is delivered. Errors: ServiceError, BrokerError with how many records are not."""

    def lag(self, *, now: bool = False) -> Lag:
        """How far what was sent has come; costs nothing, unless it must be as it is ``now``."""


class Embedded:
    """The route through a broker in memory."""

    via = None
    repeated: Mapping[str, int] = {}

    def __init__(self, partitions: int) -> None:
        broker = MemoryBroker()
        self._producer, self._consumer = Producer(broker, partitions), Consumer(broker)

    def deliver(self, batch: Batch) -> Iterable[Batch]:
        self._producer.send(batch)
        yield from self._consumer.poll()
        self._consumer.trim()

    def finish(self) -> None:
        """Whatever was sent is delivered already."""

    def lag(self, *, now: bool = False) -> Lag:
        return Lag()


def replay(
    run: Run,
    window: Window,
    *,
    partitions: int = 1,
    route: Route | None = None,
    speed: float | None = None,
    clock: Clock | None = None,
    stop: Stop | None = None,
    progress: Progress = unseen,
    watch: Callable[[Batch], None] | None = None,
) -> Outcome:
    """Send the run's records in ``window`` and fold what is delivered. ``route``: None is the embedded one.

    ``speed``: simulated seconds a second of ``clock``; None: as fast as it goes. ``stop``: asked between batches.
    ``watch`` is given what the board is given.
    """
    stop = stop or Stop()
    clock = clock or WallClock(stop)
    began_s = clock.now_s()
    route = route or Embedded(partitions)
    digest, tally = Digest(), Tally()
    board = Board(station_table(run.station_rows()).values(), run.network.lines)
    before = (
        run.batches(Window(run.window.start_ms, window.start_ms)) if window.start_ms > run.window.start_ms else None
    )
    not_judged = _why_not_judged(run, window)
    expectations = None
    if not_judged is None and run.scenario is not None and run.plan is not None:
        expectations = Expectations(run.scenario, run.plan, run.network)

    behind_s = None if speed is None else 0.0

    def lag(*, now: bool = False) -> Lag:
        return dataclasses.replace(route.lag(now=now), behind_s=behind_s)

    def show(batch: Batch) -> None:
        board.fold(batch)
        if watch is not None:
            watch(batch)

    batches = run.batches(window)
    first_due_s = clock.now_s()
    for batch in batches if speed is None else paced(batches, clock, start_ms=window.start_ms, speed=speed):
        if stop.asked:
            break
        digest.update(batch)
        if expectations is not None:  # of the stream as it is sent: between partitions there is no order to judge
            expectations.fold(batch)
        for delivered in route.deliver(batch):
            show(delivered)
            tally.fold(delivered)
        if before is not None:
            _each(show, before, stop)
            before = None
        time_ms = digest.last_ms or window.start_ms
        if speed is not None:
            behind_s = late_s(clock.now_s() - first_due_s, time_ms - window.start_ms, speed)
        progress(time_ms, digest.total, lambda: str(lag()))
    route.finish()

    if before is not None:
        _each(show, before, stop)
    if stop.asked:  # which is the news, where it would not have been judged anyhow
        not_judged = "the run was interrupted"
    judged = expectations is not None and not stop.asked
    return Outcome(
        run=run,
        window=window,
        digest=digest,
        board=board,
        tally=tally,
        expect=expectations.results(board) if judged and expectations is not None else [],
        not_judged=not_judged if run.scenario is not None and run.scenario.expect else None,
        wall_s=clock.now_s() - began_s,
        interrupted=stop.asked,
        via=route.via,
        lag=lag(now=True),
        repeated=route.repeated,
    )


def _each(take: Callable[[Batch], None], batches: Iterable[Batch], stop: Stop) -> None:
    for batch in batches:
        if stop.asked:
            break
        take(batch)


def _why_not_judged(run: Run, window: Window) -> str | None:
    """Expectations are of a whole run: cut, it cannot fail them or meet them."""
    if window != run.window:
        return "the run was cut by --from or --until"
    missing = run.recording is not None and run.recording.header.missing
    if run.plan is not None and (window != run.plan.window or missing):
        return "the recording holds a part of the scenario's run"
    return None
