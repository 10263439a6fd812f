"""A feed filled from Kafka: every topic that the page shows, from its beginning, then as records come.

Partitions are read without a group and nothing is committed: any number of servers show the same page. A table's last
value a key is what counts, and a record that cannot be read is counted and passed over. Where a topic was deleted or
made anew, which its id tells, the feed begins anew. Where records were deleted from a log's start
before they were read (retention), they are counted as missed and it goes on from where the log begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from confluent_kafka import Message

from cta.broker.kafka import KafkaBroker
from cta.model.batch import Batch
from cta.model.errors import BrokerError
from cta.model.records import StationTableRow
from cta.model.topics import RECORDED, STATIONS_TABLE, TURNSTILE_SUMMARY, Topic
from cta.pipeline.stations import table_content
from cta.pipeline.turnstile_summary import KEY_BYTES
from cta.web.feed import Feed

SHOWN: Final = (STATIONS_TABLE, *RECORDED, TURNSTILE_SUMMARY)
MAX_RECORDS: Final = 50_000
BEHIND_RECORDS: Final = 20_000
"""With more than this to read it is catching up."""

_decode_row: Final = msgspec.json.Decoder(StationTableRow)
_decode_count: Final = msgspec.json.Decoder(dict[str, int])


class Filling:
    """Where each partition has been read to."""

    def __init__(self, broker: KafkaBroker, namespace: str, feed: Feed) -> None:
        self._broker = broker
        self._namespace = namespace
        self._feed = feed
        self._positions: dict[tuple[Topic, int], int] = {}
        self._ids: dict[str, str] = {}
        """Of the topics that the positions are in."""

    def round(self) -> int:
        """Read on to the end offsets of this moment; returns how many there were to read. Errors: ServiceError, BrokerError."""
        ids = self._broker.admin.ids(self._namespace + topic.name for topic in SHOWN)
        if any(ids.get(name) != known for name, known in self._ids.items()):
            self._positions.clear()
            self._feed.restart()
        self._ids = ids
        there = self._broker.topics()
        ends = {
            (topic, number): self._broker.end_offset(self._namespace + topic.name, number)
            for topic in SHOWN
            if self._namespace + topic.name in there
            for number in range(self._broker.partitions(self._namespace + topic.name))
        }
        for place in ends.keys() - self._positions.keys():
            self._positions[place] = self._broker.begin_offset(self._namespace + place[0].name, place[1])
        behind = sum(end - self._positions[place] for place, end in ends.items())
        self._feed.state = "catching up" if behind > BEHIND_RECORDS or not ends else "live"
        for place in ends:
            self._read(place, ends)
        self._feed.state = "live" if ends else "starting"
        return behind

    def _read(self, place: tuple[Topic, int], ends: dict[tuple[Topic, int], int]) -> None:
        topic, number = place
        while (offset := self._positions[place]) < ends[place]:
            try:
                self._positions[place] = self._read_on(topic, number, offset, min(MAX_RECORDS, ends[place] - offset))
            except BrokerError:
                begin = self._broker.begin_offset(self._namespace + topic.name, number)
                if begin <= offset:
                    raise
                self._feed.miss(topic.name, begin - offset)
                self._positions[place] = begin
            self._feed.lag = {
                each.name: sum(ends[at] - self._positions[at] for at in ends if at[0] is each) for each in SHOWN
            }

    def _read_on(self, topic: Topic, number: int, offset: int, count: int) -> int:
        """Take in what stands from an offset on; returns the next one."""
        name = self._namespace + topic.name
        if topic in RECORDED:
            batch, offset = self._broker.read(name, number, offset, count)
            if len(batch):
                self._feed.fold(batch)
        else:
            messages, offset = self._broker.messages(name, number, offset, count)
            self._take(topic, messages)
        return offset

    def _take(self, topic: Topic, messages: Iterable[Message]) -> None:
        """A table's values. A null deletes a key; the page's tables only grow, so it is passed over."""
        rows, counts = [], {}
        for message in messages:
            key, value = message.key() or b"", message.value()
            if value is None:
                continue
            try:
                if topic is STATIONS_TABLE:
                    rows.append((message.timestamp()[1], table_content(_decode_row.decode(value))))
                elif len(key) == KEY_BYTES:
                    counts[int.from_bytes(key, "big", signed=True)] = _decode_count.decode(value)["COUNT"]
                else:
                    self._feed.pass_over(topic.name)
            except (msgspec.DecodeError, KeyError):
                self._feed.pass_over(topic.name)
        if rows:
            self._feed.fold(Batch.of(rows))
        if counts:
            self._feed.count(counts)
