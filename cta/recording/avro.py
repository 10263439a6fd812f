"""A recording as an Avro Object Container File, and back, without loss: any Avro tool reads it.

A row a record: t, topic, key, value, and what a captured record has beside them. Keys and values that a schema explains
are of that schema's record type, others are bytes or null. The header's and the trailer's lines stand in the file's
metadata as they are, so that what comes back is the recording byte for byte, and its trailer says so.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec
import numpy as np

from cta.model import schemas
from cta.model.batch import Batch, Content
from cta.model.errors import CtaError, RecordingError
from cta.model.raw import Origin, Raw, foreign, raw
from cta.model.topics import BY_NAME, RECORDED
from cta.recording.container import (
    SYNC_BYTES,
    Block,
    long,
    read_blocks,
    read_header,
    write_blocks,
    write_header,
)
from cta.recording.files import open_file
from cta.recording.format import AVRO_START, decode_header, decode_trailer
from cta.recording.lines import MEMO_CONTENTS
from cta.recording.newfile import NewFile

SUFFIX: Final = ".avro"
HEADER_KEY: Final = "cta.header"
TRAILER_KEY: Final = "cta.trailer"
NAMESPACE: Final = "org.chicago.cta.v1"
CONVERT_AGAIN: Final = "convert the recording again, or use an unaltered copy"

_pack = msgspec.msgpack.Encoder().encode
_NO_ORIGIN: Final = Origin()
_NO_ORIGIN_ENCODED: Final = b"\0\0\0"
"""The first of each union, null, and an array's end."""
_CONTENT_FIELDS: Final = ("topic", "key", "value")
_ORIGIN_FIELDS: Final = ("partition", "offset", "headers")
_OURS: Final = {topic.name for topic in RECORDED}

PARTS: Final = {
    f"{NAMESPACE}.{kind.__name__}": kind
    for topic in RECORDED
    for kind in (topic.key_type, topic.value_type)
    if kind is not None
}
"""The struct of each record type by its name."""


@cache
def row_schema() -> dict[str, Any]:
    """The schema of a row."""
    types = [schemas.load(topic) for topic in RECORDED]
    header = {
        "type": "record",
        "name": "Header",
        "fields": [{"name": "name", "type": "string"}, {"name": "value", "type": ["null", "bytes"]}],
    }
    return {
        "type": "record",
        "name": "Record",
        "namespace": NAMESPACE,
        "doc": "A Kafka record. t: its timestamp in epoch milliseconds. partition, offset, headers: as captured.",
        "fields": [
            {"name": "t", "type": "long"},
            {"name": "topic", "type": "string"},
            {"name": "key", "type": ["null", "bytes", *(each["key"] for each in types)]},
            {"name": "value", "type": ["null", "bytes", *(each["value"] for each in types)]},
            {"name": "partition", "type": ["null", "int"], "default": None},
            {"name": "offset", "type": ["null", "long"], "default": None},
            {"name": "headers", "type": {"type": "array", "items": header}, "default": []},
        ],
    }


def write_avro(path: Path, header_line: bytes, trailer_line: bytes, batches: Iterable[Batch]) -> None:
    """Write a recording's records as a container file: whole under its name, or not there.

    Errors: OutputError; RecordingError for a record that its Avro schema cannot hold exactly; those of ``batches``.
    """
    sync = blake2b(trailer_line, digest_size=SYNC_BYTES).digest()  # not at random: equal recordings are equal files
    metadata = {HEADER_KEY: header_line.decode(), TRAILER_KEY: trailer_line.decode()}
    with NewFile(path).whole() as file:
        write_header(file, row_schema(), sync, metadata)
        write_blocks(file, _rows(batches, str(path)), sync)


