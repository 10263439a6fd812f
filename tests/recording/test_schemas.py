"""The Avro schemas say what the structs say."""

from __future__ import annotations

import io
import struct
from typing import Any, Literal, get_args, get_origin, get_type_hints

import fastavro
import msgspec
import pytest
from hypothesis import given
from msgspec import Struct

from cta.model import schemas
from cta.model.batch import Content
from cta.model.topics import RECORDED, Topic
from tests.recording.records import contents

PARTS = [(topic, part) for topic in RECORDED for part in ("key", "value")]
IDS = [f"{topic.short}-{part}" for topic, part in PARTS]
PARSED = {(topic.name, part): fastavro.parse_schema(schemas.load(topic)[part]) for topic, part in PARTS}


def struct_type(topic: Topic, part: str) -> type[Struct]:
    found = topic.key_type if part == "key" else topic.value_type
    assert found is not None
    return found


def avro_words(avro_type: Any, named: dict[str, list[str]]) -> Any:
    """An Avro type in the words of Python's: "int", ["null", ...] or an enum's symbols."""
    if isinstance(avro_type, list):
        return [avro_words(each, named) for each in avro_type]
    if isinstance(avro_type, dict):
        named[f"org.chicago.cta.v1.{avro_type['name']}"] = avro_type["symbols"]
        return avro_type["symbols"]
    return named.get(avro_type, {"long": "int"}.get(avro_type, avro_type))


def python_words(hint: Any) -> Any:
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    if args := get_args(hint):
        return ["null", *(python_words(arg) for arg in args if arg is not type(None))]
    return {int: "int", str: "string", float: "float"}[hint]


@pytest.mark.parametrize("topic, part", PARTS, ids=IDS)
def test_schema_has_the_structs_fields_in_order(topic: Topic, part: str) -> None:
    """Names, order, types, nullability and enum symbols are those of the struct."""
    schema, named = schemas.load(topic)[part], dict[str, list[str]]()
    hints = get_type_hints(struct_type(topic, part))
    assert schema["name"] == struct_type(topic, part).__name__
    assert [(field["name"], avro_words(field["type"], named)) for field in schema["fields"]] == [
        (name, python_words(hint)) for name, hint in hints.items()
    ]


@pytest.mark.parametrize("topic, part", PARTS, ids=IDS)
def test_every_field_is_explained_and_null_where_it_may_be(topic: Topic, part: str) -> None:
    """A reader of the schema alone learns what a field means; nullable fields default to null."""
    schema = schemas.load(topic)[part]
    assert schema["doc"]
    for field in schema["fields"]:
        assert field["doc"], field["name"]
        assert field.get("default", "none") == (None if isinstance(field["type"], list) else "none")


@given(contents)
def test_every_record_comes_back_from_avro(content: Content) -> None:
    """Temperatures in halves survive Avro's 32-bit float; everything else is as it was."""
    for part, written in (("key", content.key), ("value", content.value)):
        schema, buffer = PARSED[content.topic.name, part], io.BytesIO()
        fastavro.schemaless_writer(buffer, schema, msgspec.to_builtins(written))
        buffer.seek(0)
        read = fastavro.schemaless_reader(buffer, schema, None)
        assert msgspec.convert(read, type(written)) == written


def test_a_float_is_four_bytes() -> None:
    """The contract's temperature is Avro's float, not a double."""
    buffer = io.BytesIO()
    schema = next(PARSED[topic.name, "value"] for topic in RECORDED if topic.short == "weather")
    fastavro.schemaless_writer(buffer, schema, {"temperature": 54.5, "status": "sunny"})
    assert buffer.getvalue() == struct.pack("<f", 54.5) + b"\x00"
