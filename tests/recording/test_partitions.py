"""The chains of partitions: what the digest does not see."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from hashlib import blake2b
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.errors import RecordingError
from cta.model.raw import Origin, Raw, foreign
from cta.model.topics import Place
from cta.recording.digest import Digest
from cta.recording.format import TRAILER_START
from cta.recording.partitions import NO_PARTITION, PartitionChains, differing
from cta.recording.reader import Recording
from cta.recording.scan import Flaw, Scan
from cta.recording.writer import RecordingWriter
from tests.cli.running import invoke
from tests.recording.records import ARRIVAL, ENTRY, PULL_OUT, SMALL, START_MS, Records, split, streams, write
from tests.recording.test_foreign import CAPTURED, captured

placed_streams = st.lists(st.tuples(st.integers(NO_PARTITION, 3), streams.map(lambda records: records[:6])), max_size=8)
"""Runs of records, each of one partition."""


def reference(records: list[tuple[int, int, Content]]) -> dict[Place, tuple[int, str]]:
    """As the document says: 24 bytes a record, joined in order, by topic and partition."""
    joined: dict[Place, list[bytes]] = defaultdict(list)
    for number, time_ms, content in records:
        if number != NO_PARTITION:
            hashed = blake2b(content.fragment, digest_size=16).digest()
            joined[content.topic.name, number].append(struct.pack("<q", time_ms) + hashed)
    return {
        place: (len(chain), blake2b(b"".join(chain), digest_size=16).hexdigest())
        for place, chain in sorted(joined.items())
    }


@given(runs=placed_streams, cuts=st.lists(st.integers(0, 50), max_size=4))
def test_chains_are_those_of_the_document(runs: list[tuple[int, Records]], cuts: list[int]) -> None:
    """However the records are cut into batches."""
    records = [(number, *record) for number, run in runs for record in run]
    numbers = iter(np.array([number for number, _, _ in records], np.int64))
    chains = PartitionChains()
    for batch in split([record[1:] for record in records], cuts):
        chains.update(batch, np.array([next(numbers) for _ in range(len(batch))], np.int64))
    assert chains.chains() == reference(records)


@given(streams=st.lists(streams, min_size=1, max_size=4), order=st.randoms(use_true_random=False))
def test_partitions_come_in_any_order(streams: list[Records], order: Random) -> None:
    """One after the other or in turns: a partition's chain is of its own records alone."""
    apart, mixed = PartitionChains(), PartitionChains()
    for number, records in enumerate(streams):
        apart.update(Batch.of(records), np.full(len(records), number))
    left = {number: list(records) for number, records in enumerate(streams) if records}
    while left:
        number = order.choice(list(left))
        mixed.update(Batch.of([left[number].pop(0)]), np.array([number]))
        left = {number: records for number, records in left.items() if records}
    assert mixed.chains() == apart.chains()


def test_two_keys_swapped_inside_a_partition_are_seen_by_the_chain_alone() -> None:
    """Two trains of one partition, in the other order: the same digest, another chain."""
    one, other = (
        [(START_MS, first), (START_MS, second)] for first, second in ((ARRIVAL, PULL_OUT), (PULL_OUT, ARRIVAL))
    )
    digests, chains = (Digest(), Digest()), (PartitionChains(), PartitionChains())
    for records, digest, chain in zip((one, other), digests, chains, strict=True):
        digest.update(Batch.of(records))
        chain.update(Batch.of(records), np.zeros(2, np.int64))
    assert digests[0].hexdigest() == digests[1].hexdigest()
    assert list(differing(chains[0].told(), chains[1].told())) == [(ARRIVAL.topic.name, 0)]


def capture(path: Path, *numbers: int | None) -> Path:
    """`SMALL` and two more, captured from so many partitions in turn."""
    records = [*SMALL, (START_MS + 3_000, PULL_OUT), (START_MS + 3_000, ARRIVAL)]
    with RecordingWriter(path, CAPTURED) as writer:
        origins = (Origin(partition=numbers[i % len(numbers)]) for i in range(len(records)))
        writer.write(captured([(*record, origin) for record, origin in zip(records, origins, strict=True)]))
    return path


