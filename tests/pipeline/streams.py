"""Streams of few trains, stations and alerts at few moments: ties and repetitions are the rule."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.records import (
    Alert,
    AlertKey,
    Arrival,
    Direction,
    Entry,
    StationKey,
    StationTableRow,
    TrainKey,
    TrainStatus,
    Weather,
    WeatherKey,
    WeatherStatus,
)
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.pipeline.stations import table_content

Record = tuple[int, Content]
"""(event time in milliseconds, content)"""

times = st.integers(0, 5)
lines = st.sampled_from(["red", "blue"])
stations = st.sampled_from([1, 2, 3])

DIRECTIONS: Final[list[Direction]] = ["a", "b"]
TRAIN_STATUSES: Final[list[TrainStatus]] = ["in_service", "out_of_service", "broken_down"]
WEATHER_STATUSES: Final[list[WeatherStatus]] = ["sunny", "cloudy", "precipitation"]


def entry(station_id: int) -> Content:
    return Content(TURNSTILE, StationKey(station_id), Entry(station_id, f"Station {station_id}", "red"))


def weather(time_ms: int, temperature: float, status: WeatherStatus = "sunny") -> Record:
    return time_ms, Content(WEATHER, WeatherKey(time_ms), Weather(temperature, status))


@st.composite
def arrivals(draw: st.DrawFn) -> Record:
    train = draw(st.sampled_from(["BL1", "RD1", "RD2"]))
    direction, status = draw(st.sampled_from(DIRECTIONS)), draw(st.sampled_from(TRAIN_STATUSES))
    arrival = Arrival(draw(stations), train, direction, draw(lines), status, None, None)
    return draw(times), Content(ARRIVALS, TrainKey(train), arrival)


@st.composite
def alerts(draw: st.DrawFn) -> Record:
    active_to = draw(st.none() | times)
    alert = Alert("NO_SERVICE", "MAINTENANCE", None, draw(stations), None, draw(times), active_to, "Closed")
    return draw(times), Content(ALERTS, AlertKey(draw(st.sampled_from(["x", "y"]))), alert)


@st.composite
def station_rows(draw: st.DrawFn) -> Record:
    station_id = draw(stations)
    name = draw(st.sampled_from(["Clark/Lake", "Lake"]))
    return draw(times), table_content(StationTableRow(station_id, name, draw(st.integers(0, 3)), draw(lines)))


readings = st.builds(weather, times, st.sampled_from([-0.5, 41.0, 41.5]), st.sampled_from(WEATHER_STATUSES))
entries = st.tuples(times, stations.map(entry))

repeatable = arrivals() | readings | alerts() | station_rows()
"""What may be delivered again without a trace on the page: everything but entries."""

streams = st.lists(repeatable | entries, max_size=25)
batches = streams.map(Batch.of)
