"""A recording as an Avro Object Container File, and back, without loss: any Avro tool reads it.

A row a record: t, topic, key, value, and what a captured record has beside them. Keys and values that a schema explains
are of that schema's record type, others are bytes or null. The header's and the trailer's lines stand in the file's
metadata as they are, so that what comes back is the recording byte for byte, and its trailer says so.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import numpy as np

from cta.model import schemas
from cta.model.batch import Batch, Content
from cta.model.errors import CtaError, RecordingError
from cta.model.raw import Origin, Raw, foreign, raw
from cta.model.topics import BY_NAME, RECORDED
from cta.recording.files import open_file
from cta.recording.format import AVRO_START, RECORD_AGAIN, Trailer, decode_header, decode_trailer
from cta.recording.lines import MEMO_CONTENTS
from cta.recording.newfile import NewFile

SUFFIX: Final = ".avro"
HEADER_KEY: Final = "cta.header"
TRAILER_KEY: Final = "cta.trailer"
NAMESPACE: Final = "org.chicago.cta.v1"
BLOCK_BYTES: Final = 256 << 10
BATCH_RECORDS: Final = 10_000
CODEC: Final = "deflate"
"""The one that every implementation must have."""

_NO_ORIGIN: Final = Origin()
_OURS: Final = {topic.name for topic in RECORDED}

PARTS: Final = {
    f"{NAMESPACE}.{kind.__name__}": kind
    for topic in RECORDED
    for kind in (topic.key_type, topic.value_type)
    if kind is not None
}
"""The struct of each record type by its name."""


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


def write_avro(path: Path, header_line: bytes, trailer: Trailer, batches: Iterable[Batch]) -> None:
    """Write a recording's records as a container file: whole under its name, or not there.

    Errors: OutputError; RecordingError for a record that its Avro schema cannot hold exactly; those of ``batches``.
    """
    import fastavro

    new = NewFile(path)
    new.open()
    try:
        fastavro.writer(
            new.file,
            row_schema(),
            _rows(batches, str(path)),
            codec=CODEC,
            sync_interval=BLOCK_BYTES,
            sync_marker=bytes.fromhex(trailer.digest),  # by default it is random: equal recordings are equal files
            metadata={HEADER_KEY: header_line.decode(), TRAILER_KEY: trailer.line().decode()},
        )
    except OSError as error:
        new.discard()
        raise new.refused(error) from None
    except BaseException:
        new.discard()
        raise
    new.finish()


def _rows(batches: Iterable[Batch], source: str) -> Iterator[dict[str, Any]]:
    for batch in batches:
        batch = batch.compact()
        parts = [_parts(content, source) for content in batch.contents]
        origins = None if batch.origins is None else batch.origins.tolist()
        for row, (time_ms, code) in enumerate(zip(batch.times.tolist(), batch.codes.tolist(), strict=True)):
            if origins is None:
                yield {"t": time_ms, **parts[code]}
            else:
                origin: Origin = origins[row]
                headers = [{"name": name, "value": value and value.data} for name, value in origin.headers]
                place = {"partition": origin.partition, "offset": origin.offset, "headers": headers}
                yield {"t": time_ms, **parts[code], **place}


def _parts(content: Content, source: str) -> dict[str, Any]:
    parts = {"topic": content.topic.name, "key": to_avro(content.key), "value": to_avro(content.value)}
    back = Content(content.topic, *(_exact(part) for part in (content.key, content.value)))
    if back.fragment != content.fragment:
        what = f"no Avro schema holds this record exactly: {content.fragment.decode()[:200]}"
        raise RecordingError(what, where=source, remedy="convert to .jsonl.zst instead")
    return parts


def to_avro(part: Any) -> Any:
    """A key or a value as fastavro takes it: bytes, null, or a record with the name of its type."""
    if part is None or isinstance(part, Raw):
        return part and part.data
    return f"{NAMESPACE}.{type(part).__name__}", msgspec.structs.asdict(part)


def _exact(part: Any) -> Any:
    """The key or value with its numbers as Avro has them: integers of 32 bits where they are int, floats of 32."""
    if part is None or isinstance(part, Raw):
        return part
    numbers = {
        name: float(np.float32(value)) if isinstance(value, float) else value
        for name, value in msgspec.structs.asdict(part).items()
    }
    return type(part)(**numbers) if _fits(part) else None


def _fits(part: Any) -> bool:
    from fastavro.validation import validate

    name = f"{NAMESPACE}.{type(part).__name__}"
    return bool(validate(msgspec.structs.asdict(part), _schema(name), raise_errors=False))


@cache
def _schema(name: str) -> dict[str, Any]:
    found = [part for topic in RECORDED for part in schemas.load(topic).values()]
    return next(part for part in found if f"{part['namespace']}.{part['name']}" == name)


def is_avro(path: Path) -> bool:
    """Whether it begins as an Avro Object Container File does. RecordingError: it cannot be opened."""
    with open_file(path) as file:
        return file.read(len(AVRO_START)) == AVRO_START


class AvroRecording:
    """A container file that `write_avro` has made: ``header_line``, ``trailer`` and, from `batches`, the records."""

    def __init__(self, path: Path) -> None:
        """RecordingError: not such a file."""
        import fastavro

        self.path = path
        with open_file(path) as file, _refusing(path):
            metadata = fastavro.reader(file).metadata
        if HEADER_KEY not in metadata or TRAILER_KEY not in metadata:
            raise RecordingError(
                "an Avro file, but not of a recording", where=str(path), remedy="see cta convert --help"
            )
        self.header_line = metadata[HEADER_KEY].encode()
        self.header = decode_header(self.header_line, str(path))
        self.trailer = decode_trailer(metadata[TRAILER_KEY].encode(), str(path))

    def batches(self) -> Iterator[Batch]:
        """The records in batches of `BATCH_RECORDS`. RecordingError: damage, where the reader finds it."""
        import fastavro

        intern, last_ms = _Interner(self.header.topics), 0
        with open_file(self.path) as file, _refusing(self.path):
            reader = iter(fastavro.reader(file, return_record_name=True))
            while rows := cast(list[dict[str, Any]], list(islice(reader, BATCH_RECORDS))):
                batch = intern.batch(rows)
                if self.header.order == "time" and np.diff(batch.times, prepend=last_ms).min() < 0:
                    raise ValueError("its times go back")
                last_ms = int(batch.times[-1])
                yield batch


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
        raise RecordingError(what, where=str(path), remedy=RECORD_AGAIN) from None


class _Interner:
    """Rows to batches, equal contents as one."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = {name: BY_NAME[name] if name in _OURS else foreign(name) for name in topics}
        self._contents: dict[tuple[Any, ...], Content] = {}

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
        place = (row["topic"], _hashable(row["key"]), _hashable(row["value"]))
        content = self._contents.get(place)
        if content is None:
            topic = self._topics[row["topic"]]
            key, value = _from_avro(row["key"]), _from_avro(row["value"])
            explained = type(key) is topic.key_type and type(value) is topic.value_type
            content = Content(topic if explained else foreign(topic.name), key, value)
            self._contents[place] = content
        return content


def _hashable(part: Any) -> Any:
    return (part[0], *part[1].values()) if isinstance(part, tuple) else part


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
