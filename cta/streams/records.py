"""Records as bytes, in and out of the streams: the shapes are the pipeline's."""

from __future__ import annotations

from typing import Any

import msgspec

from cta.broker.avro import FRAME, MAGIC
from cta.model.errors import RecordError
from cta.model.topics import STATIONS, TURNSTILE
from cta.pipeline.stations import table_key, table_rows


def station_table_records(value: bytes | None) -> list[tuple[bytes, bytes]]:
    """The (key, value) of each row of the table that a platform's row makes.

    Errors: RecordError for what is no JSON object, or no platform's row.
    """
    try:
        row = msgspec.json.decode(value or b"", type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RecordError(f"no JSON object: {error}", where=STATIONS.name, remedy="see what writes the topic") from None
    return [(table_key(made).encode(), msgspec.json.encode(made)) for made in table_rows(row)]


def station_of_entry(key: bytes | None) -> int:
    """The station id of an entry's key: Avro in Confluent's framing, a record whose first field is an int or a long.

    Avro writes both as a zigzag varint, so the registry need not be asked. Errors: RecordError.
    """
    if key is None or len(key) <= FRAME.size or key[0] != MAGIC:
        raise _no_station(key)
    zigzag = 0
    for n, byte in enumerate(key[FRAME.size :]):
        zigzag |= (byte & 0x7F) << 7 * n
        if byte < 0x80:
            if n + 1 + FRAME.size != len(key):
                raise _no_station(key)
            return (zigzag >> 1) ^ -(zigzag & 1)
    raise _no_station(key)


def check_entry(value: bytes | None) -> None:
    """Errors: RecordError for a value that is no Avro in Confluent's framing, so that no reader could have it."""
    if value is None or len(value) <= FRAME.size or value[0] != MAGIC:
        shown = "missing" if value is None else value[:16].hex() or "empty"
        raise RecordError(f"the value is no entry: {shown}", where=TURNSTILE.name, remedy="see what writes the topic")


def _no_station(key: bytes | None) -> RecordError:
    shown = "missing" if key is None else key[:16].hex() or "empty"
    return RecordError(f"the key is no station: {shown}", where=TURNSTILE.name, remedy="see what writes the topic")
