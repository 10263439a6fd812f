"""Following: topics' records as they come, until told to stop.

They are written to a recording beside the file; it becomes the file when its end is known. A run that is killed leaves
``FILE.following...partial``, which `cta repair` saves. Where partitions are shared with a group's other readers, the file
holds what is this reader's at its end: records of a partition that went to another are read again there, and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cta.broker.avro import topic_of
from cta.broker.consumer import MAX_RECORDS
from cta.broker.extent import Extent
from cta.broker.port import Broker
from cta.broker.share import Share
from cta.commands.captured import Described, Survey, write
from cta.model.batch import Batch
from cta.model.errors import CtaError, ServiceError
from cta.model.topics import Place
from cta.recording.digest import Digest
from cta.recording.format import SUFFIX, ZST_SUFFIX
from cta.recording.reader import Recording

POLL_S: Final = 0.2
BESIDE: Final = ".following"
LATEST_MS: Final = 253_402_214_400_000
"""The end of a window whose end is not known: the year 9999."""


class Kept:
    """Which rows of what is written stand: all but those of partitions that went to another reader since."""

    def __init__(self) -> None:
        self._rows = 0
        self._gone: dict[Place, int] = {}
        """By a record's topic and partition, the row before which none of it stands."""

    def wrote(self, records: int) -> None:
        self._rows += records

    def give_up(self, places: Iterable[Place]) -> None:
        for name, number in places:
            ours = topic_of(name)
            # A namespace's topic holds records of ours, and such as no schema explains, which bear its own name.
            for topic in (name,) if ours is None else (name, ours.name):
                self._gone[topic, number] = self._rows

    def of(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """What stands of the batches that were written, which say where each record stood."""
        row = 0
        for batch in batches:
            yield batch[self._stands(batch, row)] if self._gone else batch
            row += len(batch)

    def _stands(self, batch: Batch, first_row: int) -> NDArray[np.bool_]:
        assert batch.origins is not None
        topics = [content.topic.name for content in batch.contents]
        places = zip(batch.codes.tolist(), batch.origins.tolist(), strict=True)
        gone = [self._gone.get((topics[code], origin.partition), 0) for code, origin in places]
        return np.arange(first_row, first_row + len(batch)) >= np.array(gone)


def beside(output: str) -> Path:
    """Where records stand until the file's end is known."""
    return Path(f"{output}{BESIDE}{ZST_SUFFIX if output.endswith(ZST_SUFFIX) else SUFFIX}")


def follow(
    broker: Broker,
    share: Share,
    kept: Kept,
    described: Described,
    output: str,
    stop: Callable[[float], bool],
    say: Callable[[str], None],
) -> Digest:
    """What is there and what comes, as it comes, until ``stop`` says so; acknowledged when it is in the file.

    Errors: ServiceError where the cluster goes away; what came until then is in the file all the same. OutputError, which
    says where it is instead.
    """
    gone: list[ServiceError] = []

    def coming() -> Iterator[Batch]:
        try:
            for batch in _coming(broker, share, stop, say):
                kept.wrote(len(batch))
                yield batch
        except ServiceError as error:
            gone.append(error)

    came = beside(output)
    unknown = Survey(set(described.names), first_ms=0, last_ms=LATEST_MS - 1)
    write(str(came), described.header(unknown, ordered=False), coming())
    try:
        recording, known = Recording.open(came), Survey()
        known.see(kept.of(recording.batches()))
        followed = write(output, described.header(known, ordered=False), kept.of(recording.batches()))
    except CtaError as error:
        error.remedy = f"all that came is in {came}"
        raise
    came.unlink()
    if gone:
        what = f"{gone[0].what}; the {followed.total:,} records that came before are in {output}"
        raise ServiceError(what, where=gone[0].where, remedy=gone[0].remedy)
    return followed


def _coming(broker: Broker, share: Share, stop: Callable[[float], bool], say: Callable[[str], None]) -> Iterator[Batch]:
    """The share's records from its positions on, round upon round, each to the end offsets of its moment."""
    extent = Extent.onward(broker, share.positions)
    yield from _round(broker, share, extent)
    say(f"{extent.records:,} records were there; following, until Ctrl+C")
    stopped = False
    while not stopped:
        stopped = stop(POLL_S)  # what is there by then is read all the same
        share.poll()
        yield from _round(broker, share, Extent.onward(broker, share.positions))


def _round(broker: Broker, share: Share, extent: Extent) -> Iterator[Batch]:
    """What stands before the extent's ends, as far as the partitions stay with this reader meanwhile."""
    for place, (_, end) in extent.ends.items():
        while (offset := share.positions.get(place, end)) < end:
            batch, share.positions[place] = broker.read(*place, offset, min(MAX_RECORDS, end - offset))
            yield batch
            share.poll()
