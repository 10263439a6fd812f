"""Recordings in frames: the same text, read by any Zstandard tool, at any place, and nothing believed unseen."""

from __future__ import annotations

import io
import json
import shutil
import struct
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyzstd import CParameter, SeekableZstdFile, compress, decompress

from cta.commands.info import about
from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording import reader, seek, seekable
from cta.recording.reader import Recording, is_recording
from cta.recording.seek import first_line
from cta.recording.seekable import FOOT_MAGIC, TABLE_MAGIC, FrameReader, FrameWriter, NoTableError, Stretch, walk
from cta.recording.writer import RecordingWriter
from tests.recording.records import ARRIVAL, ENTRY, HEADER, SMALL, START_MS, Records, ordered_streams, write

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONG: Records = [(START_MS + 10 * i, content) for i in range(20_000) for content in (ENTRY, ARRIVAL)]
"""Eight frames of records."""
CHECKSUM_FLAG = 1 << 2
"""Of a frame's descriptor, the byte behind its magic number (RFC 8878, 3.1.1.1.1)."""
lines = st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"") + b"\n"), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of eight frames of records, ten in all."""
    return write(tmp_path_factory.mktemp("long") / "long.jsonl.zst", LONG)


def framed(texts: list[bytes], level: int = 3) -> bytes:
    """A seekable file by its document: a frame a text, a table without checksums."""
    frames = [compress(text, {CParameter.compressionLevel: level, CParameter.checksumFlag: 1}) for text in texts]
    entries = b"".join(struct.pack("<II", len(frame), len(text)) for frame, text in zip(frames, texts, strict=True))
    foot = struct.pack("<IB", len(frames), 0) + FOOT_MAGIC
    return b"".join(frames) + TABLE_MAGIC + struct.pack("<I", len(entries + foot)) + entries + foot


def written(texts: list[bytes]) -> bytes:
    file = io.BytesIO()
    writer = FrameWriter(file)
    for text in texts:
        writer.write(text)
    writer.finish()
    return file.getvalue()


# ------------------------------------------------------------------------------------------------------- the same text


@given(records=ordered_streams)
def test_both_forms_have_the_same_text(tmp_path_factory: pytest.TempPathFactory, records: Records) -> None:
    """Decompressed as one stream, a recording in frames is the plain recording byte for byte."""
    folder = tmp_path_factory.getbasetemp()
    plain, framed = write(folder / "same.jsonl", records), write(folder / "same.jsonl.zst", records)
    assert decompress(framed.read_bytes()) == plain.read_bytes()
    assert Recording.open(framed).trailer == Recording.open(plain).trailer


def test_frames_are_whole_lines_of_a_mebibyte_and_ends_have_their_own(long: Path) -> None:
    """Header and trailer stand alone; records in frames that end with a line and take no more than 1 MiB."""
    with long.open("rb") as file:
        texts = [stretch.text or b"" for stretch in walk(file)]
    assert texts[0] == HEADER.line()
    assert texts[-1] == Recording.open(long).trailer.line()
    assert all(text.endswith(b"\n") for text in texts)
    assert all((1 << 20) - 300 < len(text) <= 1 << 20 for text in texts[1:-2])
    assert len(texts) == 10


def test_any_tool_reads_it(long: Path) -> None:
    """``zstd -dc FILE | jq`` gives every line: libzstd passes over the table, and finds a right checksum in each frame."""
    data = long.read_bytes()
    lines = [json.loads(line) for line in decompress(data).splitlines()]
    assert [line["t"] for line in lines[1:-1]] == [time_ms for time_ms, _ in LONG]
    with long.open("rb") as file:
        assert all(data[frame.start + 4] & CHECKSUM_FLAG for frame in walk(file))


def test_pyzstd_reads_ours_at_any_place(long: Path) -> None:
    """The library's own reader finds our table good."""
    text = decompress(long.read_bytes())
    with SeekableZstdFile(long) as file:
        file.seek(3_000_000)
        assert file.read(100_000) == text[3_000_000:3_100_000]
        file.seek(-1_000, 2)
        assert file.read() == text[-1_000:]


def test_ours_reads_pyzstd_s(long: Path) -> None:
    """Frames that end within lines, of another size, without checksums in the table."""
    other = long.with_name("other.jsonl.zst")
    with SeekableZstdFile(other, "w", max_frame_content_size=100_001) as file:
        file.write(decompress(long.read_bytes()))
    recording = Recording.open(other)
    assert [record for batch in recording.batches() for record in batch] == LONG
    window = [record for batch in recording.batches(START_MS + 70_000, START_MS + 80_000) for record in batch]
    assert window == [record for record in LONG if START_MS + 70_000 <= record[0] < START_MS + 80_000]


def test_read_by_what_it_is_and_not_by_its_name(long: Path) -> None:
    """Renamed, it is a recording still."""
    renamed = shutil.copy(long, long.with_name("renamed.partial"))
    assert is_recording(renamed)
    assert Recording.open(renamed).trailer.total == len(LONG)


