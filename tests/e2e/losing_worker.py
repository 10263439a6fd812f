"""``cta stream`` whose consumer loses a record now and then, as Faust's does around a rebalance: once each.

It is sent back soon and often, and its threads change places as often as they can: nothing in it may depend on when.

    python tests/e2e/losing_worker.py --summary
"""

from __future__ import annotations

import sys
from typing import Any, Final
from unittest.mock import patch

from cta.cli import cli
from cta.streams.app import Streams

EVERY: Final = 50
"""Of so many records the last is lost when it comes first."""


class LosingStreams(Streams):
    """Streams that are not handed some records the first time."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._lost: set[int] = set()

    async def _deliver(self) -> None:
        offsets = {event.message.offset for event in self._waiting if event.message.offset % EVERY == EVERY - 1}
        lost = offsets - self._lost
        self._lost |= lost
        self._waiting = [event for event in self._waiting if event.message.offset not in lost]
        await super()._deliver()


if __name__ == "__main__":
    sys.setswitchinterval(1e-6)
    with (
        patch.multiple("cta.streams.app", BATCH_S=0.01, SENT_BACK_AGAIN_S=0.05),
        patch("cta.streams.worker.Streams", LosingStreams),
    ):
        cli(["stream", *sys.argv[1:]])
