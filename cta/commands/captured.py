"""A capture's file: what its header says, and its records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cta.broker.avro import topic_of
from cta.broker.extent import Extent
from cta.broker.kafka import KafkaBroker
from cta.model.batch import Batch
from cta.recording.digest import Digest
from cta.recording.format import Header
from cta.recording.writer import RecordingWriter


@dataclass
class Survey:
    """What a first reading finds: the topics that records are of, their times, and whether these go back anywhere."""

    topics: set[str] = field(default_factory=set)
    first_ms: int | None = None
    last_ms: int | None = None
    ordered: bool = True

    @classmethod
    def of(cls, extent: Extent, broker: KafkaBroker) -> Survey:
        survey = cls()
        for place in extent.ends:
            survey.see(extent.partition(broker, place))
        return survey

    def see(self, stream: Iterable[Batch]) -> None:
        """Take in records that are meant to stand in the order of time."""
        before_ms = 0  # -1 is Kafka's word for no time, which has no place in that order
        for batch in stream:
            if len(batch):
                self.topics.update(content.topic.name for content in batch.compact().contents)
                first_ms, last_ms = int(batch.times.min()), int(batch.times.max())
                self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
                self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)
                self.ordered &= bool((np.diff(batch.times, prepend=before_ms) >= 0).all())
                before_ms = int(batch.times[-1])


@dataclass(frozen=True)
class Described:
    """What a capture's header says beside the times."""

    names: list[str]
    stations: Sequence[dict[str, Any]]

    def header(self, survey: Survey, *, ordered: bool) -> Header:
        start_ms = max(0, survey.first_ms or 0)
        return Header.of(
            scenario=None,
            seed=None,
            start_ms=start_ms,
            end_ms=max(start_ms, survey.last_ms or 0) + 1,
            stations=self.stations,
            # A name that only a namespace tells from ours stands for records that are none of ours; mostly there are none.
            others=[name for name in self.names if topic_of(name) is None or name in survey.topics],
            order="time" if ordered else "arrival",
        )


def write(output: str, header: Header, batches: Iterable[Batch]) -> Digest:
    with RecordingWriter(output, header, leaves=True) as writer:
        for batch in batches:
            writer.write(batch)
    return writer.digest
