"""Laws of comparing two streams, and the small cases that say what the words mean."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Content
from cta.model.records import Arrival, Entry, TrainKey, Weather
from cta.model.time import HOUR_MS
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.recording import compare as comparing
from cta.recording.compare import Comparison, Stream, compare
from cta.recording.differences import Tally
from tests.recording.records import (
    ALERT,
    ARRIVAL,
    ENTRY,
    PULL_OUT,
    READING,
    SMALL,
    START_MS,
    Records,
    ordered_streams,
    split,
    streams,
)

picks = st.sets(st.integers(0, 29))
cuts = st.lists(st.integers(0, 100), max_size=5)
OTHER_ENTRY = Content(TURNSTILE, ENTRY.key, Entry(40380, "Lake/Clark", "blue"))


def stream(records: Records, cuts: list[int] | None = None) -> Stream:
    return lambda: iter(split(records, cuts or []))


def compared(a: Records, b: Records, tolerance_ms: int | None = None, ignore: tuple[str, ...] = ()) -> Comparison:
    return compare(stream(a), stream(b), tolerance_ms=tolerance_ms, ignore=ignore)


def counts(comparison: Comparison) -> tuple[int, int, int, int]:
    """Missing, extra, changed, moved."""
    tallies = comparison.tallies.values()
    return (
        sum(tally.missing for tally in tallies),
        sum(tally.extra for tally in tallies),
        sum(tally.changed for tally in tallies),
        sum(tally.moved for tally in tallies),
    )


@given(streams, cuts, cuts)
def test_a_stream_does_not_differ_from_itself(records: Records, cuts: list[int], others: list[int]) -> None:
    """However the two are batched, nothing is different and there is no first difference."""
    comparison = compare(stream(records, cuts), stream(records, others))
    assert (comparison.tallies, comparison.first) == ({}, None)


@given(streams, streams)
def test_different_where_the_digests_are(a: Records, b: Records) -> None:
    """Without anything ignored there are differences exactly where the digests differ, times going back or not."""
    comparison = compared(a, b)
    assert comparison.different == (comparison.a.hexdigest() != comparison.b.hexdigest())
    assert (comparison.first is None) == (not comparison.different)


@given(streams, streams)
def test_swapped_streams_swap_missing_and_extra(a: Records, b: Records) -> None:
    """And move the other way; the rest is counted the same, field by field."""
    there, back = compared(a, b), compared(b, a)
    assert list(there.tallies) == list(back.tallies)
    for place, tally in there.tallies.items():
        other = back.tallies[place]
        assert (tally.missing, tally.extra, tally.changed) == (other.extra, other.missing, other.changed)
        assert sorted(tally.shifts_ms) == sorted(-shift_ms for shift_ms in other.shifts_ms)
        assert tally.fields == other.fields


@given(streams, picks)
def test_dropped_records_are_missing(records: Records, drop: set[int]) -> None:
    """Taking away k records is k missing, counted at their own topic and entity, and nothing else."""
    left = [record for i, record in enumerate(records) if i not in drop]
    gone = Counter((content.topic, content.entity) for i, (_, content) in enumerate(records) if i in drop)
    comparison = compared(records, left)
    assert {place: tally.missing for place, tally in comparison.tallies.items()} == gone
    assert counts(comparison) == (gone.total(), 0, 0, 0)


@given(ordered_streams, picks)
def test_changed_records_are_changed_and_name_the_field(records: Records, picks: set[int]) -> None:
    """Another value of one field in k records is k changed, in that field, and nothing else."""
    changed = [(time_ms, _altered(content) if i in picks else content) for i, (time_ms, content) in enumerate(records)]
    fields = Counter(_ALTERED_FIELD[content.topic] for i, (_, content) in enumerate(records) if i in picks)
    comparison = compared(records, changed)
    assert sum((tally.fields for tally in comparison.tallies.values()), Counter[str]()) == fields
    assert counts(comparison) == (0, 0, fields.total(), 0)


_ALTERED_FIELD = {ARRIVALS: "line", TURNSTILE: "station_name", WEATHER: "temperature", ALERTS: "text"}


def _altered(content: Content) -> Content:
    """The content with a value in one field that the strategies never draw."""
    field = _ALTERED_FIELD[content.topic]
    value = 999.5 if field == "temperature" else "a text of more than eight characters"
    return Content(content.topic, content.key, msgspec.structs.replace(content.value, **{field: value}))


@given(ordered_streams, st.lists(st.integers(-5, 5), min_size=30, max_size=30))
def test_times_within_the_tolerance_are_the_same(records: Records, shifts_ms: list[int]) -> None:
    """Each record moved by its own shift of at most the tolerance is no difference."""
    moved = [(max(0, time_ms + shift_ms), content) for (time_ms, content), shift_ms in zip(records, shifts_ms)]  # noqa: B905
    moved.sort(key=lambda record: record[0])
    assert not compared(records, moved, tolerance_ms=5).different


@given(ordered_streams, st.integers(1, HOUR_MS), st.integers(1, 5))
def test_a_shift_beyond_the_tolerance_is_told(records: Records, apart_ms: int, tolerance_ms: int) -> None:
    """The last record, moved by more than the tolerance, is moved by so much and nothing else is different."""
    if not records:
        return
    time_ms, content = records[-1]
    moved = [*records[:-1], (time_ms + tolerance_ms + apart_ms, content)]
    comparison = compared(records, moved, tolerance_ms=tolerance_ms)
    tally = comparison.tallies[content.topic, content.entity]
    beyond = tolerance_ms + apart_ms > HOUR_MS
    assert counts(comparison) == ((1, 1, 0, 0) if beyond else (0, 0, 0, 1))
    assert list(tally.shifts_ms) == ([] if beyond else [tolerance_ms + apart_ms])


@given(streams, streams, st.randoms(use_true_random=False))
def test_how_keys_are_interleaved_does_not_matter(a: Records, b: Records, chance: object) -> None:
    """Each key's records in their order, in any interleaving with the others', compare the same."""
    by_key: dict[bytes, Records] = {}
    for record in b:
        by_key.setdefault(record[1].chain_key, []).append(record)
    partitions = list(by_key.values())
    chance.shuffle(partitions)  # type: ignore[attr-defined]
    again = [record for partition in partitions for record in partition]
    assert compared(a, again).tallies == compared(a, b).tallies


@given(streams, streams)
def test_groups_of_keys_add_up(a: Records, b: Records) -> None:
    """Reading the streams once for every few keys gives what reading them once for all gives."""
    whole = compared(a, b)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "GROUP_RECORDS", 3)
        grouped = compared(a, b)
    assert (grouped.tallies, grouped.first) == (whole.tallies, whole.first)


@given(streams, picks)
def test_an_ignored_field_makes_no_difference(records: Records, picks: set[int]) -> None:
    """What differs only in fields that are ignored is the same, whatever the topic they are named with."""
    changed = [(time_ms, _altered(content) if i in picks else content) for i, (time_ms, content) in enumerate(records)]
    ignore = ("arrivals.line", "turnstile.station_name", "temperature", "text")
    comparison = compared(records, changed, ignore=ignore)
    assert not comparison.different
    assert comparison.b.hexdigest() == compared([], changed).b.hexdigest()


def test_a_field_ignored_for_one_topic_counts_in_another() -> None:
    """``arrivals.line`` leaves the line of an entry alone."""
    other = Content(TURNSTILE, ENTRY.key, Entry(40380, "Clark/Lake", "green"))
    assert compared([(START_MS, ENTRY)], [(START_MS, other)], ignore=("arrivals.line",)).different


def test_a_train_that_is_late_has_moved() -> None:
    """The same call a quarter of an hour later is one record moved, by so much."""
    comparison = compared([(START_MS, ARRIVAL)], [(START_MS + 900_000, ARRIVAL)])
    tally = comparison.tallies[ARRIVALS, "BL104"]
    assert (counts(comparison), tally.median_shift_ms) == ((0, 0, 0, 1), 900_000)


def test_records_of_one_time_in_another_order_have_moved_by_nothing() -> None:
    """The digest tells their order, so the comparison does."""
    a, b = [(START_MS, ENTRY), (START_MS, OTHER_ENTRY)], [(START_MS, OTHER_ENTRY), (START_MS, ENTRY)]
    comparison = compared(a, b)
    assert (counts(comparison), comparison.topics()[TURNSTILE].median_shift_ms) == ((0, 0, 0, 1), 0)


def test_a_call_after_a_closed_station_has_changed_and_moved() -> None:
    """The stop that is passed is missing; at the next one the train came from another station, and earlier."""
    closed = Content(ARRIVALS, ARRIVAL.key, Arrival(40380, "BL104", "b", "blue", "in_service", 40490, "b"))
    grand = Content(ARRIVALS, ARRIVAL.key, Arrival(40370, "BL104", "b", "blue", "in_service", 40490, "b"))
    comparison = compared([(START_MS, grand), (START_MS + 90_000, ARRIVAL)], [(START_MS + 60_000, closed)])
    tally = Tally(missing=1, changed=1, fields=Counter({"prev_station_id": 1, "time": 1}))
    assert comparison.tallies == {(ARRIVALS, "BL104"): tally}


def test_a_train_at_another_station_is_another_record() -> None:
    """Two calls that differ in their station are one missing and one extra, not one changed."""
    elsewhere = Content(ARRIVALS, ARRIVAL.key, Arrival(40370, "BL104", "b", "blue", "in_service", 40370, "b"))
    assert counts(compared([(START_MS, ARRIVAL)], [(START_MS + 1, elsewhere)])) == (1, 1, 0, 0)


def test_the_nearest_are_paired_where_one_side_has_more() -> None:
    """Five times the entries: the first side's are found beside themselves, the others are extra."""
    few = [(START_MS + 10_000 * i, ENTRY) for i in range(10)]
    many = [(START_MS + 2_000 * i + 100, ENTRY) for i in range(50)]
    comparison = compared(few, many)
    assert counts(comparison) == (0, 40, 0, 10)
    assert set(comparison.topics()[TURNSTILE].shifts_ms) == {100}


