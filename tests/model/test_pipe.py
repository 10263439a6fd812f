"""A document through a pipe: all of it, however its writer takes its time; and no waiting for nobody."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cta.model import pipe
from cta.model.pipe import SilentPipeError, read

PATIENCE_S = 0.05
SILENCE_S = 6 * PATIENCE_S


@pytest.fixture
def fifo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A named pipe that nobody has opened, and little patience."""
    monkeypatch.setattr(pipe, "WRITER_WAIT_S", PATIENCE_S)  # its five seconds would pass, in each test that waits
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def read_late(path: Path, speak: Callable[[], object]) -> bytes:
    """What is read where something is said only when the reader has shown that it waits for it."""
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read, path, 100)
        with pytest.raises(TimeoutError):
            reading.result(SILENCE_S)
        speak()
        return reading.result()


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
    monkeypatch.setattr(pipe, "WRITER_WAIT_S", 60.0)  # a busy machine may take long to begin a thread

    def write() -> None:
        with fifo.open("wb", buffering=0) as file:
            for _ in range(1_000):
                file.write(b"abc")

    writer = threading.Thread(target=write)
    writer.start()
    assert read(fifo, 100_000) == b"abc" * 1_000
    writer.join()


def test_a_writer_that_takes_longer_than_anybody_waits_for_none(fifo: Path) -> None:
    """It is there, so what it says is waited for."""
    reading, writing = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), os.open(fifo, os.O_WRONLY)
    os.close(reading)

    def speak() -> None:
        os.write(writing, b"at last")
        os.close(writing)

    assert read_late(fifo, speak) == b"at last"


def test_a_terminal_is_waited_for() -> None:
    """Nobody has typed yet when it is opened."""
    typing, terminal = os.openpty()
    path = Path(os.ttyname(terminal))
    assert read_late(path, lambda: os.write(typing, b"at last\n\x04")) == b"at last\n"
    os.close(typing)
    os.close(terminal)