def test_a_capture_has_the_chains_of_its_partitions(either: Path) -> None:
    """In the trailer, and verified by every reader of the whole."""
    recording = Recording.open(capture(either, 0, 1, None))
    records = [record for batch in recording.batches() for record in batch]
    numbers = [(0, 1, NO_PARTITION)[i % 3] for i in range(len(records))]
    expected = reference([(number, *record) for number, record in zip(numbers, records, strict=True)])
    told = {(topic, n): chain for topic, chains in recording.trailer.partitions.items() for n, chain in chains.items()}
    assert told == {place: chain for place, (_, chain) in expected.items()}
    assert not any(isinstance(part, Flaw) for part in Scan(either).parts())


def test_a_recording_that_was_not_captured_has_none(either: Path) -> None:
    """Not even an empty field: its trailer is what it was."""
    assert b"partitions" not in Recording.open(write(either, SMALL)).trailer_line


def test_other_chains_than_the_trailer_says(tmp_path: Path) -> None:
    """A reader refuses it, and the scan names topic and partition."""
    path = capture(tmp_path / "run.jsonl", 0)
    chain = Recording.open(path).trailer.partitions[ENTRY.topic.name][0]
    path.write_bytes(path.read_bytes().replace(chain.encode(), b"0" * 32))
    what = f"last line says partition 0 of {ENTRY.topic.name} {'0' * 32}, "
    with pytest.raises(RecordingError, match=what):
        list(Recording.open(path).batches())
    flaws = [part.what for part in Scan(path).parts() if isinstance(part, Flaw)]
    assert len(flaws) == 1
    assert what in flaws[0]


def test_a_diff_of_two_captures_names_the_partitions_in_another_order(tmp_path: Path) -> None:
    """They are the same all the same: it is a remark, the lowest number first. Info says that there are chains."""
    paths = (tmp_path / "one.jsonl", tmp_path / "other.jsonl")
    for path, contents in zip(paths, ([ARRIVAL, PULL_OUT], [PULL_OUT, ARRIVAL]), strict=True):
        with RecordingWriter(path, CAPTURED) as writer:
            placed = [(START_MS, content, Origin(partition=number)) for number in (10, 2) for content in contents]
            writer.write(captured(placed))
    told = invoke("diff", *paths)
    assert "order   not the same between keys, in partition: arrivals 2, arrivals 10\n" in told.stdout
    assert told.exit_code == 0
    other_order = [{"topic": ARRIVAL.topic.name, "partition": number} for number in (2, 10)]
    assert json.loads(invoke("diff", *paths, "--json").stdout)["other_order"] == other_order
    assert "order  " not in invoke("diff", paths[0], paths[0]).stdout
    assert "partitions    2, the order of each in a chain" in invoke("info", paths[0]).stdout


def test_a_capture_without_chains_stays_valid(either: Path, tmp_path: Path) -> None:
    """Of a cta that made none: it is read, and converted byte for byte."""
    older = capture(tmp_path / "older.jsonl", 0, 1)
    text = older.read_bytes()
    place = text.rindex(TRAILER_START)
    trailer = text[place:]
    start = trailer.index(b',"partitions":')
    older.write_bytes(text[:place] + trailer[:start] + b"}}\n")
    recording = Recording.open(older)
    assert recording.trailer.partitions == {}
    with RecordingWriter(either, recording.header_line) as writer:
        for batch in recording.batches():
            writer.write(batch)
        writer.expect(recording.trailer_line, str(older))
    assert Recording.open(either).trailer_line == recording.trailer_line


def test_more_partitions_than_a_trailer_has_room_for(tmp_path: Path) -> None:
    """None is told, and the recording is valid."""
    with RecordingWriter(tmp_path / "many.jsonl", CAPTURED) as writer:
        writer.write(captured([(START_MS, ARRIVAL, Origin(partition=number)) for number in range(7_000)]))
    recording = Recording.open(tmp_path / "many.jsonl")
    assert recording.trailer.partitions == {}
    assert sum(map(len, recording.batches())) == 7_000


@pytest.mark.parametrize("number", [-5, 2**31, 2**70])
def test_a_partition_that_is_none_of_kafkas(tmp_path: Path, number: int) -> None:
    """A number beyond any: the record is kept, and in no chain."""
    content = Content(foreign(CAPTURED.topics[-1]), None, Raw(text="x"))
    with RecordingWriter(tmp_path / "x.jsonl", CAPTURED) as writer:
        writer.write(captured([(START_MS, content, Origin(partition=number))]))
    assert Recording.open(tmp_path / "x.jsonl").trailer.partitions == {}