def test_a_delay_of_all_is_one_shift() -> None:
    """As many on both sides are paired in order, though each has a nearer one that is alike."""
    times_ms = [START_MS + 7_000 * i for i in range(50)]
    a, b = [(time_ms, ENTRY) for time_ms in times_ms], [(time_ms + 30_500, ENTRY) for time_ms in times_ms]
    assert set(compared(a, b).topics()[TURNSTILE].shifts_ms) == {30_500}


def test_contents_that_change_places_have_changed() -> None:
    """At one time there is one record: another content there is a change, even where its like was moved to elsewhere."""
    a = [(START_MS, ENTRY), (START_MS + 10_000, OTHER_ENTRY)]
    b = [(START_MS, OTHER_ENTRY), (START_MS + 10_000, ENTRY)]
    assert counts(compared(a, b)) == (0, 0, 2, 0)


def test_in_a_capture_out_of_order_the_nearest_in_time_are_paired() -> None:
    """Where times go back, what is near is so by its time and not by its place."""
    a, b = [(START_MS + 20_000, ENTRY), (START_MS, ENTRY)], [(START_MS + 1, ENTRY)]
    tally = compared(a, b).topics()[TURNSTILE]
    assert (tally.missing, list(tally.shifts_ms)) == (1, [1])


def test_the_first_difference_with_its_surroundings() -> None:
    """Three records of the key before and after, on both sides, in the order of time; shared ones once."""
    same = [(START_MS + i, ENTRY) for i in range(5)]
    after = [(START_MS + i, ENTRY) for i in range(10, 15)]
    comparison = compared([*same, (START_MS + 7, READING), *after], [*same, (START_MS + 6, ENTRY), *after])
    assert comparison.first is not None
    assert (comparison.first.time_ms, comparison.first.topic, comparison.first.entity) == (
        START_MS + 6,
        TURNSTILE,
        "40380",
    )
    assert [(mark, time_ms - START_MS) for mark, time_ms, _ in comparison.first.records] == [
        ("=", 2),
        ("=", 3),
        ("=", 4),
        ("b", 6),
        ("=", 10),
        ("=", 11),
        ("=", 12),
    ]


