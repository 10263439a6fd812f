from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cta.commands.target import Run, open_run
from cta.model.batch import Batch, Content
from cta.model.time import MINUTE_MS
from cta.model.topics import ALERTS, ARRIVALS
from cta.web.trail import LEAST_MS, TRAIL_MS, Trail

DAY = open_run("scenarios/full_day.json")
BATCHES = [
    batch[np.array([c.topic is ARRIVALS for c in batch.contents])[batch.codes]] for batch in DAY.batches(DAY.window)
]


def test_before_the_first_arrival_there_is_none() -> None:
    assert Trail().taken() is None


@given(st.data())
def test_whatever_the_order_of_partitions_the_trail_is_the_last_two_hours(data: st.DataObject) -> None:
    """Trains' records in three partitions, read one after the other in pieces: the same arrivals as in one stream."""
    until = data.draw(st.integers(1, len(BATCHES)))
    arrivals = [record for batch in BATCHES[:until] for record in batch]
    parts = [[record for record in arrivals if hash_of(record[1].entity) % 3 == n] for n in range(3)]
    trail = Trail()
    for part in data.draw(st.permutations(parts)):
        cut = data.draw(st.integers(0, len(part)))
        for piece in (part[:cut], part[cut:]):
            trail.fold(Batch.of(piece))
    taken = trail.taken()
    assert taken is not None
    end_ms = max(time_ms for time_ms, _ in arrivals)
    wanted = [record for record in arrivals if record[0] >= end_ms - TRAIL_MS]
    key = lambda record: (record[0], record[1].fragment)  # noqa: E731
    assert sorted(taken[1], key=key) == sorted(wanted, key=key)
    assert taken[0].start_ms == min(wanted[0][0], end_ms - LEAST_MS)


def hash_of(entity: str) -> int:
    return sum(entity.encode())


def test_a_day_holds_no_more_than_its_last_hours() -> None:
    """What is kept is what is shown."""
    trail = Trail()
    for batch in BATCHES:
        trail.fold(batch)
    taken = trail.taken()
    assert taken is not None
    assert len(trail) == len(taken[1]) < sum(map(len, BATCHES)) / 5


def test_an_alert_is_kept_until_it_has_been_over_for_as_long(blue: Run) -> None:
    """The breakdown's band stands in the picture as long as its time does."""
    trail = Trail()
    for batch in blue.batches(blue.window):
        trail.fold(batch)
    before = alerts_of(trail)
    last = next(content for batch in BATCHES for _, content in batch)
    trail.fold(Batch.of([(blue.window.end_ms + TRAIL_MS + 90 * MINUTE_MS, last)]))
    assert (len(before), alerts_of(trail)) == (1, [])


def alerts_of(trail: Trail) -> list[Content]:
    taken = trail.taken()
    assert taken is not None
    return [content for _, content in taken[1] if content.topic is ALERTS]
