"""A document through a pipe: all of it, however its writer takes its time; and no waiting for nobody."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from cta.model import pipe
from cta.model.pipe import SilentPipeError, read


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe that nobody has opened, and little patience."""
    monkeypatch.setattr(pipe, "WRITER_WAIT_S", 0.05)
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def test_a_file(tmp_path: Path) -> None:
    """Its first bytes."""
    (path := tmp_path / "x").write_bytes(b"scenario")
    assert (read(path, 5), read(path, 100)) == (b"scena", b"scenario")


def test_nobody_writes(fifo: Path) -> None:
    """It ends when nobody has come."""
    with pytest.raises(SilentPipeError):
        read(fifo, 100)


def test_a_writer_that_begins_after_its_reader(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is read, in however many pieces, up to as much as was asked for."""
    monkeypatch.setattr(pipe, "WRITER_WAIT_S", 60.0)

    def write() -> None:
        with fifo.open("wb", buffering=0) as file:
            for _ in range(1_000):
                file.write(b"abc")

    writer = threading.Thread(target=write)
    writer.start()
    assert read(fifo, 100_000) == b"abc" * 1_000
    writer.join()


def test_a_writer_that_takes_longer_than_anybody_waits_for_none(fifo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there, so what it says is waited for."""
    reading, writing = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), os.open(fifo, os.O_WRONLY)
    os.close(reading)
    silence = os.set_blocking

    def speak(descriptor: int, blocking: bool) -> None:
        """What the reader does when it has found that somebody is there."""
        silence(descriptor, blocking)
        os.write(writing, b"at last")
        os.close(writing)

    monkeypatch.setattr(os, "set_blocking", speak)
    assert read(fifo, 100) == b"at last"


def test_a_terminal_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has typed yet when it is opened."""
    typing, terminal = os.openpty()
    silence = os.set_blocking

    def speak(descriptor: int, blocking: bool) -> None:
        silence(descriptor, blocking)
        os.write(typing, b"at last\n\x04")

    monkeypatch.setattr(os, "set_blocking", speak)
    assert read(Path(os.ttyname(terminal)), 100) == b"at last\n"
    os.close(typing)
    os.close(terminal)
