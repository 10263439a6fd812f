"""The healthcheck script, against a server on this machine."""

import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.compose.test_docker_compose import COMPOSE


class Answers(BaseHTTPRequestHandler):
    """/ready says so, /starting answers 503."""

    def do_GET(self) -> None:
        body = b'{"isHealthy":true,"details":{}}'
        self.send_response(200 if self.path == "/ready" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Silent."""


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ends_with(*arguments: str | int) -> int:
    return subprocess.run([COMPOSE / "probe", *map(str, arguments)], stderr=subprocess.DEVNULL, check=False).returncode


def test_an_answer_of_200_is_ready(port: int) -> None:
    assert ends_with(port, "/ready") == 0


def test_another_answer_is_not(port: int) -> None:
    assert ends_with(port, "/starting") == 1


def test_the_text_that_is_asked_for_must_be_in_the_answer(port: int) -> None:
    """An answer of ksqlDB is 200 also where it says that it isn't healthy."""
    assert ends_with(port, "/ready", '"isHealthy":true,"details"') == 0
    assert ends_with(port, "/ready", '"isHealthy":false') == 1


def test_nobody_there_is_not_ready() -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        closed = server.server_port
    assert ends_with(closed, "/ready") == 1