def _rows(batches: Iterable[Batch], output: str) -> Iterator[bytes]:
    """The records as Avro encodes them: a time, what a content is encoded to once, and where it was captured."""
    encoded: dict[bytes, bytes] = {}
    for batch in batches:
        batch = batch.compact()
        if len(encoded) > MEMO_CONTENTS:
            encoded.clear()
        contents = []
        for content in batch.contents:
            text = encoded.get(content.hash)
            if text is None:
                text = encoded[content.hash] = _encoded(content, output)
            contents.append(text)
        times = batch.times.tolist()
        heads = {time_ms: long(time_ms) for time_ms in set(times)}  # many records share a millisecond
        origins = repeat(_NO_ORIGIN_ENCODED) if batch.origins is None else map(_origin_encoded, batch.origins.tolist())
        rows = zip(times, batch.codes.tolist(), origins, strict=False)
        yield from (heads[time_ms] + contents[code] + origin for time_ms, code, origin in rows)


def _encoded(content: Content, output: str) -> bytes:
    """Topic, key and value. RecordingError: a number in them is not what Avro's type makes of it."""
    import fastavro
    from fastavro.validation import validate

    row = {"topic": content.topic.name, "key": to_avro(content.key), "value": to_avro(content.value)}
    if validate(row, _part_schema(_CONTENT_FIELDS), raise_errors=False):  # integers of 32 bits have so many
        file = io.BytesIO()
        fastavro.schemaless_writer(file, _part_schema(_CONTENT_FIELDS), row)
        file.seek(0)
        back = cast(dict[str, Any], _read(file, _part_schema(_CONTENT_FIELDS)))
        if Content(content.topic, _from_avro(back["key"]), _from_avro(back["value"])).fragment == content.fragment:
            return file.getvalue()
    what = f"no Avro schema holds this record exactly: {content.fragment.decode()[:200]}"
    raise RecordingError(what, where=output, remedy="convert to .jsonl.zst instead")


def to_avro(part: Any) -> Any:
    """A key or a value as fastavro takes it: bytes, null, or a record with the name of its type."""
    if part is None or isinstance(part, Raw):
        return part and part.data
    return f"{NAMESPACE}.{type(part).__name__}", msgspec.structs.asdict(part)


def _origin_encoded(origin: Origin) -> bytes:
    import fastavro

    if origin == _NO_ORIGIN:
        return _NO_ORIGIN_ENCODED
    headers = [{"name": name, "value": value and value.data} for name, value in origin.headers]
    file = io.BytesIO()
    row = {"partition": origin.partition, "offset": origin.offset, "headers": headers}
    fastavro.schemaless_writer(file, _part_schema(_ORIGIN_FIELDS), row)
    return file.getvalue()


@cache
def _canonical_form() -> str:
    from fastavro.schema import to_parsing_canonical_form

    return to_parsing_canonical_form(row_schema())


@cache
def _part_schema(names: tuple[str, ...]) -> Any:
    """The schema of some of a row's fields; they are encoded as they stand in the row."""
    import fastavro

    schema = row_schema()
    return fastavro.parse_schema({**schema, "fields": [each for each in schema["fields"] if each["name"] in names]})


@cache
def _rows_schema() -> Any:
    import fastavro

    return fastavro.parse_schema({"type": "array", "items": row_schema()})


def _read(file: BinaryIO, schema: Any) -> Any:
    import fastavro

    return fastavro.schemaless_reader(file, schema, None, return_record_name=True)


def is_avro(path: Path) -> bool:
    """Whether it begins as an Avro Object Container File does. RecordingError: it cannot be opened."""
    with open_file(path) as file:
        return file.read(len(AVRO_START)) == AVRO_START


