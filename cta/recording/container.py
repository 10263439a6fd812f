"""The framing of an Avro Object Container File: a header, then blocks of values, each deflated by itself.

fastavro frames such files too, but decompresses a block to whatever it comes to, and reads values by whatever schema
the file brings. Here a header and a block have their bounds, held before anything is made of them; what is in a block
is the caller's matter.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final, NamedTuple

from cta.recording.format import MAX_HEADER_BYTES, MAX_LINE_BYTES, MAX_TRAILER_BYTES

BLOCK_BYTES: Final = 256 << 10
MAX_BLOCK_BYTES: Final = MAX_LINE_BYTES + (1 << 20)
"""Of values: a block is written when it has `BLOCK_BYTES`, and no value is longer than a recording's line."""
MAX_CONTAINER_HEADER_BYTES: Final = MAX_HEADER_BYTES + MAX_TRAILER_BYTES + (1 << 20)
"""Both lines of a recording, and the schema."""
CODEC: Final = "deflate"
"""The one that every implementation must have, beside ``null``."""
LEVEL: Final = 6
SYNC_BYTES: Final = 16

_RAW_DEFLATE: Final = -15
_HEADER: Final = {
    "type": "record",
    "name": "org.apache.avro.file.Header",
    "fields": [
        {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": 4}},
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": SYNC_BYTES}},
    ],
}
"""Of the Avro specification."""


class ContainerHeader(NamedTuple):
    """What stands before the blocks."""

    metadata: dict[str, str]
    sync: bytes
    file_bytes: int
    """Its length: where the blocks begin."""


class Block(NamedTuple):
    """Values behind one another, inflated."""

    values: int
    """How many it says it holds."""
    text: bytes


def write_header(file: BinaryIO, schema: Any, sync: bytes, metadata: Mapping[str, str]) -> None:
    """Write what stands before the blocks; ``sync`` is to end each of them."""
    import fastavro

    fastavro.writer(file, schema, [], codec=CODEC, sync_marker=sync, metadata=dict(metadata))


def write_blocks(file: BinaryIO, values: Iterable[bytes], sync: bytes) -> None:
    """Write encoded values, `BLOCK_BYTES` and more a block."""
    pending: list[bytes] = []
    size = 0
    for value in values:
        pending.append(value)
        size += len(value)
        if size >= BLOCK_BYTES:
            _write_block(file, pending, sync)
            pending, size = [], 0
    if pending:
        _write_block(file, pending, sync)


def _write_block(file: BinaryIO, values: list[bytes], sync: bytes) -> None:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    packed = compressor.compress(b"".join(values)) + compressor.flush()
    file.write(long(len(values)) + long(len(packed)) + packed + sync)


def read_header(file: BinaryIO) -> ContainerHeader:
    """The header, from the file's first byte on. Errors: those of fastavro for what is none, or longer than any is."""
    import fastavro

    text = io.BytesIO(file.read(MAX_CONTAINER_HEADER_BYTES))
    header: Any = fastavro.schemaless_reader(text, _HEADER, None)
    metadata = {name: value.decode() for name, value in header["meta"].items()}
    return ContainerHeader(metadata, header["sync"], text.tell())


def read_blocks(file: BinaryIO, header: ContainerHeader) -> Iterator[Block]:
    """The blocks behind the header. Errors: ValueError for a block that is damaged or beyond its bound."""
    codec = header.metadata.get("avro.codec", "null")
    if codec not in ("null", CODEC):
        raise ValueError(f"its codec is {codec}; null and {CODEC} are read")
    file.seek(header.file_bytes)
    while (values := _long(file)) is not None:
        size = _long(file)
        if size is None or not 0 <= size <= MAX_BLOCK_BYTES:
            raise ValueError("a block of no size that any has")
        packed = file.read(size)
        if file.read(SYNC_BYTES) != header.sync:
            raise ValueError("a block without its end")
        yield Block(values, _inflated(packed) if codec == CODEC else packed)


def _inflated(packed: bytes) -> bytes:
    decompressor = zlib.decompressobj(_RAW_DEFLATE)
    text = decompressor.decompress(packed, MAX_BLOCK_BYTES)
    if not decompressor.eof:  # behind the end, fastavro leaves some bytes of a checksum
        raise ValueError(f"a block that is cut short, or longer than {MAX_BLOCK_BYTES} bytes")
    return text


def long(number: int) -> bytes:
    """Avro's long and int: zigzag, then seven bits a byte, the lowest first."""
    rest = number << 1 ^ number >> 63
    encoded = bytearray()
    while rest > 0x7F:
        encoded.append(rest & 0x7F | 0x80)
        rest >>= 7
    encoded.append(rest)
    return bytes(encoded)


def _long(file: BinaryIO) -> int | None:
    """The next long of the file; None at its end. Errors: ValueError for one that does not end."""
    rest, shift = 0, 0
    while byte := file.read(1):
        rest |= (byte[0] & 0x7F) << shift
        if byte[0] <= 0x7F:
            return rest >> 1 ^ -(rest & 1)
        shift += 7
        if shift > 63:
            break
    if shift:
        raise ValueError("a number without an end")
    return None
