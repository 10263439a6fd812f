from __future__ import annotations

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.cli.running import CTA, invoke


@contextmanager
def running(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that serves, and the address that it says."""
    with subprocess.Popen([CTA, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            (address,) = re.findall(r"http://\S+", process.stdout.readline())
            yield process, address
        finally:
            process.kill()


def stopped(process: subprocess.Popen[str], by: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(by)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_told_to_stop(by: signal.Signals) -> None:
    """Live at once, on its own machine only; Ctrl+C and SIGTERM end it without a word."""
    with running("demo", "--port", "0", "--no-browser", "--speed", "600") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        assert requests.get(f"{address}healthz", timeout=10).json()["state"] == "live"
        with requests.get(f"{address}events", stream=True, timeout=10) as open_stream:
            assert open_stream.status_code == 200
            assert stopped(process, by) == (0, "", "")


def test_the_demo_has_every_file_that_its_page_names() -> None:
    """From the page by its links and imports: nothing that the package forgot, wherever it is run."""
    with running("demo", "--port", "0", "--no-browser") as (process, address):
        named, found = ["/"], {}
        while named:
            path = named.pop()
            if path in found:
                continue
            answer = requests.get(address.rstrip("/") + path, timeout=10)
            found[path] = answer.status_code
            named += re.findall(r'(?:href|src)="(/[^"?]*)"', answer.text)
            named += [f"/static/{name}" for name in re.findall(r'^import .* from "\./(.*)";$', answer.text, re.M)]
        assert stopped(process, signal.SIGINT)[0] == 0
    assert set(found.values()) == {200}
    assert {"/static/page.css", "/static/main.js", "/static/map.js", "/static/icon.svg"} <= set(found)


def test_the_demo_starts_over() -> None:
    """At the end of the run the next round begins; clients are told by the events."""
    with running("demo", "--port", "0", "--no-browser", "--speed", "100000") as (process, address):
        with requests.get(f"{address}events", stream=True, timeout=20) as stream:
            lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
            assert next(line for line in lines if '"round":1' in line)
        assert stopped(process, signal.SIGINT)[0] == 0


def test_a_replay_is_served_and_then_told() -> None:
    """The page stays as the run left it; after Ctrl+C comes what replay says, the board's digest the page's ETag."""
    with running("replay", "scenarios/blue_line_breakdown.json", "--serve", "--port", "0") as (process, address):
        with requests.get(f"{address}events", stream=True, timeout=20) as stream:
            lines = stream.iter_lines(chunk_size=1, decode_unicode=True)
            assert next(line for line in lines if '"state":"ended"' in line)
        digest = requests.get(f"{address}api/board", timeout=10).headers["ETag"].strip('"')
        code, out, err = stopped(process, signal.SIGINT)
    assert (code, f"board digest  {digest}" in out, err) == (0, True, "")


def test_a_port_that_is_taken_is_bad_input() -> None:
    """One line: which, why, what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("demo", "--no-browser", "--port", str(port))
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: --port: 127.0.0.1:{port} cannot be had: Address already in use; choose another, or 0 for any\n",
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_not_the_ports_fault(host: str) -> None:
    """Another port would not help."""
    result = invoke("demo", "--no-browser", "--port", "0", "--host", host)
    line = f"error: --host: {re.escape(host)}:0 cannot be had: [A-Z][a-z ]+; give an address of this machine\n"
    assert result.exit_code == 2
    assert re.fullmatch(line, result.stderr)


@pytest.mark.parametrize(
    "args",
    [
        ["demo", "--speed", "max"],
        ["demo", "--port", "70000"],
        ["replay", "scenarios/rush_hour.json", "--port", "1"],
        ["serve", "--port", "x"],
    ],
)
def test_what_makes_no_sense_is_bad_input(args: list[str]) -> None:
    """Exit code 2 and one line."""
    result = invoke(*args)
    assert (result.exit_code, result.stderr.count("\n"), result.stderr.startswith("error: ")) == (2, 1, True)
