"""Verify: what a run made of a live system, read back and held against the run itself.

Each by its own measure: the recorded topics by the one digest (and where it differs, the first divergence by record),
then by the order inside their partitions; the tables by the last value a key, the page by its JSON. Records that are no
record of ours count as records too many: they are compared as bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from cta.broker.extent import Extent
from cta.broker.kafka import KafkaBroker
from cta.commands.console import Progress, unseen
from cta.commands.diff import Diff
from cta.commands.order import OtherOrder, PartitionOrder
from cta.commands.tables import Table, compared, stations_table, turnstile_summary
from cta.commands.target import Run
from cta.model.batch import Batch
from cta.model.errors import BrokerError
from cta.model.settings import Settings
from cta.model.topics import RECORDED, STATIONS_TABLE, TURNSTILE_SUMMARY
from cta.pipeline.board import Board
from cta.pipeline.stations import station_table
from cta.pipeline.turnstile_summary import TurnstileSummary
from cta.recording.compare import Stream, compare
from cta.simulation.plan import Window
from cta.stack.http import Service
from cta.stack.registry import Registry
from cta.stack.wait import MachineClock

T = TypeVar("T")

BOARD_PATH: Final = "/api/board"
SHOWN_CHARACTERS: Final = 100
SETTLE_POLL_S: Final = 0.5
"""Each look reads the tables whole, on a machine that is busy filling them."""


@dataclass(frozen=True)
class Page:
    """A page's board held against the run's: where in the document they differ first, and how; None: nowhere."""

    url: str
    difference: str | None


@dataclass(frozen=True)
class Verdict:
    """What came of it."""

    where: str
    """The cluster and the namespace."""
    diff: Diff
    """The run (A) and what was read back (B)."""
    tables: list[Table]
    filled: bool
    """Whether the tables were to be filled: then an empty one is a difference."""
    page: Page | None
    order: list[OtherOrder]
    """Where the records are the run's, the partitions in which they are not as they were sent."""

    def good(self, table: Table) -> bool:
        return not table.differences and (table.rows is not None or not self.filled)

    @property
    def same(self) -> bool:
        page_same = self.page is None or self.page.difference is None
        records_same = not self.diff.comparison.different and not self.order
        return page_same and records_same and all(map(self.good, self.tables))

    @property
    def exit_code(self) -> int:
        return 0 if self.same else 1


@dataclass
class _Expected:
    """What the pure pipeline makes of the run, folded while its records go by for the first time."""

    summary: TurnstileSummary
    board: Board

    @classmethod
    def of(cls, run: Run) -> _Expected:
        return cls(TurnstileSummary(), Board(station_table(run.station_rows()).values(), run.network.lines))

    def fold(self, batch: Batch) -> None:
        self.summary.fold(batch)
        self.board.fold(batch)


def verify(
    run: Run,
    window: Window,
    settings: Settings,
    *,
    target: str,
    filled: bool = False,
    board_url: str | None = None,
    wait_s: float = 0.0,
    progress: Progress = unseen,
) -> Verdict:
    """Read the settings' cluster back and compare it with the run's records in ``window``.

    ``filled``: the tables must be. ``wait_s``: how long they and the page may take to become what they should be.
    Errors: ServiceError for what cannot be reached; BrokerError where a run's topics are not there.
    """
    expected = _Expected.of(run)
    with KafkaBroker(settings, Registry(settings.schema_registry_url), unreadable="raw") as broker:
        extent = _extent(broker, settings)
        order = PartitionOrder({topic.name: broker.partitions(settings.namespace + topic.name) for topic in RECORDED})
        comparison = compare(
            _folded(run, window, [expected.fold, order.expect], progress),
            _first(order.find(broker, extent), lambda: extent.batches(broker)),
        )
        wanted = {
            STATIONS_TABLE: stations_table(run.station_rows()),
            TURNSTILE_SUMMARY: turnstile_summary(expected.summary),
        }
        tables = _settled(
            lambda: [compared(broker, topic, settings.namespace, rows) for topic, rows in wanted.items()],
            lambda found: not any(table.differences or (filled and table.rows is None) for table in found),
            wait_s,
        )
    page = None
    if board_url is not None:
        document = msgspec.json.decode(expected.board.to_json())
        page = _settled(lambda: _page(board_url, document), lambda found: found.difference is None, wait_s)
    namespace = f", namespace {settings.namespace}" if settings.namespace else ""
    where = f"Kafka at {settings.bootstrap_servers}{namespace}"
    diff = Diff((target, where), run, run, comparison, [])
    return Verdict(where, diff, tables, filled, page, [] if comparison.different else order.differing())


def _first(first: Iterator[Batch], then: Stream) -> Stream:
    """A stream that is read another way when it is asked for the first time."""
    fresh = [first]
    return lambda: fresh.pop() if fresh else then()


def _folded(run: Run, window: Window, folds: Sequence[Callable[[Batch], None]], progress: Progress) -> Stream:
    """The run's records; what is expected is folded from them when they are asked for the first time."""

    def batches(folds: Sequence[Callable[[Batch], None]]) -> Iterator[Batch]:
        records = 0
        for batch in run.batches(window):
            for fold in folds:
                fold(batch)
            yield batch
            records += len(batch)
            progress(int(batch.times[-1]) if len(batch) else window.start_ms, records)

    return _first(batches(folds), lambda: batches(()))


def _extent(broker: KafkaBroker, settings: Settings) -> Extent:
    """What the recorded topics hold now."""
    names = [settings.namespace + topic.name for topic in RECORDED]
    there = broker.topics()
    missing = [name for name in names if name not in there]
    if missing:
        raise BrokerError(
            f"no topic {', '.join(missing)}",
            where=f"Kafka at {settings.bootstrap_servers}",
            remedy="name the --namespace of the replay, or replay first: 'cta replay ... --to kafka'",
        )
    return Extent.of(broker, names)


def _settled(look: Callable[[], T], good: Callable[[T], bool], wait_s: float) -> T:
    """What is found as soon as it is good, or when the time is up."""
    clock = MachineClock()
    deadline_s = clock.now_s() + wait_s
    while not good(found := look()) and clock.now_s() < deadline_s:
        clock.sleep_until_s(clock.now_s() + SETTLE_POLL_S)
    return found


def _page(url: str, document: Any) -> Page:
    """What the page shows, against the board's document."""
    base = url.rstrip("/").removesuffix(BOARD_PATH)
    service = Service("the page", base, remedy="start it, or check --board-url")
    answer = service.request("GET", BOARD_PATH)
    if not answer.ok:
        raise service.refusal(answer, doing="its board")
    return Page(service.url + BOARD_PATH, first_difference(document, answer.json()))


def first_difference(expected: Any, actual: Any, path: str = "$") -> str | None:
    """Where two JSON documents differ first, and how; None where they are equal."""
    if isinstance(expected, dict) and isinstance(actual, dict) and expected.keys() == actual.keys():
        parts = ((f"{path}.{key}", value, actual[key]) for key, value in expected.items())
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        parts = ((f"{path}[{n}]", value, actual[n]) for n, value in enumerate(expected))
    elif expected == actual:
        return None
    else:
        return f"{path} is {_short(actual)} where {_short(expected)} is expected"
    return next((found for where, one, other in parts if (found := first_difference(one, other, where))), None)


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
