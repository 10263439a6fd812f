"""Following: topics' records as they come, until told to stop.

They are written to a recording beside the file; it becomes the file when its end is known. A run that is killed leaves
``FILE.following...partial``, which `cta repair` saves. Where partitions are shared with a group's other readers, the file
holds what is this reader's at its end: records of a partition that went to another are read again there, and left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from cta.broker.consumer import MAX_RECORDS
from cta.broker.extent import Extent
from cta.broker.port import Broker, Place
from cta.broker.share import Share
from cta.commands.captured import Described, Survey, write
from cta.model.batch import Batch
from cta.model.errors import ServiceError
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
        self._written: dict[Place, list[slice]] = defaultdict(list)
        self._given_up: list[slice] = []

    def wrote(self, place: Place, records: int) -> None:
        self._written[place].append(slice(self._rows, self._rows + records))
        self._rows += records

    def give_up(self, places: Iterable[Place]) -> None:
        for place in places:
            self._given_up += self._written.pop(place, [])

    def of(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """What stands of the batches that were written."""
        stand = np.ones(self._rows, bool)
        for rows in self._given_up:
            stand[rows] = False
        row = 0
        for batch in batches:
            yield batch[stand[row : row + len(batch)]]
            row += len(batch)


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

    Errors: ServiceError where the cluster goes away; what came until then is in the file all the same.
    """
    gone: list[ServiceError] = []

    def coming() -> Iterator[Batch]:
        try:
            for place, batch in _coming(broker, share, stop, say):
                kept.wrote(place, len(batch))
                yield batch
        except ServiceError as error:
            gone.append(error)

    beside = Path(f"{output}{BESIDE}{ZST_SUFFIX if output.endswith(ZST_SUFFIX) else SUFFIX}")
    unknown = Survey(set(described.names), first_ms=0, last_ms=LATEST_MS - 1)
    write(str(beside), described.header(unknown, ordered=False), coming())
    try:
        recording, known = Recording.open(beside), Survey()
        known.see(kept.of(recording.batches()))
        followed = write(output, described.header(known, ordered=False), kept.of(recording.batches()))
    finally:
        beside.unlink()
    if gone:
        what = f"{gone[0].what}; the {followed.total:,} records that came before are in {output}"
        raise ServiceError(what, where=gone[0].where, remedy=gone[0].remedy)
    return followed


def _coming(
    broker: Broker, share: Share, stop: Callable[[float], bool], say: Callable[[str], None]
) -> Iterator[tuple[Place, Batch]]:
    """The share's records from its positions on, round upon round, each to the end offsets of its moment."""
    extent = Extent.onward(broker, share.positions)
    yield from _round(broker, share, extent)
    say(f"{extent.records:,} records were there; following, until Ctrl+C")
    stopped = False
    while not stopped:
        stopped = stop(POLL_S)  # what is there by then is read all the same
        share.poll()
        yield from _round(broker, share, Extent.onward(broker, share.positions))


def _round(broker: Broker, share: Share, extent: Extent) -> Iterator[tuple[Place, Batch]]:
    """What stands before the extent's ends, as far as the partitions stay with this reader meanwhile."""
    for place, (_, end) in extent.ends.items():
        while (offset := share.positions.get(place, end)) < end:
            batch, share.positions[place] = broker.read(*place, offset, min(MAX_RECORDS, end - offset))
            yield place, batch
            share.poll()
