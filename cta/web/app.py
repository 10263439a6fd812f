"""The server: the page, its JSON, its events. Reads only; whatever it is asked for is checked, and a 400 says why."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler

from cta.model.batch import HASH_BYTES
from cta.model.errors import InputError, NetworkError
from cta.network.lookup import find_line
from cta.web.hub import Client
from cta.web.openapi import DOCUMENT
from cta.web.scene import Slots, document_of
from cta.web.site import HERE, Site
from cta.web.straight import Straight

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAFE: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
EVENTS_HEAD: Final = "\r\n".join(
    [
        "HTTP/1.1 200 OK",
        "Content-Type: text/event-stream",
        "Connection: close",
        "X-Accel-Buffering: no",
        *(f"{name}: {value}" for name, value in SAFE.items()),
        "",
        "retry: 1000\n\n",
    ]
).encode()


def _be_safe(answer: RequestHandler) -> None:
    answer.clear_header("Server")
    for name, value in SAFE.items():
        answer.set_header(name, value)


class RefusedError(HTTPError):
    """An answer that says why: ``{"error": why}``."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(status)
        self.why = why


class _Answer(RequestHandler):
    """What every answer has in common. ``parameters``: those that may be asked with."""

    site: Site
    parameters: tuple[str, ...] = ()

    def initialize(self, site: Site) -> None:
        self.site = site

    def set_default_headers(self) -> None:
        _be_safe(self)

    def prepare(self) -> None:
        """A parameter that nobody reads, or that comes twice, is an error and not a riddle."""
        if self.request.method != "GET":
            raise RefusedError(405, f"{self.request.method}: this can only be read; GET it")
        for name, values in self.request.arguments.items():
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise RefusedError(400, f"{name}: no such parameter; there are: {known}")
            if len(values) > 1:
                raise RefusedError(400, f"{name}: it is given {len(values)} times; give it once")

    def line(self) -> str | None:
        """The line that is asked for."""
        text = self.get_query_argument("line", "", strip=False)
        return self.line_of(text) if text else None

    def line_of(self, text: str) -> str:
        try:
            return find_line(self.site.network, text).line
        except NetworkError as error:
            raise RefusedError(400, f"line: {error}") from None

    def moment(self) -> int | None:
        """The moment that is asked for, in milliseconds."""
        text = self.get_query_argument("t", "", strip=False)
        if not text:
            return None
        if self.site.history is None:
            raise RefusedError(400, "t: there is no run to travel through; leave it out")
        try:
            return self.site.history.moment(text)
        except InputError as error:
            raise RefusedError(400, str(error)) from None

    async def slots(self, moment_ms: int | None) -> Slots:
        """What the page shows at a moment, or what clients were told last: made once, however many ask."""
        if moment_ms is None or self.site.history is None:
            return self.site.hub.slots
        return await IOLoop.current().run_in_executor(None, self.site.history.slots, moment_ms)

    def send(self, kind: str, body: bytes | str) -> None:
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish(body)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None))[1]
        if status_code == 405:
            self.set_header("Allow", "GET")
        why = error.why if isinstance(error, RefusedError) else self._reason
        self.send("application/json", msgspec.json.encode({"error": why}))


class _Page(_Answer):
    parameters = ("t", "line")

    async def get(self) -> None:
        line, moment_ms = self.line(), self.moment()
        self.send("text/html", self.site.page_html(await self.slots(moment_ms), line, moment_ms))


class _Rows(_Answer):
    def get(self) -> None:
        self.send("text/html", self.site.rows_html(self.site.hub.slots, None))


class _Style(_Answer):
    def get(self) -> None:
        self.send("text/css", self.site.style)


class _Board(_Answer):
    parameters = ("t",)

    async def get(self) -> None:
        document = document_of(await self.slots(self.moment()))
        body = msgspec.json.encode(document, order="sorted")
        self.set_header("Etag", f'"{blake2b(body, digest_size=HASH_BYTES).hexdigest()}"')
        self.send("application/json", body)


class _Moment(_Answer):
    parameters = ("t",)

    async def get(self) -> None:
        self.send("application/json", msgspec.json.encode(await self.slots(self.moment())))


class _Network(_Answer):
    def get(self) -> None:
        self.send("application/json", self.site.network_json)


class _Diagram(_Answer):
    async def get(self, name: str) -> None:
        line = self.line_of(name)
        try:
            svg = await IOLoop.current().run_in_executor(None, self.site.diagram, line)
        except InputError as error:
            raise RefusedError(404, str(error)) from None
        self.send("image/svg+xml", svg)


class _Events(_Answer):
    def get(self) -> None:
        stream = self.detach()
        assert isinstance(stream, IOStream)
        if self.site.hub.closed:
            stream.close()
        if stream.closed():  # gone before it was answered
            return
        client = Client(Straight(stream), self.site.hub.number_of(self.request.headers.get("Last-Event-ID")))
        stream.set_close_callback(lambda: self.site.hub.clients.discard(client))
        stream.write(EVENTS_HEAD)
        self.site.hub.clients.add(client)
        self.site.hub.bring(client)


class _Health(_Answer):
    def get(self) -> None:
        feed = self.site.feed
        well = feed.state in ("live", "ended")
        self.set_status(200 if well else 503)
        self.send("application/json", msgspec.json.encode({"state": feed.state, "lag": sum(feed.lag.values())}))


class _Metrics(_Answer):
    def get(self) -> None:
        self.send("text/plain", self.site.metrics.text())


class _OpenApi(_Answer):
    def get(self) -> None:
        self.send("application/json", msgspec.json.encode(DOCUMENT))


class _Missing(_Answer):
    def prepare(self) -> None:
        raise RefusedError(404, f"{self.request.path}: there is nothing here")


class _Static(StaticFileHandler):
    def set_default_headers(self) -> None:
        _be_safe(self)


def make_app(site: Site) -> Application:
    """The site's application, to be given to a server."""
    shared = {"site": site}
    return Application(
        [
            ("/", _Page, shared),
            ("/rows", _Rows, shared),
            ("/api/board", _Board, shared),
            ("/api/moment", _Moment, shared),
            ("/api/network", _Network, shared),
            (r"/api/diagram/([\w%-]+)\.svg", _Diagram, shared),
            ("/events", _Events, shared),
            ("/healthz", _Health, shared),
            ("/metrics", _Metrics, shared),
            ("/openapi.json", _OpenApi, shared),
            ("/static/page.css", _Style, shared),
            ("/static/(.*)", _Static, {"path": str(HERE / "static")}),
        ],
        compress_response=True,
        default_handler_class=_Missing,
        default_handler_args=shared,
        log_function=lambda handler: None,
    )