@given(lines, st.integers(1, 60), st.data())
def test_any_place_can_be_read(texts: list[bytes], frame_bytes: int, data: st.DataObject) -> None:
    """Reading so many bytes from a place gives what stands there, whatever the size of frames."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seekable, "FRAME_BYTES", frame_bytes)
        file = written(texts)
    whole = b"".join(texts)
    assert decompress(file) == whole
    place, size = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))
    with io.BufferedReader(FrameReader(io.BytesIO(file), "x")) as text:
        text.seek(place)
        assert text.read(size) == whole[place : place + size]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40).map(sorted),
    st.lists(st.integers(1, 200), min_size=1, max_size=8),
    st.integers(-1, 6),
)
def test_a_moment_is_found_whatever_the_frames(times: list[int], sizes: list[int], from_ms: int) -> None:
    """From the line that is found on, no record of the moment or later is missing; frames may end anywhere."""
    header = b'{"cta":"recording","t":0}\n'
    records = [b'{"t":%d,"topic":"x","key":null,"value":null}\n' % time_ms for time_ms in times]
    text = header + b"".join(records)
    bounds = [bound for bound in accumulate(sizes, initial=0) if bound < len(text)] + [len(text)]
    file = framed([text[a:b] for a, b in pairwise(bounds)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seek, "NEAR_BYTES", 1)  # so that lines of these few are searched too
        start = first_line(FrameReader(io.BytesIO(file), "x"), len(header), from_ms)
    assert start == len(header) or text[start - 1 : start] == b"\n"
    before = text[len(header) : start].count(b"\n")
    assert all(time_ms < from_ms for time_ms in times[:before])


@given(st.integers(-1, 210_000), st.integers(-1, 210_000))
def test_a_window_is_a_cut_of_the_whole_in_frames(long: Path, one: int, other: int) -> None:
    """Read from its own frames alone, a window is what it is in the whole."""
    from_ms, until_ms = START_MS + min(one, other), START_MS + max(one, other)
    window = [record for batch in Recording.open(long).batches(from_ms, until_ms) for record in batch]
    assert window == [record for record in LONG if from_ms <= record[0] < until_ms]


def test_a_window_reads_its_own_frames_only(long: Path, tmp_path: Path) -> None:
    """Damage in another frame does not hinder it; damage in its own is found by the checksum."""
    data = bytearray(long.read_bytes())
    with long.open("rb") as file:
        third = list(walk(file))[3]
    data[(third.start + third.stop) // 2] ^= 1
    (damaged := tmp_path / "damaged.jsonl.zst").write_bytes(data)
    recording = Recording.open(damaged)
    assert sum(len(batch) for batch in recording.batches(None, START_MS + 10_000)) == 2_000
    with pytest.raises(RecordingError, match=r"frame 4 of 10: damaged"):
        list(recording.batches(START_MS + 60_000, START_MS + 61_000))
    with pytest.raises(RecordingError, match=r"frame 4 of 10: damaged"):
        list(recording.batches())


# ------------------------------------------------------------------------------------------------------------- damage


@pytest.mark.parametrize("place", range(1, 10))
def test_a_foot_that_is_wrong(place: int) -> None:
    """Any byte of the last nine changed: no table, or one that does not fit."""
    file = bytearray(written([b"one\n", b"two\n"]))
    file[-place] ^= 0x04
    with pytest.raises(RecordingError):
        FrameReader(io.BytesIO(file), "x")


@pytest.mark.parametrize(
    "texts, change",
    [
        ([b"a" * 100], (-17, 99)),  # the text's size, one less
        ([b"a" * 100], (-17, 101)),
        ([b"a" * 100], (-17, 1 << 31)),  # a table that asks for two gibibytes
        ([b"a" * 100], (-21, 0)),  # the compressed size
    ],
)
def test_a_table_that_does_not_fit(texts: list[bytes], change: tuple[int, int]) -> None:
    """Sizes are held against the file and against the frames before they are believed."""
    file = bytearray(framed(texts))
    place, value = change
    file[place : place + 4] = value.to_bytes(4, "little")
    with pytest.raises(RecordingError):
        FrameReader(io.BytesIO(file), "x").frame(0)


def test_a_checksum_of_the_table_that_is_not_the_frame_s() -> None:
    """A frame and its checksum are sound, the table's copy is not: refused."""
    file = bytearray(written([b"one\n"]))
    file[-10] ^= 1  # the last byte of the only entry
    with pytest.raises(RecordingError, match="its checksum is not the table's"):
        FrameReader(io.BytesIO(file), "x").frame(0)


def test_frames_that_do_not_fill_the_file() -> None:
    """Bytes that no entry of the table accounts for: refused before any frame is read."""
    with pytest.raises(RecordingError, match="does not fit the file"):
        FrameReader(io.BytesIO(b"junk" + written([b"one\n"])), "x")


