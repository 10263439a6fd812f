"""Entries counted by station, as ksqlDB counts and writes them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from cta.model.batch import Batch
from cta.model.topics import TURNSTILE
from cta.pipeline.turnstile_summary import TurnstileSummary
from tests.pipeline.streams import Record, entry, streams


def test_records_are_what_ksqldb_writes() -> None:
    """A big-endian 32-bit key, a JSON value with column names in capitals; one a station, by station id."""
    summary = TurnstileSummary()
    summary.fold(Batch.of([(1, entry(40380)), (1, entry(3)), (2, entry(40380))]))
    assert summary.records() == [
        (b"\x00\x00\x00\x03", b'{"STATION_ID":3,"COUNT":1}'),
        (b"\x00\x00\x9d\xbc", b'{"STATION_ID":40380,"COUNT":2}'),
    ]


@given(streams, streams)
def test_every_entry_counts_once_at_its_station(first: list[Record], second: list[Record]) -> None:
    """Over all batches; other topics' records and contents without records count nothing."""
    summary = TurnstileSummary()
    for records in (first, second):
        batch = Batch.of(records)
        summary.fold(batch)
        summary.fold(batch[:0])
    entered = Counter(content.key.station_id for _, content in first + second if content.topic is TURNSTILE)
    assert summary.counts == entered
    assert set(summary.counts) == set(entered)
