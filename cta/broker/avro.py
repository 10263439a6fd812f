"""Keys and values as Kafka's bytes: Confluent's framing around Avro, by the schemas of `cta.model.schemas`.

A framed key or value is a zero byte, the schema's id in the registry as four bytes, big-endian, and the Avro body. Ids
belong to a registry, so they are asked for when they are first needed, and are no part of a record.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any, Final, Protocol

import fastavro
import msgspec
from msgspec import Struct

from cta.model import schemas
from cta.model.batch import Content
from cta.model.errors import RecordError
from cta.model.raw import Raw
from cta.model.schemas import Schema
from cta.model.topics import RECORDED, Topic

MAGIC: Final = 0
FRAME: Final = struct.Struct(">BI")
MEMO_CONTENTS: Final = 65_536
"""A full day has about 9,000 contents; a foreign stream may have one a record, at about 1 kB each."""

_UNDECODABLE: Final = (EOFError, IndexError, KeyError, OverflowError, TypeError, ValueError, MemoryError, struct.error)
"""What fastavro and msgspec raise for bytes that are not what the schema says."""


class Schemas(Protocol):
    """A registry, as far as a broker needs one. Errors of both methods: ServiceError where it cannot be reached."""

    def register(self, subject: str, schema: Schema) -> int:
        """The id of the schema under a subject, which has it afterwards if it did not before.

        Raises if the subject's compatibility does not allow it.
        """

    def by_id(self, schema_id: int) -> Schema | None:
        """The schema of an id; None if there is none."""


def topic_of(name: str) -> Topic | None:
    """The recorded topic that a Kafka topic holds, whatever namespace is before its name; None: it is not ours."""
    return next((topic for topic in RECORDED if name.endswith(topic.name)), None)


class _Part:
    """The keys or the values of a topic."""

    def __init__(self, subject: str, schema: Schema, struct_type: type[Struct], registry: Schemas) -> None:
        self.subject = subject
        self._schema = schema
        self._parsed = fastavro.parse_schema(schema)
        self._type = struct_type
        self._registry = registry
        self._head: bytes | None = None
        self._writers: dict[int, Any] = {}

    def head(self) -> bytes:
        """The frame before every body."""
        if self._head is None:
            self._head = FRAME.pack(MAGIC, self._registry.register(self.subject, self._schema))
        return self._head

    def encode(self, record: Struct | Raw | None) -> bytes | None:
        """Framed; what no schema explains as it is. Errors: RecordError."""
        if record is None or isinstance(record, Raw):
            return None if record is None else record.data
        buffer = BytesIO()
        buffer.write(self.head())
        try:
            fastavro.schemaless_writer(buffer, self._parsed, msgspec.structs.asdict(record))
        except _UNDECODABLE as error:
            raise RecordError(f"{record} is not what the schema says: {error}", where=self.subject) from None
        return buffer.getvalue()

    def decode(self, framed: bytes | None) -> Struct:
        """The record in framed bytes. Errors: RecordError."""
        if framed is None:
            raise self._unreadable("null")
        if len(framed) < FRAME.size or framed[0] != MAGIC:
            raise self._unreadable(f"not in Confluent's framing, it begins with {framed[:8]!r}")
        writer = self._writer(FRAME.unpack_from(framed)[1])
        buffer = BytesIO(framed)
        buffer.seek(FRAME.size)
        try:
            fields = fastavro.schemaless_reader(buffer, writer, None if writer is self._parsed else self._parsed)
            record = msgspec.convert(fields, self._type)
        except _UNDECODABLE as error:
            raise self._unreadable(f"not what its schema says: {type(error).__name__} {error}") from None
        except fastavro.read.SchemaResolutionError as error:
            raise self._unreadable(f"its schema cannot be read as ours: {error}") from None
        if buffer.tell() != len(framed):
            raise self._unreadable(f"{len(framed) - buffer.tell()} bytes too long for its schema")
        return record

    def _writer(self, schema_id: int) -> Any:
        """The schema of an id; our own object where it is equal to ours, so that nothing has to be resolved."""
        if schema_id not in self._writers:
            schema = self._registry.by_id(schema_id)
            if schema is None:
                raise self._unreadable(f"the registry has no schema {schema_id}")
            try:
                parsed = fastavro.parse_schema(schema)
            except (fastavro.schema.SchemaParseException, fastavro.schema.UnknownType) as error:
                raise self._unreadable(f"schema {schema_id} is not Avro: {error}") from None
            same = fastavro.schema.to_parsing_canonical_form(parsed) == fastavro.schema.to_parsing_canonical_form(
                self._parsed
            )
            self._writers[schema_id] = self._parsed if same else parsed
        return self._writers[schema_id]

    def _unreadable(self, what: str) -> RecordError:
        return RecordError(what, where=self.subject)


class Codec:
    """The records of one Kafka topic, both ways. An encoded content is kept, by its identity."""

    def __init__(self, name: str, topic: Topic, registry: Schemas) -> None:
        """``name``: the Kafka topic's, with its namespace; subjects are named after it (TopicNameStrategy)."""
        assert topic.key_type is not None
        assert topic.value_type is not None
        self.topic = topic
        parts = schemas.load(topic)
        self._key = _Part(f"{name}-key", parts["key"], topic.key_type, registry)
        self._value = _Part(f"{name}-value", parts["value"], topic.value_type, registry)
        self._encoded: dict[int, tuple[Content, bytes | None, bytes | None]] = {}

    def register(self) -> None:
        """See that the registry has both schemas."""
        self._key.head()
        self._value.head()

    def encode(self, content: Content) -> tuple[Content, bytes | None, bytes | None]:
        """The content with its key's and its value's bytes. Errors: RecordError."""
        # A content that is kept cannot have its identity taken by another.
        encoded = self._encoded.get(id(content))
        if encoded is None:
            if len(self._encoded) >= MEMO_CONTENTS:
                self._encoded.clear()
            encoded = content, self._key.encode(content.key), self._value.encode(content.value)
            self._encoded[id(content)] = encoded
        return encoded

    def decode(self, key: bytes | None, value: bytes | None) -> Content:
        """The content of a record's bytes. Errors: RecordError."""
        return Content(self.topic, self._key.decode(key), self._value.decode(value))

    def decode_key(self, key: bytes | None) -> Struct:
        """The key alone. Errors: RecordError."""
        return self._key.decode(key)
