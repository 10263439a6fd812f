"""The status page's events: many clients, ten updates a second. `python -m benchmarks.page [CLIENTS SECONDS]`.

The clients are one process of their own; a tenth of them reads nothing at all. A record's way is timed from before it
is folded to the last byte of its event at a client, on the clock that both processes share.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import sys
import time
from functools import partial
from multiprocessing.connection import Connection

import numpy as np
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from cta.commands.target import open_run
from cta.web.app import make_app
from cta.web.feed import Feed
from cta.web.history import History, empty_scene
from cta.web.site import Site

UPDATES_A_SECOND = 10
LAZY_SHARE = 0.1


class Reader(asyncio.Protocol):
    """A client that notes when each event was there in whole."""

    def __init__(self, seen: list[tuple[int, float]], *, lazy: bool) -> None:
        self.seen, self.lazy, self.head = seen, lazy, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n")
        if self.lazy:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if len(self.head) < 64:
            self.head += data[:64]
        if data.endswith(b"\n\n"):
            first = self.head.partition(b"\n")[0]
            if first.startswith(b"id: "):
                self.seen.append((int(first.rpartition(b".")[2]), time.monotonic()))
            self.head = b""


def read(port: int, clients: int, done: Connection) -> None:
    """The clients' process: connects, says so, and hands in what was seen when it is asked."""
    seen: list[tuple[int, float]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        kept = []  # who reads nothing is held by nobody else
        for number in range(clients):
            made = partial(Reader, seen, lazy=number < clients * LAZY_SHARE)
            kept.append(await loop.create_connection(made, "127.0.0.1", port))
        done.send("connected")
        await loop.run_in_executor(None, done.recv)

    asyncio.run(main())
    done.send(seen)


def rss_mb() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123  # no more than a number of the kernel's
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


async def serve(clients: int, seconds: int) -> None:
    run = open_run("scenarios/rush_hour.json")
    feed = Feed(lambda: empty_scene(run), speed=60)
    site = Site(run.network, feed, History(run))
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(make_app(site)).add_sockets(sockets)
    loop = asyncio.get_running_loop()
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    port = sockets[0].getsockname()[1]
    reader = multiprocessing.get_context("spawn").Process(target=read, args=(port, clients, theirs), daemon=True)
    reader.start()
    await loop.run_in_executor(None, ours.recv)
    while len(site.hub.clients) < clients:
        await asyncio.sleep(0.05)

    (batch, *_) = run.batches(run.window)
    parts = np.array_split(np.arange(len(batch)), seconds * UPDATES_A_SECOND)
    sent: dict[int, float] = {}
    spent_s, before_mb, cpu_s = [], rss_mb(), time.process_time()
    began_s = loop.time()
    for number, part in enumerate(parts):
        await asyncio.sleep(max(0.0, began_s + number / UPDATES_A_SECOND - loop.time()))
        at_s = time.monotonic()
        feed.fold(batch[part])
        site.update()
        sent[site.hub.number] = at_s
        spent_s.append(time.monotonic() - at_s)
    cpu_s = time.process_time() - cpu_s
    await asyncio.sleep(1)
    after_mb = rss_mb()
    ours.send("enough")
    seen = await loop.run_in_executor(None, ours.recv)
    ways_ms = np.array([(at_s - sent[number]) * 1000 for number, at_s in seen if number in sent])
    whole = len(parts) * round(clients * (1 - LAZY_SHARE))
    print(f"clients           {clients}, of them {round(clients * LAZY_SHARE)} that read nothing")
    print(f"events            {len(ways_ms):,} of {whole:,} seen in whole by themselves")
    print(f"record to client  median {np.median(ways_ms):.0f} ms, p99 {np.percentile(ways_ms, 99):.0f} ms")
    print(f"an update         median {np.median(spent_s) * 1000:.1f} ms")
    print(f"processor         {cpu_s / seconds * 100:.0f} % of one core")
    print(f"memory            {before_mb:.0f} MB before, {after_mb:.0f} MB after")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    clients, seconds = map(int, sys.argv[1:] or ("1000", "10"))
    asyncio.run(serve(clients, seconds))