def test_a_frame_of_more_than_it_says_is_not_decompressed_further() -> None:
    """A gibibyte of zeros in 30 kB, said to be ten bytes: refused after ten bytes."""
    bomb = compress(bytes(1 << 30), 19)
    entry = struct.pack("<II", len(bomb), 10)
    file = bomb + TABLE_MAGIC + struct.pack("<I", 17) + entry + struct.pack("<IB", 1, 0) + FOOT_MAGIC
    with pytest.raises(RecordingError, match="does not fit the table"):
        FrameReader(io.BytesIO(file), "x").frame(0)


def test_a_file_without_its_table_says_what_is_whole(long: Path, tmp_path: Path) -> None:
    """Cut in the fourth frame of records, the records of three are counted."""
    with long.open("rb") as file:
        stretches = list(walk(file))
    (cut := tmp_path / "cut.jsonl.zst").write_bytes(long.read_bytes()[: stretches[4].stop - 1])
    whole = sum((stretch.text or b"").count(b"\n") for stretch in stretches[1:4])
    with pytest.raises(RecordingError) as caught:
        Recording.open(cut)
    assert str(caught.value).startswith(f"{cut} line {whole + 2}: cut short: {whole} records are whole")


@pytest.mark.parametrize("junk", [b"", b"junk", seekable.FRAME_MAGIC, seekable.FRAME_MAGIC + b"junk", bytes(1_000)])
def test_no_table(junk: bytes) -> None:
    """What does not end with a table is said to have none."""
    with pytest.raises(NoTableError):
        FrameReader(io.BytesIO(junk), "x")


@given(lines, st.integers(1, 60), st.integers(0), st.binary(min_size=1, max_size=20))
def test_walking_finds_every_frame_but_the_damaged(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes], frame_bytes: int, place: int, junk: bytes
) -> None:
    """Junk between two frames costs neither; stretches follow on one another without gaps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seekable, "FRAME_BYTES", frame_bytes)
        whole = written(texts)
    path = tmp_path_factory.getbasetemp() / "walked"

    def walked(data: bytes) -> list[Stretch]:
        path.write_bytes(data)
        with path.open("rb") as file:
            return list(walk(file))

    frames = walked(whole)
    assert b"".join(frame.text or b"" for frame in frames) == b"".join(texts)
    cut = frames[place % len(frames)].start
    found = walked(whole[:cut] + junk + whole[cut:])
    assert [stretch.text for stretch in found if stretch.text is not None] == [frame.text for frame in frames]
    assert [(s.start, s.stop) for s in found if s.text is None] == [(cut, cut + len(junk))]


def test_a_line_longer_than_a_frame(tmp_path: Path) -> None:
    """A header of several mebibytes goes over several frames and comes back."""
    from msgspec.structs import replace

    header = replace(HEADER, stations=({"station_name": "x" * 3_000_000},))
    with RecordingWriter(path := tmp_path / "run.jsonl.zst", header) as writer:
        writer.write(Batch.of(SMALL))
    recording = Recording.open(path)
    assert recording.header == header
    assert [record for batch in recording.batches() for record in batch] == SMALL
    window = [record for batch in recording.batches(START_MS + 1_000) for record in batch]
    assert window == SMALL[2:]


# ------------------------------------------------------------------------------------------------------- a large file


class Counting(io.FileIO):
    """A file that counts what is read of it."""

    bytes_read = 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        read = super().readinto(buffer) or 0
        Counting.bytes_read += read
        return read


@pytest.mark.parametrize("name", ["large.jsonl", "large.jsonl.zst"])
def test_info_of_a_gigabyte_reads_the_ends_and_the_index(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of which everything but the ends and the index is a hole: two mebibytes are read of it, none of the hole."""
    small, large, hole = write(tmp_path / f"small_{name}", SMALL), tmp_path / name, 1 << 30
    data = small.read_bytes()
    with small.open("rb") as file, large.open("wb") as out:
        first = len(HEADER.line()) if small.suffix == ".jsonl" else next(walk(file)).stop
        trailer = Recording.open(small).trailer.line()
        out.write(data[:first])
        out.seek(hole, 1)
        if small.suffix == ".jsonl":
            out.write(b"\n" + trailer)
        else:
            last = compress(trailer)
            entries = struct.pack("<II", first, len(HEADER.line())) + struct.pack("<II", 1 << 15, 1 << 20) * (
                hole >> 15
            )
            entries += struct.pack("<II", len(last), len(trailer))
            out.write(last + TABLE_MAGIC + struct.pack("<I", len(entries) + 9) + entries)
            out.write(struct.pack("<IB", len(entries) // 8, 0) + FOOT_MAGIC)
    # The real file, read by what counts its bytes: nothing else tells that most of it is not read.
    monkeypatch.setattr(reader, "open_file", lambda path: io.BufferedReader(Counting(path)))
    Counting.bytes_read = 0
    found = about(str(large))
    assert (found.file_bytes > hole, found.trailer) == (True, Recording.open(small).trailer)
    assert Counting.bytes_read < 2 << 20
