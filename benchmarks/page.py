"""The status page's events: ten updates a second to few clients and to many. `python -m benchmarks.page [SECONDS]`.

The clients are one process of their own, on plain sockets; a tenth of them reads nothing at all. A record's way is timed
from before it is folded to the last byte of its event at a client, on the clock that both processes share. What an
update costs is processor time of the server's one thread, so that other work on the machine does not count.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import re
import resource
import select
import socket
import sys
import time
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np
from tornado.httpserver import HTTPServer

from cta.commands.serving import BACKLOG
from cta.commands.target import open_run
from cta.web.app import make_app
from cta.web.feed import Feed
from cta.web.history import History, empty_scene
from cta.web.site import Site

UPDATES_A_SECOND = 10
SPEED = 60
"""Simulated seconds a second, as `cta demo` has it."""
LAZY_SHARE = 0.1
FEW, MANY = 10, 1000
BARE_ROUNDS = 10
READ_BYTES = 1 << 18
NUMBERS = re.compile(rb"^id: \w+\.(\d+)\nevent: change", re.MULTILINE)


class Measured(NamedTuple):
    """``ways_ms``: record to client; ``update_ms``: processor time of each update; ``bare_ms``: of as many bare sends."""

    ways_ms: np.ndarray
    whole: int
    update_ms: np.ndarray
    bare_ms: float
    event_bytes: int
    core_share: float
    before_mb: float
    after_mb: float


def read(port: int, clients: int, lazy: int, done: Connection) -> None:
    """The clients' process: connects, says so, and when it is told to stop hands in (event, when it was there), and the
    bytes of them all.
    """
    poll, open_ = select.epoll(), {}
    seen: list[tuple[int, float]] = []
    seen_bytes = 0
    parts: dict[int, bytes] = {}
    kept = []  # who reads nothing is held by nobody else
    for number in range(clients):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET /events HTTP/1.1\r\nHost: bench\r\n\r\n")
        kept.append(client)
        if number >= lazy:
            client.setblocking(False)
            open_[client.fileno()] = client
            parts[client.fileno()] = b""
            poll.register(client, select.EPOLLIN)
    poll.register(done, select.EPOLLIN)
    done.send("connected")
    while True:
        for fd, _ in poll.poll():
            if fd == done.fileno():
                done.send((seen, seen_bytes))
                return
            got = open_[fd].recv(READ_BYTES)
            at_s = time.monotonic()
            assert got, "the server closed a client"
            parts[fd] += got
            if parts[fd].endswith(b"\n\n"):
                changes = NUMBERS.findall(parts[fd])
                seen += [(int(number), at_s) for number in changes]
                seen_bytes += len(parts[fd]) if changes else 0
                parts[fd] = b""


async def connected(port: int, clients: int, lazy: int) -> Connection:
    """Clients in a process of their own, ``lazy`` of which read nothing."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    spawn.Process(target=read, args=(port, clients, lazy, theirs), daemon=True).start()
    await asyncio.get_running_loop().run_in_executor(None, ours.recv)
    return ours


def rss_mb() -> float:
    with open("/proc/self/statm") as file:  # noqa: PTH123  # no more than a number of the kernel's
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


async def measure(clients: int, seconds: int) -> Measured:
    run = open_run("scenarios/rush_hour.json")
    feed = Feed(lambda: empty_scene(run), speed=SPEED)
    site = Site(run.network, feed, History(run))
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listening.setblocking(False)
    server = HTTPServer(make_app(site))
    server.add_socket(listening)
    loop = asyncio.get_running_loop()
    lazy = round(clients * LAZY_SHARE)
    reader = await connected(listening.getsockname()[1], clients, lazy)
    while len(site.hub.clients) < clients:
        await asyncio.sleep(0.05)

    (batch, *_) = run.batches(run.window)
    step_ms = SPEED * 1000 // UPDATES_A_SECOND
    starts_ms = range(run.window.start_ms, run.window.start_ms + seconds * SPEED * 1000, step_ms)
    parts = [batch.between(start_ms, start_ms + step_ms) for start_ms in starts_ms]
    sent: dict[int, float] = {}
    update_ms, before_mb, core_s = [], rss_mb(), time.process_time()
    began_s = loop.time()
    for number, part in enumerate(parts):
        await asyncio.sleep(max(0.0, began_s + number / UPDATES_A_SECOND - loop.time()))
        at_s, spent_s = time.monotonic(), time.thread_time()
        feed.fold(part)
        site.update()
        sent[site.hub.number] = at_s
        update_ms.append((time.thread_time() - spent_s) * 1000)
    core_share = (time.process_time() - core_s) / seconds
    await asyncio.sleep(1)
    after_mb = rss_mb()
    reader.send("enough")
    seen, seen_bytes = await loop.run_in_executor(None, reader.recv)
    server.stop()
    site.hub.close()
    event_bytes = seen_bytes // len(seen)
    bare_ms = await bare(clients - lazy, event_bytes)
    return Measured(
        np.array([(at_s - sent[number]) * 1000 for number, at_s in seen if number in sent]),
        len(parts) * (clients - lazy),
        np.array(update_ms),
        bare_ms,
        event_bytes,
        core_share,
        before_mb,
        after_mb,
    )


async def bare(clients: int, event_bytes: int) -> float:
    """The baseline: as many clients that read, as many bytes that mean nothing, and not a line more than the sends."""
    found_ms, nothing = [], b":" * event_bytes
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listening:
        reader = await connected(listening.getsockname()[1], clients, 0)
        sockets = [listening.accept()[0] for _ in range(clients)]
    for _ in range(BARE_ROUNDS):
        spent_s = time.thread_time()
        for each in sockets:
            each.send(nothing, socket.MSG_DONTWAIT)
        found_ms.append((time.thread_time() - spent_s) * 1000)
        await asyncio.sleep(1 / UPDATES_A_SECOND)
    reader.send("enough")
    for each in sockets:
        each.close()
    return float(np.median(found_ms))


def main(seconds: int) -> None:
    few, many = (asyncio.run(measure(clients, seconds)) for clients in (FEW, MANY))
    median, p99 = np.percentile(many.ways_ms, (50, 99))
    few_ms, many_ms = np.median(few.update_ms), np.median(many.update_ms)
    lazy = round(MANY * LAZY_SHARE)
    print(f"clients           {MANY:,}, of them {lazy} that read nothing; {UPDATES_A_SECOND} updates a second")
    print(f"events            {len(many.ways_ms):,} of {many.whole:,} came, of {many.event_bytes:,} bytes")
    print(f"record to client  median {median:.0f} ms, p99 {p99:.0f} ms; goal: under 100")
    print(f"an update costs   {few_ms:.1f} ms with {FEW} clients, {many_ms:.1f} ms with {MANY:,};")
    print(
        f"                  bare sends to {MANY - lazy} are {many.bare_ms:.1f} ms; in all it is {many_ms / many.bare_ms:.1f} times that"
    )
    print(f"processor         {many.core_share * 100:.0f} % of one core")
    print(f"memory            {many.before_mb:.0f} MB before, {many.after_mb:.0f} MB after")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
