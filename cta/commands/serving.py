"""The page of a run that is being replayed: the replay in a thread, the server in this one, until told to stop."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from threading import Thread

from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback

from cta.commands.pace import Stop, WallClock
from cta.commands.replay import Outcome, replay
from cta.commands.target import Run
from cta.model.errors import InputError
from cta.simulation.plan import Window
from cta.web.app import make_app
from cta.web.feed import Feed
from cta.web.history import History, empty_scene
from cta.web.site import Site

UPDATE_MS = 250
KEEP_ALIVE_MS = 15_000
STOP_MS = 100
BACKLOG = 1024
"""Clients that come all at once, as after a restart."""


def serve_run(
    run: Run,
    window: Window,
    *,
    host: str,
    port: int,
    speed: float | None,
    again: bool,
    stop: Stop,
    ready: Callable[[str], None],
    partitions: int = 1,
) -> Outcome | None:
    """Replay the run with its page on ``host`` and ``port`` (0: any that is free) until ``stop`` is asked.

    ``again``: start over at the end; otherwise the page stays as the run left it. ``ready`` is told the address.
    Returns what came of the last whole replay, if there was one. Errors: those of `serve_site`, and of the run's records.
    """
    feed = Feed(lambda: empty_scene(run), speed=speed)
    site = Site(run.network, feed, History(run), run.name)
    outcomes: list[Outcome] = []

    def play() -> None:
        while not stop.asked:
            feed.state = "live" if speed is not None else "catching up"
            outcome = replay(
                run, window, partitions=partitions, speed=speed, clock=WallClock(stop), stop=stop, watch=feed.fold
            )
            outcomes[:] = [outcome]
            if not again:
                feed.state = "ended"
                return
            if not stop.asked:
                feed.restart()

    asyncio.run(serve_site(site, host, port, stop, ready, play))
    return outcomes[0] if outcomes else None


async def serve_site(
    site: Site, host: str, port: int, stop: Stop, ready: Callable[[str], None], fill: Callable[[], None]
) -> None:
    """The page until ``stop`` is asked; ``fill`` makes what it shows, in a thread, and asks ``stop`` whether to go on.

    Errors: InputError where the address cannot be had; whatever ``fill`` raises, which ends the page.
    """
    failed: list[Exception] = []

    def filled() -> None:
        try:
            fill()
        except Exception as error:  # noqa: BLE001  (which would be the thread's alone: it is raised at the end)
            failed.append(error)
            stop.asked = True

    filling = Thread(target=filled, name="filling", daemon=True)
    try:
        listening = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=BACKLOG
        )
    except OSError as error:
        # Python adds the address to the system's words; a host that is no address has an error of no system call.
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else str(error.strerror).partition(" (while ")[0]
        where, remedy = "--port", "choose another, or 0 for any"
        if number <= 0 or number == errno.EADDRNOTAVAIL:
            where, remedy = "--host", "give an address of this machine"
        raise InputError(f"{host}:{port} cannot be had: {why}", where=where, remedy=remedy) from None
    server = HTTPServer(make_app(site))
    listening.setblocking(False)
    server.add_socket(listening)
    done = asyncio.Event()
    for callback in (
        PeriodicCallback(site.update, UPDATE_MS),
        PeriodicCallback(site.hub.keep_alive, KEEP_ALIVE_MS),
        PeriodicCallback(lambda: done.set() if stop.asked else None, STOP_MS),
    ):
        callback.start()
    site.warm()
    filling.start()
    shown = f"[{host}]" if ":" in host else host
    ready(f"http://{shown}:{listening.getsockname()[1]}/")
    await done.wait()
    stop.asked = True
    server.stop()
    site.hub.close()
    await server.close_all_connections()
    await asyncio.get_running_loop().run_in_executor(None, filling.join)
    if failed:
        raise failed[0]
