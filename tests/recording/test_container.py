"""The framing of Avro's container files, held against fastavro's own."""

from __future__ import annotations

import io

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.recording.container import (
    BLOCK_BYTES,
    MAX_BLOCK_BYTES,
    long,
    read_blocks,
    read_header,
    write_blocks,
    write_header,
)

SYNC = bytes(range(16))
longs = st.integers(-(2**63), 2**63 - 1)


def written(values: list[int]) -> io.BytesIO:
    return written_as("long", list(map(long, values)))


def written_as(schema: str, encoded: list[bytes]) -> io.BytesIO:
    file = io.BytesIO()
    write_header(file, schema, SYNC, {"ours": "é"})
    write_blocks(file, encoded, SYNC)
    file.seek(0)
    return file


@given(values=st.lists(longs))
def test_fastavro_reads_what_is_written(values: list[int]) -> None:
    """The values, and the metadata."""
    reader = fastavro.reader(written(values))
    assert (list(reader), reader.metadata["ours"]) == (values, "é")


@given(values=st.lists(longs, min_size=1), codec=st.sampled_from(["null", "deflate"]))
def test_what_fastavro_writes_is_read(values: list[int], codec: str) -> None:
    """In blocks of its own size, with either codec that every implementation has."""
    file = io.BytesIO()
    fastavro.writer(file, "long", values, codec=codec, sync_interval=20)
    file.seek(0)
    blocks = list(read_blocks(file, read_header(file)))
    assert b"".join(block.text for block in blocks) == b"".join(map(long, values))
    assert sum(block.values for block in blocks) == len(values)


def test_a_block_is_written_when_there_is_enough_for_one() -> None:
    """And what is left at the end."""
    half = BLOCK_BYTES // 2
    values = [long(size) + bytes(size) for size in (half, half, half, 1)]
    blocks = list(read_blocks(file := written_as("bytes", values), read_header(file)))
    assert blocks == [(2, b"".join(values[:2])), (2, b"".join(values[2:]))]


@pytest.mark.parametrize("size", range(len(written([1, 2, 3]).getvalue())))
def test_a_file_that_is_cut_short(size: int) -> None:
    """After any byte: an error, or no block where the header has just ended."""
    whole = written([1, 2, 3]).getvalue()
    file = io.BytesIO(whole[:size])
    try:
        assert list(read_blocks(file, read_header(file))) == []
        assert whole[size - len(SYNC) : size] == SYNC
    except (EOFError, ValueError):
        pass


@pytest.mark.parametrize(
    ("block", "what"),
    [
        (long(1) + long(-1) + SYNC, "no size"),
        (long(1) + long(2**40), "no size"),
        (b"\x80" * 20, "number without an end"),
        (long(1) + long(1) + b"x" + SYNC[::-1], "without its end"),
        (long(1) + long(2) + b"\3\0" + SYNC + b"\x80", "number without an end"),
    ],
)
def test_a_damaged_block(block: bytes, what: str) -> None:
    """No size that any has, another sync marker, a number that does not end."""
    file = io.BytesIO(written([]).getvalue() + block)
    with pytest.raises(ValueError, match=what):
        list(read_blocks(file, read_header(file)))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_a_block_beyond_its_bound(codec: str) -> None:
    """However small it is in the file, no more of it is made than any block has."""
    longest = MAX_BLOCK_BYTES - len(long(MAX_BLOCK_BYTES))
    good, beyond = io.BytesIO(), io.BytesIO()
    for file, size in ((good, longest), (beyond, longest + 1)):
        fastavro.writer(file, "bytes", [bytes(size)], codec=codec)
        file.seek(0)
    assert [len(block.text) for block in read_blocks(good, read_header(good))] == [MAX_BLOCK_BYTES]
    with pytest.raises(ValueError, match=r"no size|longer than"):
        list(read_blocks(beyond, read_header(beyond)))
