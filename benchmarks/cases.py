"""What is measured: a function a piece of work and side, run in a process of its own.

    python -m benchmarks.cases WORK SIDE FOLDER        prints {"records", "cpu_s", ...}

Imports stand in the functions: each process loads what its own side needs and nothing else. What a side prepares (the
network's tables, records to send, a file to read) is not timed; its caches are cold, as they are for whoever runs a
command once.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cta.model.batch import Batch
    from cta.network.network import Network
    from cta.simulation.plan import Plan

SCENARIOS = Path(__file__).parent.parent / "scenarios"
SEED = 1
DAY_MS = 86_400_000
MONTH_DAYS = 30
PEAKS_AFTER_DAYS = (2, 8)
"""A week and a day has seen every kind of day: what is cached by then is all that is ever cached."""
RUSH_HOURS = slice(3, 7)
"""06:00 to 10:00 of a day that begins at 03:00."""
PARTITIONS = 4

Measured = dict[str, Any]


def peak_mb() -> float:
    """The most memory that this process has had; Linux counts kilobytes, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / (1e6 if sys.platform == "darwin" else 1e3))


def timed(work: Callable[[], int]) -> Measured:
    """How long the work takes, which says how many records it was; ``cpu_s`` is what it takes of one core."""
    gc.collect()
    gc.freeze()  # what was prepared is not to be gone through again and again while the work makes objects
    began_s, began_cpu_s = perf_counter(), process_time()
    records = work()
    cpu_s, wall_s = process_time() - began_cpu_s, perf_counter() - began_s
    return {"records": records, "cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb()}


# Ours.


def full_day() -> tuple[Network, Plan]:
    from cta.model import scenario
    from cta.network.load import chicago
    from cta.simulation.plan import resolve

    network = chicago()
    plan = resolve(scenario.load(SCENARIOS / "full_day.json"), network)
    return network, replace(plan, seed=SEED)


def generate(folder: Path) -> Measured:
    from cta.simulation.run import simulate

    network, plan = full_day()
    return timed(lambda: sum(len(batch) for batch in simulate(network, plan)))


def generate_records(folder: Path) -> Measured:
    from cta.simulation.run import simulate

    network, plan = full_day()
    return timed(lambda: sum(1 for batch in simulate(network, plan) for _ in batch))


def fold(folder: Path) -> Measured:
    network, plan = full_day()
    return timed(lambda: _digest_and_fold(network, plan))


def _digest_and_fold(network: Network, plan: Plan, each: Callable[[Batch], None] = lambda batch: None) -> int:
    from cta.pipeline.board import Board
    from cta.recording.digest import Digest
    from cta.simulation.run import simulate

    digest, board = Digest(), Board.for_network(network)
    for batch in simulate(network, plan):
        digest.update(batch)
        board.fold(batch)
        each(batch)
    digest.hexdigest()
    board.digest()
    return digest.total


def month(folder: Path) -> Measured:
    network, plan = full_day()
    start_ms = plan.window.start_ms
    plan = replace(plan, window=replace(plan.window, end_ms=start_ms + MONTH_DAYS * DAY_MS))
    peaks_mb: dict[int, float] = {}

    def each(batch: Batch) -> None:
        days = (int(batch.times[-1]) - start_ms) // DAY_MS + 1
        peaks_mb[days] = peak_mb()

    measured = timed(lambda: _digest_and_fold(network, plan, each))
    return {**measured, "peaks_mb": {days: peaks_mb[days] for days in PEAKS_AFTER_DAYS}}


def write(folder: Path) -> Measured:
    from cta.recording.format import Header
    from cta.recording.writer import RecordingWriter
    from cta.simulation.run import simulate

    network, plan = full_day()
    window = plan.window
    header = Header.of(scenario=None, seed=plan.seed, start_ms=window.start_ms, end_ms=window.end_ms)

    def work() -> int:
        with RecordingWriter(folder / "ours.jsonl", header) as writer:
            for batch in simulate(network, plan):
                writer.write(batch)
        return writer.digest.total

    return timed(work)


def read(folder: Path) -> Measured:
    from cta.recording.reader import Recording

    path = folder / "ours.jsonl"
    if not path.exists():
        write(folder)
    return timed(lambda: sum(len(batch) for batch in Recording.open(path).batches()))


def broker(folder: Path) -> Measured:
    from cta.broker.consumer import Consumer
    from cta.broker.memory import MemoryBroker
    from cta.broker.producer import Producer
    from cta.simulation.run import simulate

    network, plan = full_day()
    hours = list(simulate(network, plan))[RUSH_HOURS]

    def work() -> int:
        memory = MemoryBroker()
        producer, consumer = Producer(memory, PARTITIONS), Consumer(memory)
        counts: Counter[str] = Counter()
        for batch in hours:
            producer.send(batch)
            for delivered in consumer.poll():
                for _, content in delivered:
                    counts[content.topic.name] += 1
            consumer.trim()
        return counts.total()

    return timed(work)


def imports(folder: Path) -> Measured:
    def work() -> int:
        for room in ("cta.simulation.run", "cta.recording.digest", "cta.pipeline.board"):
            import_module(room)
        full_day()
        return 0

    return timed(work)


# The baseline.


def plain_day() -> tuple[Network, Callable[[], Any]]:
    from datetime import date

    from benchmarks import plain
    from cta.network.load import chicago

    network = chicago()
    return network, lambda: plain.simulate(network, date(2026, 5, 13), 24, SEED)


def plain_generate(folder: Path) -> Measured:
    _, records = plain_day()
    return timed(lambda: sum(1 for _ in records()))


def plain_fold(codec: str) -> Callable[[Path], Measured]:
    def run(folder: Path) -> Measured:
        from benchmarks.plain_pipeline import CODECS, digest_and_fold

        network, records = plain_day()
        encode, _ = CODECS[codec]
        return timed(lambda: digest_and_fold(records(), network, encode))

    return run


def plain_write(codec: str) -> Callable[[Path], Measured]:
    def run(folder: Path) -> Measured:
        from benchmarks.plain_pipeline import CODECS, write

        _, records = plain_day()
        encode, _ = CODECS[codec]
        return timed(lambda: write(records(), folder / f"{codec}.jsonl", encode))

    return run


def plain_read(codec: str) -> Callable[[Path], Measured]:
    def run(folder: Path) -> Measured:
        from benchmarks.plain_pipeline import CODECS, read

        path = folder / f"{codec}.jsonl"
        if not path.exists():
            plain_write(codec)(folder)
        _, decode = CODECS[codec]
        return timed(lambda: read(path, decode))

    return run


def plain_broker(folder: Path) -> Measured:
    from benchmarks import plain
    from benchmarks.plain_pipeline import send_and_poll

    _, records = plain_day()
    hours: list[list[plain.Record]] = [[] for _ in range(24)]
    for record in records():
        hours[(record[0] // plain.HOUR_MS - 8) % 24].append(record)
    rush = hours[RUSH_HOURS]
    del hours
    return timed(lambda: send_and_poll(rush, PARTITIONS).total())


SIDES: dict[str, dict[str, Callable[[Path], Measured]]] = {
    "generate": {"ours": generate, "plain": plain_generate},
    "generate_records": {"ours": generate_records, "plain": plain_generate},
    "fold": {"ours": fold, "plain, msgspec": plain_fold("msgspec"), "plain, json": plain_fold("json")},
    "write": {"ours": write, "plain, msgspec": plain_write("msgspec"), "plain, json": plain_write("json")},
    "read": {"ours": read, "plain, msgspec": plain_read("msgspec"), "plain, json": plain_read("json")},
    "broker": {"ours": broker, "plain": plain_broker},
    "memory_day": {"ours": fold, "imports": imports, "plain, msgspec": plain_fold("msgspec")},
    "memory_month": {"ours": month, "imports": imports},
}
"""Work by name, then who does it: ours first, then what it is held against."""


if __name__ == "__main__":
    _, work, side, folder = sys.argv
    print(json.dumps(SIDES[work][side](Path(folder))))
