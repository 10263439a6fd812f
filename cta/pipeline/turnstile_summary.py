"""Turnstile entries counted by station: the TURNSTILE_SUMMARY that ksqlDB makes of the stream.

An entry has no id: each record counts, so k repeated entries raise a station's count by exactly k. Nine records of ten
are entries, which is why they are counted in columns and never one at a time.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec
import numpy as np

from cta.model.batch import Batch
from cta.model.topics import TURNSTILE

KEY_BYTES: Final = 4
"""A ksqlDB key of type INTEGER in the KAFKA format: a big-endian 32-bit integer."""


class TurnstileSummary:
    """The count of entries a station, so far."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        """Entries by station id; a station that nobody entered is not in it."""

    def fold(self, batch: Batch) -> None:
        """Count the batch's entries; other topics' records are passed over."""
        records_by_code = np.bincount(batch.codes, minlength=len(batch.contents))
        for code in np.flatnonzero(records_by_code).tolist():
            content = batch.contents[code]
            if content.topic is TURNSTILE:
                self.counts[content.key.station_id] += int(records_by_code[code])

    def records(self) -> list[tuple[bytes, bytes]]:
        """The last (key, value) of every station, as they stand in the topic, by station id."""
        return [(encode_key(station_id), encode_value(station_id, n)) for station_id, n in sorted(self.counts.items())]


def encode_key(station_id: int) -> bytes:
    return station_id.to_bytes(KEY_BYTES, "big", signed=True)


def encode_value(station_id: int, count: int) -> bytes:
    """``{"STATION_ID":40010,"COUNT":3}``: ksqlDB writes column names in capitals."""
    return msgspec.json.encode({"STATION_ID": station_id, "COUNT": count})
