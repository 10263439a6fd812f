"""A recording is whole under its final name, or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cta.model.batch import Batch
from cta.model.errors import OutputError
from cta.recording.format import Header
from cta.recording.newfile import NewFile
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter
from tests.recording.records import ENTRY, HEADER, SMALL, START_MS, Records, write

ROOT = Path(__file__).parents[2]
REMEDY = "nothing was left behind; name a place with room that you may write to"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def record(
    path: Path,
    *batches: Records,
    header: Header = HEADER,
    failing_with: type[BaseException] | None = None,
    leaves: bool = False,
) -> None:
    with RecordingWriter(path, header, leaves=leaves) as writer:
        for records in batches:
            writer.write(Batch.of(records))
        if failing_with is not None:
            raise failing_with


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_the_final_name_comes_last(path: Path) -> None:
    """While it is written there is a partial file only; then the whole one only, and its trailer is to be had."""
    with RecordingWriter(path, HEADER) as writer:
        writer.write(Batch.of(SMALL))
        assert (names(path.parent), writer.trailer) == (["run.jsonl.partial"], None)
    assert names(path.parent) == ["run.jsonl"]
    assert writer.trailer == Recording.open(path).trailer


def test_a_failed_run_leaves_what_stood_there(path: Path) -> None:
    """An error on the way leaves nothing new, and the earlier recording as it was."""
    before = write(path, SMALL).read_bytes()
    with pytest.raises(ZeroDivisionError):
        record(path, SMALL[:1], failing_with=ZeroDivisionError)
    assert (names(path.parent), path.read_bytes()) == (["run.jsonl"], before)


def test_an_interrupted_run_leaves_its_whole_records(path: Path) -> None:
    """Ctrl+C keeps the partial file where it is wanted, up to the last record written, and no final name."""
    with pytest.raises(KeyboardInterrupt):
        record(path, SMALL, failing_with=KeyboardInterrupt, leaves=True)
    assert names(path.parent) == ["run.jsonl.partial"]
    left = path.with_name("run.jsonl.partial").read_bytes()
    whole = write(path, SMALL).read_bytes()
    assert left == b"".join(whole.splitlines(keepends=True)[:-1])


def test_an_interrupted_copy_leaves_nothing(path: Path) -> None:
    """What can be had again from where it was read is not left lying about."""
    with pytest.raises(KeyboardInterrupt):
        record(path, SMALL, failing_with=KeyboardInterrupt)
    assert names(path.parent) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_file_that_fails_on_the_way_leaves_nothing(path: Path, error: type[BaseException]) -> None:
    """Whatever it is that fails, what stood there stays."""

    def write_and_fail() -> None:
        with NewFile(path).whole() as file:
            file.write(b"after")
            raise error

    path.write_bytes(b"before")
    with pytest.raises(error):
        write_and_fail()
    assert (names(path.parent), path.read_bytes()) == (["run.jsonl"], b"before")


def test_one_writer_a_name(path: Path) -> None:
    """The second is refused, whatever the first has left there before; the first's file is whole."""
    path.with_name("run.jsonl.partial").write_bytes(b"left over")
    with RecordingWriter(path, HEADER) as writer:
        with pytest.raises(OutputError) as caught:
            write(path, SMALL[:1])
        writer.write(Batch.of(SMALL))
    assert str(caught.value) == f"{path}: is being written by another run; wait for its end, or choose another name"
    assert Recording.open(path).trailer == writer.trailer
    assert names(path.parent) == ["run.jsonl"]


def test_a_partial_file_of_an_earlier_run_is_no_hindrance(path: Path) -> None:
    """Recording again after an interruption just works."""
    path.with_name("run.jsonl.partial").write_bytes(b"left over" * 10_000)
    write(path, SMALL)
    assert names(path.parent) == ["run.jsonl"]
    assert Recording.open(path).trailer.total == len(SMALL)


def test_a_directory_in_the_way(tmp_path: Path) -> None:
    """A directory is not written to, nor replaced."""
    with pytest.raises(OutputError) as caught:
        write(tmp_path, SMALL)
    assert str(caught.value) == f"{tmp_path}: a directory; name a file to write"


def test_a_device_is_not_replaced(path: Path) -> None:
    """What is not a regular file keeps its place: -o /dev/null must not unmake /dev/null."""
    os.mkfifo(path)
    with pytest.raises(OutputError) as caught:
        write(path, SMALL)
    assert str(caught.value) == f"{path}: not a regular file; name a file to write"
    assert names(path.parent) == ["run.jsonl"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """The path is named as it was given."""
    path = tmp_path / "missing" / "run.jsonl"
    with pytest.raises(OutputError) as caught:
        write(path, SMALL)
    assert str(caught.value) == f"{path}: cannot be written: no such file or directory; {REMEDY}"


def test_a_link_goes_on_being_one(tmp_path: Path) -> None:
    """Through a symbolic link it is the file behind it that is replaced."""
    (tmp_path / "link.jsonl").symlink_to("run.jsonl")
    write(tmp_path / "link.jsonl", SMALL)
    assert (tmp_path / "link.jsonl").is_symlink()
    assert Recording.open(tmp_path / "run.jsonl").trailer.total == len(SMALL)


def test_records_out_of_order_are_a_bug_of_the_caller(path: Path) -> None:
    """What the reader would refuse is not written."""
    for records in ([(START_MS, ENTRY)], [(START_MS + 9_999, ENTRY), (START_MS + 9_998, ENTRY)]):
        with pytest.raises(ValueError, match="order of time"):
            record(path, SMALL, records)
    assert names(path.parent) == []


FULL_DISK = """
import resource, sys
from cta.model.errors import OutputError
from tests.recording.test_writer import long_recording

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
try:
    long_recording(sys.argv[1])
except OutputError as error:
    print(error)
"""
KILLED = """
import sys, time
from cta.model.batch import Batch
from cta.recording.writer import RecordingWriter
from tests.recording.records import ENTRY, HEADER, START_MS

with RecordingWriter(sys.argv[1], HEADER) as writer:
    for i in range(10**9):
        writer.write(Batch.of([(START_MS + i, ENTRY)] * 1_000))
        if i == 100:
            print("writing", flush=True)
"""


def long_recording(path: str | Path) -> None:
    """A header and records that are each more than the writer's buffer."""
    header = msgspec.structs.replace(HEADER, stations=({"station_name": "x" * 2_000_000},))
    record(Path(path), *([(START_MS + second, ENTRY)] * 10_000 for second in range(3)), header=header)


@pytest.mark.parametrize("short_by", [1, 500, 3_000_000, -100])
def test_a_full_disk(path: Path, short_by: int) -> None:
    """In the header, among the records or one byte from the end: a clear error and nothing left behind."""
    long_recording(path)
    room = -short_by if short_by < 0 else path.stat().st_size - short_by
    path.unlink()
    run = [sys.executable, "-c", FULL_DISK, str(path), str(room)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"{path}: cannot be written: file too large; {REMEDY}\n"
    assert names(path.parent) == []


def test_a_killed_run(path: Path) -> None:
    """Killed, it leaves a partial file and no final name; what is in it are records as far as they go."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "writing\n"
        run.send_signal(signal.SIGKILL)
    assert names(path.parent) == ["run.jsonl.partial"]
    header, first, *_ = path.with_name("run.jsonl.partial").read_bytes().splitlines(keepends=True)
    assert (header, first) == (HEADER.line(), b'{"t":%d,%b}\n' % (START_MS, ENTRY.fragment))
