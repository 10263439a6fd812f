"""Anything in place of a recording: an answer in one line, soon, in bounded memory. Never a traceback."""

from __future__ import annotations

import io
import resource
import struct
import subprocess
import sys
import zlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyzstd import compress

from cta.recording.avro import HEADER_KEY, TRAILER_KEY, row_schema
from cta.recording.container import long, write_header
from cta.recording.seekable import FOOT_MAGIC, FRAME_MAGIC, TABLE_MAGIC
from tests.cli.running import CTA, invoke
from tests.recording.records import HEADER, SMALL, START_MS, write

COMMANDS = (
    ["info"],
    ["info", "--json"],
    ["cat"],
    ["cat", "--from", "2026-05-13T12:00:01Z"],
    ["repair", "-o", "OUT.jsonl", "--force"],
    ["convert", "-o", "OUT.jsonl", "--force"],
    ["cut", "-o", "OUT.jsonl.zst", "--force", "--until", "2026-05-13T12:00:01Z"],
    ["replay", "--quiet"],
)
SUFFIXES = (".jsonl", ".jsonl.zst", ".avro")
Mutation = tuple[int, int, bytes]
mutations = st.lists(st.tuples(st.integers(0), st.integers(0, 30), st.binary(max_size=30)), min_size=1, max_size=4)
"""Each: a place, so many bytes taken away there, and bytes put in."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording in each form."""
    folder = tmp_path_factory.mktemp("junk")
    for suffix in SUFFIXES[:2]:
        write(folder / f"whole{suffix}", SMALL)
    assert invoke("convert", folder / "whole.jsonl", "-o", folder / "whole.avro").exit_code == 0
    return folder


def answers_each_command(path: Path) -> None:
    """Every command ends with an exit code of ours; an error is one line."""
    for command, *options in COMMANDS:
        options = [str(path.with_name(option)) if option.startswith("OUT") else option for option in options]
        result = invoke(command, path, *options)
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, path.read_bytes())
        assert result.exit_code in (0, 1, 2), (command, result.exit_code)
        if result.exit_code == 2:
            assert result.stderr.count("\n") == 1
            assert result.stderr.startswith("error: ")


@given(
    junk=st.binary(max_size=300),
    start=st.sampled_from([b"", FRAME_MAGIC, b'{"cta":"recording",', HEADER.line(), b"Obj\x01"]),
)
def test_random_bytes(files: Path, junk: bytes, start: bytes) -> None:
    """With and without a beginning that looks right."""
    (path := files / "random").write_bytes(start + junk)
    answers_each_command(path)


@given(mutated=mutations, suffix=st.sampled_from(SUFFIXES))
def test_mutated_files(files: Path, mutated: list[Mutation], suffix: str) -> None:
    """Bytes taken out and put in anywhere."""
    data = (files / f"whole{suffix}").read_bytes()
    for place, taken, put in mutated:
        place %= len(data) + 1
        data = data[:place] + put + data[place + taken :]
    (path := files / f"mutated{suffix}").write_bytes(data)
    answers_each_command(path)


@given(mutated=mutations)
def test_mutated_text_in_sound_frames(files: Path, mutated: list[Mutation]) -> None:
    """Checksums and table are right; the text is not."""
    data = (files / "whole.jsonl").read_bytes()
    for place, taken, put in mutated:
        place %= len(data) + 1
        data = data[:place] + put + data[place + taken :]
    (path := files / "mutated.jsonl.zst").write_bytes(in_one_frame(data))
    answers_each_command(path)


def in_one_frame(text: bytes) -> bytes:
    frame = compress(text)
    entry = struct.pack("<II", len(frame), len(text))
    return frame + TABLE_MAGIC + struct.pack("<I", 17) + entry + struct.pack("<IB", 1, 0) + FOOT_MAGIC


