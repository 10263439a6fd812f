"""Following a share of partitions that come and go: what the file holds at its end, over the broker in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.broker.memory import MemoryBroker
from cta.broker.port import Place
from cta.commands import follow as module
from cta.commands.captured import Described
from cta.commands.follow import Kept, follow
from cta.model.topics import TURNSTILE
from cta.recording.reader import Recording
from tests.broker.contract import entries_at
from tests.broker.strategies import MAY_2026_MS

PARTITIONS = 3
FAR = 1_000_000
"""So far apart are the times of two partitions: a record's time says where it stands."""

Event = tuple[int, int, bool]
"""Records that are appended to a partition, and whether it then goes to another reader, or comes back."""


class Moving:
    """A `cta.broker.share.Share` whose partitions come and go by a script, each back at an offset that was acknowledged."""

    def __init__(self, broker: MemoryBroker, script: list[Event], revoked: Callable[[list[Place]], None]) -> None:
        self.positions = {(TURNSTILE.name, number): 0 for number in range(PARTITIONS)}
        self.begins = dict(self.positions)
        self._broker = broker
        self._script = script
        self._revoked = revoked
        self._appended: dict[int, int] = defaultdict(int)

    def poll(self) -> None:
        if not self._script:
            return
        number, records, moves = self._script.pop(0)
        place = (TURNSTILE.name, number)
        first = self._appended[number]
        self._appended[number] += records
        self._broker.append(*place, entries_at(*(FAR * number + n for n in range(first, first + records))))
        if moves and place in self.positions:
            del self.positions[place]
            self._revoked([place])
        elif moves:
            self.positions[place] = self.begins[place] = first // 2

    def acknowledge(self) -> None:
        raise AssertionError("that is the caller's")


@given(st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.integers(0, 5), st.booleans()), max_size=20))
def test_the_file_holds_of_each_partition_what_this_reader_has_of_it_at_the_end(script: list[Event]) -> None:
    """From where it came to it last to its end, each record once; nothing of those that went to another."""
    broker = MemoryBroker()
    broker.create_topic(TURNSTILE.name, PARTITIONS)
    kept = Kept()
    share = Moving(broker, script, kept.give_up)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "MAX_RECORDS", 2)  # so that a partition may go in the middle of what there is to read
        file = Path(folder, "live.jsonl")
        described = Described([TURNSTILE.name], [])
        follow(broker, share, kept, described, str(file), lambda after_s: not script, lambda line: None)
        assert [path.name for path in Path(folder).iterdir()] == ["live.jsonl"]
        held: dict[Place, list[int]] = {place: [] for place in share.positions}
        for batch in Recording.open(file).batches():
            for time_ms in (batch.times - MAY_2026_MS).tolist():
                held[TURNSTILE.name, time_ms // FAR].append(time_ms % FAR)
    assert held == {place: list(range(share.begins[place], end)) for place, end in share.positions.items()}
    assert share.positions == {place: broker.end_offset(*place) for place in share.positions}
