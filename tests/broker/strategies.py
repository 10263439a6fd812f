"""Batches of few trains and stations at few moments, so that equal times and repeated contents are common."""

from __future__ import annotations

from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.records import Alert, AlertKey, Arrival, Entry, StationKey, TrainKey
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE

MAY_2026_MS = 1_778_000_000_000

Log = list[tuple[int, bytes]]
"""Records as (time, canonical content): what is compared where objects need not be the same."""

times = st.integers(MAY_2026_MS, MAY_2026_MS + 5)
stations = st.sampled_from([40380, 40900, 41320])


@st.composite
def arrivals(draw: st.DrawFn) -> Content:
    train = draw(st.sampled_from(["BL104", "BL105", "RD801"]))
    arrival = Arrival(
        draw(stations),
        train,
        draw(st.sampled_from(["a", "b"])),
        "blue",
        draw(st.sampled_from(["in_service", "out_of_service", "broken_down"])),
        draw(st.none() | stations),
        None,
    )
    return Content(ARRIVALS, TrainKey(train), arrival)


entries = stations.map(lambda station: Content(TURNSTILE, StationKey(station), Entry(station, "Clark/Lake", "blue")))

alerts = st.sampled_from(["closure-1", "surge-2"]).map(
    lambda alert: Content(
        ALERTS,
        AlertKey(alert),
        Alert("NO_SERVICE", "MAINTENANCE", None, 40380, None, MAY_2026_MS, None, "Ñandú crossing"),
    )
)

entry_batches = st.lists(st.tuples(times, entries), max_size=12).map(Batch.of)
batches = st.lists(st.tuples(times, arrivals() | entries | alerts), max_size=12).map(Batch.of)


def log(batch: Batch) -> Log:
    return [(time_ms, content.fragment) for time_ms, content in batch]
