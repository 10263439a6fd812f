"""The broker in memory: logs of batches, as they were appended.

A partition's log is a list of segments, one a batch, each columns over the batch's interned contents. Appending copies
two columns; reading is a slice of one segment and copies nothing; deleting lets go of whole segments.
"""

from __future__ import annotations

from bisect import bisect_right
from threading import Lock
from typing import Final

import numpy as np

from cta.broker.checks import (
    check_new_topic,
    check_offset,
    check_partition,
    check_records,
    no_such_topic,
    other_partitions,
)
from cta.model.batch import Batch

_NOTHING: Final = Batch(np.empty(0, np.int64), np.empty(0, np.intp), ())


class _Log:
    """A partition: segment i holds the offsets from ``starts[i]`` to before ``starts[i + 1]``, the last one to ``end``."""

    def __init__(self) -> None:
        self.begin = 0
        self.end = 0
        self.starts: list[int] = []
        self.segments: list[Batch] = []

    def append(self, batch: Batch) -> range:
        offsets = range(self.end, self.end + len(batch))
        if offsets:
            self.starts.append(offsets.start)
            self.segments.append(_kept(batch))
            self.end = offsets.stop
        return offsets

    def read(self, offset: int, max_records: int) -> Batch:
        if offset == self.end:
            return _NOTHING
        held = bisect_right(self.starts, offset) - 1
        first = offset - self.starts[held]
        return self.segments[held][first : first + max_records]

    def delete(self, before_offset: int) -> None:
        self.begin = max(self.begin, before_offset)
        gone = len(self.starts) if self.begin == self.end else bisect_right(self.starts, self.begin) - 1
        del self.starts[:gone], self.segments[:gone]


def _kept(batch: Batch) -> Batch:
    """A copy of the columns that neither the one who appended it nor one who reads it can change."""
    times, codes = batch.times.copy(), batch.codes.copy()
    times.flags.writeable = codes.flags.writeable = False
    return Batch(times, codes, batch.contents)


class MemoryBroker:
    """A `cta.broker.port.Broker` that lives as long as its process. It may be shared between threads."""

    def __init__(self) -> None:
        self._logs: dict[str, list[_Log]] = {}
        self._lock = Lock()

    def create_topic(self, name: str, partitions: int) -> None:
        check_new_topic(name, partitions)
        with self._lock:
            there = len(self._logs.setdefault(name, [_Log() for _ in range(partitions)]))
        if there != partitions:
            raise other_partitions(name, there, partitions)

    def topics(self) -> list[str]:
        return sorted(self._logs)

    def partitions(self, topic: str) -> int:
        return len(self._partitions(topic))

    def append(self, topic: str, partition: int, batch: Batch) -> range:
        log = self._log(topic, partition)
        with self._lock:
            return log.append(batch)

    def send(self, topic: str, partition: int, batch: Batch) -> None:
        self.append(topic, partition, batch)

    def flush(self) -> None:
        """Whatever was sent can be read already."""

    def read(self, topic: str, partition: int, offset: int, max_records: int) -> tuple[Batch, int]:
        log = self._log(topic, partition)
        check_records(topic, max_records)
        with self._lock:
            check_offset(topic, partition, offset, log.begin, log.end)
            batch = log.read(offset, max_records)
        return batch, offset + len(batch)

    def begin_offset(self, topic: str, partition: int) -> int:
        return self._log(topic, partition).begin

    def end_offset(self, topic: str, partition: int) -> int:
        return self._log(topic, partition).end

    def delete_records(self, topic: str, partition: int, before_offset: int) -> None:
        log = self._log(topic, partition)
        with self._lock:
            check_offset(topic, partition, before_offset, 0, log.end)
            log.delete(before_offset)

    def _partitions(self, topic: str) -> list[_Log]:
        try:
            return self._logs[topic]
        except KeyError:
            raise no_such_topic(topic) from None

    def _log(self, topic: str, partition: int) -> _Log:
        logs = self._partitions(topic)
        check_partition(topic, partition, len(logs))
        return logs[partition]
