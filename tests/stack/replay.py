"""A server that answers as real ones did: recorded exchanges, replayed over a real socket in the order given."""

from __future__ import annotations

import ast
import json
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

from tests.stack.listening import Answering, Listening

FOLDER: Final = Path(__file__).parent / "exchanges"
_REQUEST: Final = re.compile(r"(GET|POST|PUT|DELETE) (\S+)(?:  (\{.*\}))?$")
_STATUS: Final = re.compile(r"(\d{3}) (.*?)(?: \([\d.]+s\))?$")


@dataclass(frozen=True)
class Request:
    """``body`` as JSON, its inner JSON (an Avro schema as a text) opened too, so that spaces make no difference."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def __eq__(self, other: object) -> bool:
        """Equal method, path and body, and the other's headers among this one's: a client adds some of its own."""
        if not isinstance(other, Request):
            return NotImplemented
        mine = {name.lower(): value for name, value in self.headers.items()}
        theirs = {name.lower(): value for name, value in other.headers.items()}
        same = (self.method, self.path, self.body) == (other.method, other.path, other.body)
        return same and (theirs.items() <= mine.items() or mine.items() <= theirs.items())

    __hash__ = None  # type: ignore[assignment] # equality isn't an equivalence


@dataclass(frozen=True)
class Exchange:
    """``status`` None: the server took the request and never answered."""

    title: str
    request: Request
    status: int | None
    answer: bytes = b""


def exchanges(file: str) -> dict[str, Exchange]:
    """The exchanges of a file of ``tests/stack/exchanges`` by title."""
    blocks = re.split(r"^## ", (FOLDER / file).read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {found.title: found for found in map(_exchange, blocks)}


def answering(status: int, document: Any, *, request: Request | None = None) -> Exchange:
    """An exchange that nobody recorded, for what only Connect does here."""
    return Exchange("made up", request or Request("GET", "/"), status, json.dumps(document).encode())


def _exchange(block: str) -> Exchange:
    title, *lines = block.rstrip("\n").split("\n")
    sent = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    found = _REQUEST.match(sent[0])
    assert found is not None, sent[0]
    headers = found[3] or next(line for line in sent[1:] if line.startswith("{'") or line == "{}")
    body = [line for line in sent[1:] if line and line != headers]
    path = urlsplit(found[2]).path if "://" in found[2] else found[2]
    request = Request(found[1], path, ast.literal_eval(headers), opened(body[0]) if body else None)
    start = next(number for number, line in enumerate(lines) if line.startswith(("< ", "!! ")))
    status = _STATUS.match(lines[start].removeprefix("< "))
    if status is None:
        return Exchange(title, request, None)
    answer = "\n".join([lines[start + 1].removeprefix("< "), *lines[start + 2 :]])
    return Exchange(title, request, int(status[1]), answer.encode())


def opened(body: str | bytes) -> Any:
    """JSON, with the texts ``*_schema`` that are JSON themselves opened; the text itself where it is no JSON."""
    try:
        document = json.loads(body)
    except ValueError:
        return body if isinstance(body, str) else body.decode()
    if isinstance(document, dict):
        for name in document.keys() & {"key_schema", "value_schema"}:
            document[name] = opened(document[name])
    return document


class Server(Listening):
    """Answers one request after the other with the exchanges given; ``received`` is what was asked.

    Asked for more than it was given, it answers 599, which no client takes for an answer.
    """

    def __init__(self, script: Iterable[Exchange]) -> None:
        super().__init__(self._handler())
        self.received: list[Request] = []
        self._script = list(script)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            assert self._script == [], f"not asked for: {[exchange.title for exchange in self._script]}"

    def _handler(self) -> type[Answering]:
        server = self

        class Handler(Answering):
            def play(self) -> None:
                content = self.body()
                body = opened(content) if content else None
                server.received.append(Request(self.command, self.path, dict(self.headers.items()), body))
                exchange = server._script.pop(0) if server._script else answering(599, {"message": "not expected"})
                if exchange.status is None:
                    self.die()
                else:
                    self.answer(exchange.status, exchange.answer)

        for method in ("GET", "POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler.play)
        return Handler


class Clock:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep_until_s(self, deadline_s: float) -> None:
        self.time_s = max(self.time_s, deadline_s)


def unused_url() -> str:
    """A URL at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
