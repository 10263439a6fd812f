"""`cta serve` catching up on a full day: ``python -m benchmarks.catching_up [--runs N] [--bootstrap HOST:PORT]``.

Needs a broker (CTA_BOOTSTRAP_SERVERS). The day is sent once; then the page's feed reads it, and a bare loop that looks at
nothing does, in turns, each in a process of its own. The feed makes all that the page shows: board, entries, flow, digest.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from statistics import median
from time import perf_counter, process_time
from uuid import uuid4

from benchmarks.kafka import broker_of, consume, day, ours, schemas_of
from cta.broker.kafka import KafkaBroker
from cta.model.settings import Settings
from cta.network.load import chicago
from cta.pipeline.board import Board
from cta.testing.registry import NumberedSchemas
from cta.web.feed import Feed
from cta.web.filling import Filling
from cta.web.scene import Scene

GOAL = 400_000


def page(bootstrap: str, namespace: str) -> tuple[int, float]:
    """Records, and seconds from nothing to all of them on the page."""
    network = chicago()
    feed = Feed(lambda: Scene(Board.for_network(network)))
    settings = Settings(bootstrap_servers=bootstrap, namespace=namespace)
    with KafkaBroker(settings, NumberedSchemas(), unreadable="raw") as broker:
        schemas_of(broker, namespace)
        filling = Filling(broker, namespace, feed)
        began_s = perf_counter()
        records = filling.round()
        feed.slots()
        wall_s = perf_counter() - began_s
    assert sum(feed.counts()[0].values()) == records
    return records, wall_s


def bare(bootstrap: str, namespace: str) -> tuple[int, float]:
    return consume(bootstrap, namespace, getters=False)


def timed(side: str, bootstrap: str, namespace: str) -> tuple[float, float]:
    """Records a second on the clock, and records a second of processor time."""
    spent_s = process_time()
    records, wall_s = {"page": page, "bare": bare}[side](bootstrap, namespace)
    return records / wall_s, records / (process_time() - spent_s)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.catching_up")
    parser.add_argument("--bootstrap", default=os.environ.get("CTA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"))
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    namespace = f"bench-{uuid4().hex[:8]}."
    records, _ = ours(options.bootstrap, namespace, day())
    rates: dict[str, list[tuple[float, float]]] = {"page": [], "bare": []}
    try:
        for _ in range(options.runs):
            for side, measured in rates.items():
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    measured.append(pool.apply(timed, (side, options.bootstrap, namespace)))
    finally:
        with broker_of(options.bootstrap) as broker:
            broker.delete_topics([name for name in broker.topics() if name.startswith(namespace)])
    walls = {side: [wall for wall, _ in measured] for side, measured in rates.items()}
    ratio = median(a / b for a, b in zip(walls["page"], walls["bare"], strict=True))
    print(f"{records:,} records, the page's feed    {median(walls['page']) / 1e6:.2f} M/s; goal {GOAL / 1e6:.1f} M/s")
    print(f"a bare loop of consume(10000)      {median(walls['bare']) / 1e6:.2f} M/s; the page has {ratio:.2f} of it")
    print(f"by the page's processor time       {median(cpu for _, cpu in rates['page']) / 1e6:.2f} M/s")


if __name__ == "__main__":
    main()