ZEROS = compress(bytes(16 << 20))
RECORD = b'{"t":%d,"topic":"org.chicago.cta.turnstile.v1","key":' % START_MS
BOMBS = {
    "a frame of a gibibyte, without a table": compress(bytes(1 << 30)),
    "a frame of a gibibyte, with a table": in_one_frame(bytes(1 << 30)),
    "frames of sixteen mebibytes, a line of a gibibyte": compress(HEADER.line())
    + ZEROS * 64
    + TABLE_MAGIC
    + struct.pack("<I", 8 * 65 + 9)
    + struct.pack("<II", len(compress(HEADER.line())), len(HEADER.line()))
    + struct.pack("<II", len(ZEROS), 16 << 20) * 64
    + struct.pack("<IB", 65, 0)
    + FOOT_MAGIC,
    "a table of four thousand million frames": FRAME_MAGIC + struct.pack("<IB", 2**32 - 1, 0x80) + FOOT_MAGIC,
    "a window of two gibibytes": FRAME_MAGIC + bytes([0x00, 0xA8]) + bytes(100),
    "nothing but magic": FRAME_MAGIC * 50_000,
    "a plain line without an end": HEADER.line() + b"x" * (64 << 20),
    "a deep header": b'{"cta":"recording","x":' + b"[" * (15 << 20) + b"\n",
    "a deep record": HEADER.line() + RECORD + b"[" * (7 << 20) + b"\n",
    "long records": HEADER.line() + (RECORD + b'{"text":"' + b"x" * (7 << 20) + b'"}\n') * 8,
}
MEMORY_BYTES = 1 << 30
"""Of addresses, of which a Python with NumPy takes 300 MB before it has read a byte."""


def container(*blocks: tuple[int, bytes]) -> bytes:
    """An Avro file that says to be a recording, with blocks of so many values and their text, deflated."""
    file = io.BytesIO()
    trailer = b'{"end":{"records":{},"total":0,"first_ms":null,"last_ms":null,"digest":"","sha256":""}}\n'
    write_header(file, row_schema(), SYNC, {HEADER_KEY: HEADER.line().decode(), TRAILER_KEY: trailer.decode()})
    for values, text in blocks:
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = compressor.compress(text) + compressor.flush()
        file.write(long(values) + long(len(packed)) + packed + SYNC)
    return file.getvalue()


SYNC = bytes(16)
AVRO_BOMBS = {
    "a block of a gibibyte": container((1, bytes(1 << 30))),
    "a block of a gibibyte, after a good one": container((1, bytes(7)), (1, bytes(1 << 30))),
    "as many records as there are numbers": container((2**62, bytes(7 << 20))),
    "fewer than none": container((-(2**62), bytes(7))),
    "four million headers": container((1, bytes(6) + long(2**22) + bytes((8 << 20) + 1))),
    "more headers than there are": container((1, bytes(6) + long(2**62) + bytes(8 << 20))),
    "a size of a tebibyte": container() + long(1) + long(1 << 40),
    "metadata of a tebibyte": b"Obj\1" + long(1) + long(1 << 40) + b"x",
    "metadata without an end": b"Obj\1" + long(2**62) + bytes(17 << 20),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(tmp_path: Path, bomb: str) -> None:
    """Every command answers within bounded memory and in seconds."""
    out = str(tmp_path / "out.jsonl")
    answers(tmp_path, BOMBS[bomb], ["info"], ["cat"], ["repair", "-o", out, "--force"])


@pytest.mark.parametrize("bomb", AVRO_BOMBS)
def test_avro_bombs(tmp_path: Path, bomb: str) -> None:
    """As they do, convert does."""
    answers(tmp_path, AVRO_BOMBS[bomb], ["convert", "-o", str(tmp_path / "out.jsonl")])
    assert [path.name for path in tmp_path.iterdir()] == ["bomb"]


def answers(folder: Path, content: bytes, *commands: list[str]) -> None:
    (path := folder / "bomb").write_bytes(content)
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for command, *options in commands:
        ended = subprocess.run(
            [CTA, command, str(path), *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=limit,
            env={"OPENBLAS_NUM_THREADS": "1", "PATH": str(Path(sys.executable).parent)},
        )
        assert ended.returncode in (1, 2), ended.stderr
        assert "Traceback" not in ended.stderr
        assert "MemoryError" not in ended.stderr
