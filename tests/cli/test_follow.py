"""Following a share of partitions that come and go: what the file holds at its end, over the broker in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.broker.memory import MemoryBroker
from cta.broker.share import Whole
from cta.commands import follow as module
from cta.commands.captured import Described
from cta.commands.follow import Kept, beside, follow
from cta.model.batch import Batch
from cta.model.errors import OutputError
from cta.model.raw import Origin
from cta.model.topics import TURNSTILE, Place
from cta.recording.newfile import NewFile
from cta.recording.reader import Recording
from tests.broker.contract import entries_at
from tests.broker.strategies import MAY_2026_MS

PARTITIONS = 3
NAME = f"trial-7.{TURNSTILE.name}"
"""A namespace's: the records themselves bear the topic's own name."""
FAR = 1_000_000
"""So far apart are the times of two partitions: a record's time says where it stands."""

Event = tuple[int, int, bool]
"""Records that are appended to a partition, and whether it then goes to another reader, or comes back."""


class Placed(MemoryBroker):
    """A broker in memory whose batches say where each record stood, as a capture's do."""

    def read(self, topic: str, partition: int, offset: int, max_records: int) -> tuple[Batch, int]:
        batch, after = super().read(topic, partition, offset, max_records)
        origins = np.empty(len(batch), np.object_)
        origins[:] = [Origin(partition=partition, offset=offset + n) for n in range(len(batch))]
        return Batch(batch.times, batch.codes, batch.contents, origins), after


class Moving:
    """A `cta.broker.share.Share` whose partitions come and go by a script, each back at an offset that was acknowledged."""

    def __init__(self, broker: MemoryBroker, script: list[Event], revoked: Callable[[list[Place]], None]) -> None:
        self.positions = {(NAME, number): 0 for number in range(PARTITIONS)}
        self.begins = dict(self.positions)
        self._broker = broker
        self._script = script
        self._revoked = revoked
        self._appended: dict[int, int] = defaultdict(int)

    def poll(self) -> None:
        if not self._script:
            return
        number, records, moves = self._script.pop(0)
        place = (NAME, number)
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
    broker = Placed()
    broker.create_topic(NAME, PARTITIONS)
    kept = Kept()
    share = Moving(broker, script, kept.give_up)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "MAX_RECORDS", 2)  # so that a partition may go in the middle of what there is to read
        file = Path(folder, "live.jsonl")
        described = Described([NAME], [])
        follow(broker, share, kept, described, str(file), lambda after_s: not script, lambda line: None)
        assert [path.name for path in Path(folder).iterdir()] == ["live.jsonl"]
        held: dict[Place, list[int]] = {place: [] for place in share.positions}
        for batch in Recording.open(file).batches():
            for time_ms in (batch.times - MAY_2026_MS).tolist():
                held[NAME, time_ms // FAR].append(time_ms % FAR)
    assert held == {place: list(range(share.begins[place], end)) for place, end in share.positions.items()}
    assert share.positions == {place: broker.end_offset(*place) for place in share.positions}


def test_what_came_is_kept_where_the_file_cannot_be_written(tmp_path: Path) -> None:
    """Another run writes to it: the records stay beside it, and the error says so."""
    broker, file, kept = Placed(), tmp_path / "live.jsonl", Kept()
    broker.create_topic(NAME, 1)
    broker.append(NAME, 0, entries_at(1, 2, 3))
    other = NewFile(file)
    other.open()
    described, share = Described([NAME], []), Whole(broker, [NAME])
    with pytest.raises(OutputError, match=f"all that came is in {file}.following.jsonl$"):
        follow(broker, share, kept, described, str(file), lambda after_s: True, lambda line: None)
    other.discard()
    assert sum(map(len, Recording.open(beside(str(file))).batches())) == 3
