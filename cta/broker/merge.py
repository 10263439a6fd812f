"""Partitions' records as one stream in the order of time, where each partition is in that order itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from cta.model.batch import Batch
from cta.model.topics import BY_NAME


def merged(streams: Iterable[Iterator[Batch]]) -> Iterator[Batch]:
    """The streams' records by time, those of one time and batch by topic; a stream's records keep their order.

    Times of no stream may go back. What is held at any time is one batch a stream.
    """
    heads = [(head, rest) for rest in streams if (head := _next(rest)) is not None]
    while heads:
        horizon_ms = min(int(head.times[-1]) for head, _ in heads)  # nothing earlier than this is still to come
        pieces, left = [], []
        for head, rest in heads:
            stop = int(np.searchsorted(head.times, horizon_ms, "right"))
            pieces.append(head[:stop])
            new_head = head[stop:] if stop < len(head) else _next(rest)
            if new_head is not None:
                left.append((new_head, rest))
        yield _sorted(pieces)
        heads = left


def _next(stream: Iterator[Batch]) -> Batch | None:
    """The stream's next batch that holds a record; None at its end."""
    return next((batch for batch in stream if len(batch)), None)


def _sorted(pieces: list[Batch]) -> Batch:
    """The pieces' records as one batch, by (time, topic rank)."""
    joined = Batch.joined(pieces)
    # By the topic that they stand in: a record that no schema explains keeps its place among those of its partition.
    ranks = [BY_NAME.get(content.topic.name, content.topic).rank for content in joined.contents]
    return joined[np.lexsort((np.array(ranks, np.int64)[joined.codes], joined.times))]