def test_what_lies_outside_the_common_window_is_counted() -> None:
    """A stream that was cut misses records outside of what both have."""
    comparison = compare(stream(SMALL), stream(SMALL[:3]), within=(START_MS, START_MS + 1_500))
    assert (counts(comparison), comparison.outside) == ((3, 0, 0, 0), 2)


def test_topics_are_summed_over_their_entities() -> None:
    """Every recorded topic has its row, in order; medians are of all the topic's records."""
    b = [(time_ms + 1_000 if content in (ARRIVAL, PULL_OUT) else time_ms, content) for time_ms, content in SMALL]
    topics = compared(SMALL, b).topics()
    assert [(topic, tally.moved, tally.median_shift_ms) for topic, tally in topics.items()] == [
        (ARRIVALS, 2, 1_000),
        (TURNSTILE, 0, None),
        (WEATHER, 0, None),
        (ALERTS, 0, None),
    ]


def test_another_reading_of_an_hour_has_changed() -> None:
    """Weather is keyed by its hour: other weather is the same record changed."""
    other = Content(WEATHER, READING.key, Weather(55.0, "cloudy"))
    comparison = compared([(START_MS, READING), (START_MS, ALERT)], [(START_MS, other), (START_MS, ALERT)])
    assert comparison.tallies == {
        (WEATHER, "weather"): Tally(changed=1, fields=Counter({"temperature": 1, "status": 1}))
    }


def test_a_key_in_one_stream_only() -> None:
    """All its records are missing, and shown as the first difference."""
    train = Content(ARRIVALS, TrainKey("BL1"), ARRIVAL.value)
    comparison = compared([(START_MS, train), (START_MS + 1, train)], [])
    assert counts(comparison) == (2, 0, 0, 0)
    assert comparison.first is not None
    assert [mark for mark, _, _ in comparison.first.records] == ["a", "a"]


def test_nothing_to_compare() -> None:
    """Two empty streams are the same."""
    assert compared([], []).tallies == {}
