"""Confluent's framing around Avro: bytes made once a content, and no bytes that are taken for what they are not."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.broker.avro import MEMO_CONTENTS, Codec, topic_of
from cta.model import schemas
from cta.model.batch import Content
from cta.model.errors import RecordError
from cta.model.records import Arrival, Entry, StationKey, TrainKey, Weather, WeatherKey
from cta.model.topics import ARRIVALS, STATIONS, STATIONS_TABLE, TURNSTILE, WEATHER
from cta.testing.registry import NumberedSchemas
from tests.recording.records import contents

CLARK = Content(TURNSTILE, StationKey(40380), Entry(40380, "Clark/Lake", "blue"))


def entries_codec(registry: NumberedSchemas | None = None) -> Codec:
    return Codec(TURNSTILE.name, TURNSTILE, registry or NumberedSchemas())


def test_a_record_is_a_zero_byte_the_schemas_id_and_avro() -> None:
    """The bytes, by hand: ids 1 and 2, a zigzag varint, lengths before texts."""
    _, key, value = entries_codec().encode(CLARK)
    assert key == bytes([0, 0, 0, 0, 1]) + bytes.fromhex("f8f604")
    assert value == bytes([0, 0, 0, 0, 2]) + bytes.fromhex("f8f604") + b"\x14Clark/Lake" + b"\x08blue"


@given(contents)
def test_every_content_comes_back_equal(content: Content) -> None:
    """Same topic, key and value, and so the same hash in the digest."""
    codec = Codec(content.topic.name, content.topic, NumberedSchemas())
    _, key, value = codec.encode(content)
    decoded = codec.decode(key, value)
    assert (decoded, decoded.hash) == (content, content.hash)


def test_a_contents_bytes_are_made_once() -> None:
    """The second time the same object gives the same bytes object."""
    codec = entries_codec()
    assert codec.encode(CLARK) is codec.encode(CLARK)


def test_what_is_kept_of_contents_has_a_bound() -> None:
    """A stream of ever new contents is encoded right, in the memory of the newest."""
    codec = entries_codec()
    for station in range(MEMO_CONTENTS + 100):
        content = Content(TURNSTILE, StationKey(station), Entry(station, "", "blue"))
        _, key, value = codec.encode(content)
        assert codec.decode(key, value) == content
    assert len(codec._encoded) == 100


def test_subjects_are_named_after_the_kafka_topic() -> None:
    """TopicNameStrategy, a namespace included; registered once, before any record."""
    registry = NumberedSchemas()
    codec = Codec("trial-7." + TURNSTILE.name, TURNSTILE, registry)
    codec.register()
    codec.encode(CLARK)
    assert registry.subjects == {f"trial-7.{TURNSTILE.name}-key": 1, f"trial-7.{TURNSTILE.name}-value": 2}


@pytest.mark.parametrize(
    "name, topic",
    [
        (TURNSTILE.name, TURNSTILE),
        ("trial-7." + ARRIVALS.name, ARRIVALS),
        (STATIONS.name, None),
        (STATIONS_TABLE.name, None),
        (TURNSTILE.name + "-changelog", None),
        ("orders", None),
    ],
)
def test_a_kafka_topic_is_known_by_how_its_name_ends(name: str, topic: object) -> None:
    """Whatever namespace is before it; tables and other people's topics hold no Avro of ours."""
    assert topic_of(name) is topic


@pytest.mark.parametrize(
    "value, what",
    [
        (None, "null"),
        (b"", "not in Confluent's framing, it begins with b''"),
        (b"{}", "not in Confluent's framing, it begins with b'{}'"),
        (b'{"a":1}', "not in Confluent's framing"),
        (struct.pack(">BI", 0, 99) + b"x", "the registry has no schema 99"),
        (struct.pack(">BI", 0, 2), "not what its schema says: EOFError"),
        (struct.pack(">BI", 0, 2) + b"\x02\x02A\x02BC", "1 bytes too long for its schema"),
        (struct.pack(">BI", 0, 2) + b"\x02\x02\xff\x02B", "not what its schema says: UnicodeDecodeError"),
        (struct.pack(">BI", 0, 2) + b"\x02\x01", "not what its schema says"),
    ],
)
def test_bytes_that_are_no_record_say_what_is_wrong(value: bytes | None, what: str) -> None:
    """Null, no frame, an id that nobody has, a body too short, too long or of nonsense."""
    codec = entries_codec()
    codec.register()
    _, key, _ = codec.encode(CLARK)
    with pytest.raises(RecordError) as caught:
        codec.decode(key, value)
    assert str(caught.value).startswith(f"{TURNSTILE.name}-value: {what}")


@given(st.sampled_from([ARRIVALS, TURNSTILE, WEATHER]), st.binary(max_size=40), st.binary(max_size=60))
def test_any_bytes_are_a_record_or_a_record_error(topic: Any, key: bytes, value: bytes) -> None:
    """Nothing else escapes, whatever stands behind a frame."""
    codec = Codec(topic.name, topic, NumberedSchemas())
    codec.register()
    try:
        decoded = codec.decode(struct.pack(">BI", 0, 1) + key, struct.pack(">BI", 0, 2) + value)
    except RecordError:
        return
    assert decoded.topic is topic


def test_a_symbol_that_ours_does_not_have_is_an_error() -> None:
    """A later writer's train status can't be read as one of ours."""
    registry = NumberedSchemas()
    codec = Codec(ARRIVALS.name, ARRIVALS, registry)
    codec.register()
    later = schemas.load(ARRIVALS)["value"]
    for field in later["fields"]:
        if field["name"] == "train_status":
            field["type"]["symbols"].append("on_fire")
    later_id = registry.register("later", later)
    _, key, value = codec.encode(
        Content(ARRIVALS, TrainKey("BL104"), Arrival(40380, "BL104", "a", "blue", "broken_down", None, None))
    )
    assert value is not None
    position = value.index(b"\x08blue") + 5
    on_fire = struct.pack(">BI", 0, later_id) + value[5:position] + b"\x06" + value[position + 1 :]
    with pytest.raises(RecordError, match="on_fire"):
        codec.decode(key, on_fire)


def test_a_writers_own_field_order_is_resolved_into_ours() -> None:
    """Avro resolves by name: fields in another order, and one more with a default."""
    registry = NumberedSchemas()
    codec = Codec(WEATHER.name, WEATHER, registry)
    _, key, value = codec.encode(Content(WEATHER, WeatherKey(1), Weather(54.5, "sunny")))
    assert value is not None
    schema = schemas.load(WEATHER)["value"]
    other = {**schema, "fields": [{"name": "wind", "type": "int", "default": 0}, *reversed(schema["fields"])]}
    other_id = registry.register("other", other)
    turned = struct.pack(">BI", 0, other_id) + b"\x02" + value[9:] + value[5:9]
    assert codec.decode(key, turned).value == Weather(54.5, "sunny")


def test_a_value_that_avro_cannot_hold_is_an_error_before_it_is_sent() -> None:
    """A status that the schema has no symbol for."""
    on_fire: Any = "on_fire"
    arrival = Arrival(40380, "BL104", "a", "blue", on_fire, None, None)
    with pytest.raises(RecordError, match="on_fire"):
        Codec(ARRIVALS.name, ARRIVALS, NumberedSchemas()).encode(Content(ARRIVALS, TrainKey("BL104"), arrival))