class AvroRecording:
    """A container file that `write_avro` has made: its two lines and, from `batches`, the records."""

    def __init__(self, path: Path) -> None:
        """RecordingError: not such a file."""
        from fastavro.schema import to_parsing_canonical_form

        self.path = path
        with open_file(path) as file, _refusing(path):
            self._container = read_header(file)
            metadata = self._container.metadata
            if HEADER_KEY not in metadata or TRAILER_KEY not in metadata:
                what, remedy = "an Avro file, but not of a recording", "see cta convert --help"
                raise RecordingError(what, where=str(path), remedy=remedy)
            schema = msgspec.json.decode(metadata["avro.schema"])
            if to_parsing_canonical_form(schema) != _canonical_form():
                raise ValueError("its schema is not that of a recording's rows")
        self.header_line = metadata[HEADER_KEY].encode()
        self.header = decode_header(self.header_line, str(path), remedy=CONVERT_AGAIN)
        self.trailer_line = metadata[TRAILER_KEY].encode()
        self.trailer = decode_trailer(self.trailer_line, str(path), remedy=CONVERT_AGAIN)

    def batches(self) -> Iterator[Batch]:
        """The records, a block a batch. RecordingError: damage, where the reader finds it."""
        intern, last_ms = _Interner(self.header.topics), 0
        with open_file(self.path) as file, _refusing(self.path):
            for block in read_blocks(file, self._container):
                batch = intern.batch(_rows_of(block))
                if self.header.order == "time" and np.diff(batch.times, prepend=last_ms).min() < 0:
                    raise ValueError("its times go back")
                last_ms = int(batch.times[-1])
                yield batch


def _rows_of(block: Block) -> list[dict[str, Any]]:
    """A block is encoded as an array is, but for the count before it and the end."""
    text = io.BytesIO(long(block.values) + block.text + b"\0")
    rows = cast(list[dict[str, Any]], _read(text, _rows_schema())) if block.values > 0 else []
    if not rows or len(rows) != block.values or text.read(1):
        raise ValueError("a block that does not hold the records that it says")
    return rows


_DAMAGED: Final = (ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, RecursionError, RuntimeError)
_DAMAGED_TOO: Final = (MemoryError, StopIteration, TypeError, ValueError, struct.error, zlib.error)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """What fastavro and zlib raise for a damaged file is as wide as what can be in one."""
    from fastavro.schema import SchemaParseException, UnknownType

    try:
        yield
    except CtaError:
        raise
    except (*_DAMAGED, *_DAMAGED_TOO, SchemaParseException, UnknownType) as error:
        what = f"not a recording in Avro, or damaged: {str(error) or type(error).__name__}"
        raise RecordingError(what, where=str(path), remedy=CONVERT_AGAIN) from None


class _Interner:
    """Rows to batches, equal contents as one."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = {name: BY_NAME[name] if name in _OURS else foreign(name) for name in topics}
        self._contents: dict[bytes, Content] = {}

    def batch(self, rows: list[dict[str, Any]]) -> Batch:
        if len(self._contents) > MEMO_CONTENTS:
            self._contents.clear()
        batch = Batch.of((row["t"], self._content(row)) for row in rows)
        origins = [_origin(row) for row in rows]
        if any(origin != _NO_ORIGIN for origin in origins):
            batch.origins = np.empty(len(rows), np.object_)
            batch.origins[:] = origins
        return batch

    def _content(self, row: dict[str, Any]) -> Content:
        packed = _pack((row["topic"], row["key"], row["value"]))
        content = self._contents.get(packed)
        if content is None:
            topic = self._topics[row["topic"]]
            key, value = _from_avro(row["key"]), _from_avro(row["value"])
            explained = type(key) is topic.key_type and type(value) is topic.value_type
            content = Content(topic if explained else foreign(topic.name), key, value)
            self._contents[packed] = content
        return content


def _from_avro(part: Any) -> Any:
    if isinstance(part, tuple):
        name, fields = part
        # An enum of a union comes with its name too.
        plain = {field: value[1] if isinstance(value, tuple) else value for field, value in fields.items()}
        return msgspec.convert(plain, PARTS[name])
    return raw(part)


def _origin(row: dict[str, Any]) -> Origin:
    if row["partition"] is None and row["offset"] is None and not row["headers"]:
        return _NO_ORIGIN
    headers = tuple((header["name"], raw(header["value"])) for header in row["headers"])
    return Origin(partition=row["partition"], offset=row["offset"], headers=headers)
