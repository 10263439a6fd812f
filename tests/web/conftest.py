"""A server of the page in a thread, where updates happen when a test says so, so nothing is waited for; and a browser."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from cta.commands.target import Run, open_run
from cta.web.app import make_app
from cta.web.feed import Feed
from cta.web.history import History, empty_scene
from cta.web.site import Site

PATIENCE_MS = 20_000  # a busy machine is no failure
CHROMIUM = os.environ.get("CTA_CHROMIUM") or next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)


class Served:
    """A site at ``url``."""

    def __init__(self, site: Site, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.site = site
        self.url = f"http://127.0.0.1:{port}"
        self._loop = loop

    def call(self, do: Callable[[], Any]) -> Any:
        """Do something on the server's own thread, and wait for it."""
        done: Future[Any] = Future()

        def step() -> None:
            done.set_result(do())

        self._loop.call_soon_threadsafe(step)
        return done.result(timeout=10)

    def update(self) -> None:
        self.call(self.site.update)


@contextmanager
def serve(site: Site, port: int = 0) -> Iterator[Served]:
    """The site on a port until the block ends, in which all its connections are closed."""
    started: Future[Served] = Future()
    ended: list[asyncio.Event] = []

    async def main() -> None:
        sockets = bind_sockets(port, "127.0.0.1")
        server = HTTPServer(make_app(site))
        server.add_sockets(sockets)
        ended.append(asyncio.Event())
        started.set_result(Served(site, sockets[0].getsockname()[1], asyncio.get_running_loop()))
        await ended[0].wait()
        server.stop()
        site.hub.close()
        await server.close_all_connections()

    site.warm()  # as `cta demo` does before it says where it is
    thread = Thread(target=asyncio.run, args=(main(),))
    thread.start()
    served = started.result(timeout=10)
    try:
        yield served
    finally:
        served.call(ended[0].set)
        thread.join(timeout=10)


def site_of(run: Run) -> Site:
    """The run's page before its first record."""
    feed = Feed(lambda: empty_scene(run), speed=60)
    feed.state = "live"
    return Site(run.network, feed, History(run), run.name)


@pytest.fixture(scope="session")
def blue() -> Run:
    return open_run("scenarios/blue_line_breakdown.json")


@pytest.fixture
def served(blue: Run) -> Iterator[Served]:
    """The blue line's breakdown, nothing folded yet."""
    with serve(site_of(blue)) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser of the machine (CTA_CHROMIUM, or one on the path); without any, all that want one are skipped."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium, or CTA_CHROMIUM")
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page on a desk; whatever goes wrong in its scripts fails the test."""
    with visit(chromium) as opened:
        yield opened


class visit:  # noqa: N801  # reads as a verb: with visit(chromium) as page
    """A page of its own with a context's options."""

    def __init__(self, chromium: Any, **options: Any) -> None:
        self._context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        self._context.set_default_timeout(PATIENCE_MS)
        self._wrong: list[str] = []

    def __enter__(self) -> Any:
        page = self._context.new_page()
        page.on("pageerror", lambda error: self._wrong.append(str(error)))
        page.on(
            "console", lambda message: self._wrong.append(message.text) if "Content Security" in message.text else None
        )
        return page

    def __exit__(self, *error: object) -> None:
        self._context.close()
        assert self._wrong == []


def settled(page: Any, clock: str) -> None:
    """Wait until the page shows a moment."""
    page.wait_for_function("clock => document.querySelector('#clock').textContent === clock", arg=clock)
