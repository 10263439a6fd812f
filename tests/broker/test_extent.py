"""What topics hold at one moment, and partitions put back into the order of time."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cta.broker.extent import Extent
from cta.broker.memory import MemoryBroker
from cta.broker.merge import merged
from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.model.records import Entry, StationKey, Weather, WeatherKey
from cta.model.topics import TURNSTILE, WEATHER
from tests.broker.contract import entries_at

CONTENTS = [Content(TURNSTILE, StationKey(n), Entry(n, "Station", "red")) for n in range(3)]


def test_an_extent_is_the_same_however_a_producer_goes_on() -> None:
    """Read twice, with records appended between: the same records, begin to end of the moment it was taken."""
    broker = MemoryBroker()
    broker.create_topic("t", 2)
    broker.append("t", 0, entries_at(0, 1, 2))
    broker.delete_records("t", 0, 1)
    extent = Extent.of(broker, ["t"])
    first = [record for batch in extent.batches(broker) for record in batch]
    broker.append("t", 0, entries_at(3))
    broker.append("t", 1, entries_at(4))
    assert [record for batch in extent.batches(broker) for record in batch] == first
    assert (extent.records, [time_ms for time_ms, _ in first]) == (2, [time_ms for time_ms, _ in entries_at(1, 2)])


@given(st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 3)), max_size=6), max_size=4))
def test_merging_orders_by_time_and_keeps_the_order_of_each_stream(streams: list[list[tuple[int, int]]]) -> None:
    """Each stream is batches of records whose times do not go back; the whole is so, too, and loses nothing."""
    given_records: list[list[tuple[int, Content]]] = []
    batches: list[list[Batch]] = []
    for number, steps in enumerate(streams):
        time_ms, parts = 0, []
        for advance_ms, records in steps:
            time_ms += advance_ms
            parts.append(Batch.of((time_ms, CONTENTS[number % 3]) for _ in range(records)))
        batches.append(parts)
        given_records.append([record for part in parts for record in part])
    out = [record for batch in merged(iter(parts) for parts in batches) for record in batch]
    assert all(one[0] <= other[0] for one, other in pairwise(out))
    for content in CONTENTS:
        wanted = sorted(time_ms for records in given_records for time_ms, each in records if each is content)
        assert [time_ms for time_ms, each in out if each is content] == wanted


def test_merging_keeps_a_record_that_no_schema_explains_where_it_stood() -> None:
    """Among the records of its partition and of its moment, though no topic of ours is its own."""
    cut = Content(foreign(TURNSTILE.name), CONTENTS[0].key, Raw(text="{"))
    partition = Batch.of([(0, CONTENTS[0]), (0, cut), (0, CONTENTS[1])])
    weather = Batch.of([(0, Content(WEATHER, WeatherKey(0), Weather(54.5, "sunny")))])
    out = [content for batch in merged([iter([weather]), iter([partition])]) for _, content in batch]
    assert out == [CONTENTS[0], cut, CONTENTS[1], weather.contents[0]]
