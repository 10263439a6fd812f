"""The digest, against a plain reading of its definition."""

from __future__ import annotations

import struct
from collections import defaultdict
from hashlib import blake2b

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.records import WeatherKey
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.recording.digest import Digest
from tests.recording.records import ALERT, ARRIVAL, ENTRY, READING, SMALL, START_MS, Records, contents, split, streams

cuts = st.lists(st.integers(0, 100), max_size=5)


def reference_digest(records: Records) -> str:
    """The definition in docs/recording-format.md, word for word."""
    chains: dict[bytes, list[bytes]] = defaultdict(list)
    for time_ms, content in records:
        content_hash = blake2b(content.fragment, digest_size=16).digest()
        chains[content.chain_key].append(struct.pack("<q", time_ms) + content_hash)
    whole = []
    for key in sorted(chains):
        chain = blake2b(b"".join(chains[key]), digest_size=16).digest()
        whole.append(struct.pack("<I", len(key)) + key + struct.pack("<Q", len(chains[key])) + chain)
    return blake2b(b"".join(whole), digest_size=16).hexdigest()


def digest_of(*batches: Batch) -> Digest:
    digest = Digest()
    for batch in batches:
        digest.update(batch)
    return digest


def hexdigest(records: Records) -> str:
    return digest_of(Batch.of(records)).hexdigest()


@given(streams, cuts)
def test_digest_is_its_definition_however_the_records_are_batched(records: Records, cuts: list[int]) -> None:
    """Columns, batches and kept hash objects give what the plain definition gives."""
    assert digest_of(*split(records, cuts)).hexdigest() == reference_digest(records)


@given(streams, st.integers(0), st.integers(0))
def test_digest_of_slices_over_shared_contents_is_its_definition(records: Records, start: int, stop: int) -> None:
    """A slice counts only the contents that it uses, though it holds them all."""
    start, stop = start % (len(records) + 1), stop % (len(records) + 1)
    assert digest_of(Batch.of(records)[start:stop]).hexdigest() == reference_digest(records[start:stop])


@given(streams, st.integers(0))
def test_a_record_lost_or_doubled_changes_the_digest(records: Records, place: int) -> None:
    """One record fewer, or once more in any place, is another stream."""
    assume(records)
    place %= len(records)
    lost = records[:place] + records[place + 1 :]
    doubled = records[: place + 1] + records[place:]
    assert len({hexdigest(records), hexdigest(lost), hexdigest(doubled)}) == 3


@given(streams, st.integers(0), contents, st.integers(1, 10**6))
def test_a_record_changed_changes_the_digest(records: Records, place: int, content: Content, later_ms: int) -> None:
    """Another content or another time in one record is another stream."""
    assume(records)
    place %= len(records)
    time_ms, before = records[place]
    assume(content.fragment != before.fragment)
    changed = [*records[:place], (time_ms, content), *records[place + 1 :]]
    moved = [*records[:place], (time_ms + later_ms, before), *records[place + 1 :]]
    assert len({hexdigest(records), hexdigest(changed), hexdigest(moved)}) == 3


@given(streams, st.integers(0), st.integers(0))
def test_order_counts_within_a_key_and_not_between_keys(records: Records, one: int, other: int) -> None:
    """The digest follows the order of each key's records; how keys are interleaved does not touch it."""
    assume(records)
    one, other = one % len(records), other % len(records)
    swapped = list(records)
    swapped[one], swapped[other] = swapped[other], swapped[one]

    def by_key(stream: Records) -> list[tuple[bytes, int, bytes]]:
        return sorted(((c.chain_key, t, c.fragment) for t, c in stream), key=lambda record: record[0])

    assert (hexdigest(swapped) == hexdigest(records)) == (by_key(swapped) == by_key(records))


def test_swapping_two_records_of_one_key_changes_the_digest() -> None:
    """Two entries at a station, in the other order, are another stream."""
    first, second = (START_MS, ENTRY), (START_MS + 1, ENTRY)
    assert hexdigest([first, second]) != hexdigest([second, first])


def test_swapping_records_of_two_keys_keeps_the_digest() -> None:
    """A train and a station may pass one another, as between partitions."""
    first, second = (START_MS, ENTRY), (START_MS + 1, ARRIVAL)
    assert hexdigest([first, second]) == hexdigest([second, first])


def test_counts_and_times() -> None:
    """Every recorded topic has its count from the start; times are the earliest and the latest."""
    digest = digest_of(Batch.of([(START_MS + 5, ENTRY), (START_MS, ARRIVAL)]), Batch.of([(START_MS + 3, ENTRY)]))
    assert digest.counts == {ARRIVALS.name: 1, TURNSTILE.name: 2, WEATHER.name: 0, ALERTS.name: 0}
    assert (digest.total, digest.first_ms, digest.last_ms) == (3, START_MS, START_MS + 5)


def test_no_records() -> None:
    """Nothing has a digest too: that of no chains."""
    digest = digest_of(Batch.of([]))
    assert (digest.total, digest.first_ms, digest.last_ms, digest.chains()) == (0, None, None, {})
    assert digest.hexdigest() == reference_digest([]) == blake2b(digest_size=16).hexdigest()


def test_chains_name_the_key_that_diverged() -> None:
    """Of two streams that differ in one station's entries, that station's chain alone differs."""
    one = digest_of(Batch.of(SMALL)).chains()
    other = digest_of(Batch.of([*SMALL, (START_MS + 9_000, ENTRY)])).chains()
    assert list(one) == sorted({content.chain_key for _, content in SMALL}) == list(other)
    assert [key for key in one if one[key] != other[key]] == [ENTRY.chain_key]
    assert (one[ENTRY.chain_key][0], other[ENTRY.chain_key][0]) == (2, 3)


def test_more_keys_than_sixteen_bits_hold() -> None:
    """A batch of over 65,536 keys is sorted right too."""
    n = 66_000
    readings = [Content(WEATHER, WeatherKey(i), READING.value) for i in range(n)]
    batch = Batch(np.arange(2 * n), np.tile(np.arange(n)[::-1], 2), readings)
    assert digest_of(batch).hexdigest() == reference_digest(list(batch))


def test_an_alert_is_covered() -> None:
    """All four recorded topics reach the digest."""
    assert hexdigest([(START_MS, ALERT)]) == reference_digest([(START_MS, ALERT)]) != hexdigest([])
