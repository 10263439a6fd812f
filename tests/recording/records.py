"""Records of every recorded topic to test with: strategies, and a small fixed stream."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import get_args

from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.records import (
    Alert,
    AlertKey,
    Arrival,
    Cause,
    Effect,
    Entry,
    StationKey,
    TrainKey,
    TrainStatus,
    Weather,
    WeatherKey,
    WeatherStatus,
)
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.recording.format import Header
from cta.recording.writer import RecordingWriter

START_MS = 1_778_673_600_000
Records = list[tuple[int, Content]]

HEADER = Header(
    format=1,
    version="0.1.0",
    scenario=None,
    seed=7,
    start_ms=START_MS,
    end_ms=START_MS + 3_600_000,
    topics=(ARRIVALS.name, TURNSTILE.name, WEATHER.name, ALERTS.name),
    schemas={},
    stations=(),
)

ARRIVAL = Content(ARRIVALS, TrainKey("BL104"), Arrival(40380, "BL104", "b", "blue", "in_service", 40370, "b"))
PULL_OUT = Content(ARRIVALS, TrainKey("BL105"), Arrival(40890, "BL105", "b", "blue", "in_service", None, None))
ENTRY = Content(TURNSTILE, StationKey(40380), Entry(40380, "Clark/Lake", "blue"))
READING = Content(WEATHER, WeatherKey(START_MS), Weather(54.5, "sunny"))
ALERT = Content(
    ALERTS,
    AlertKey("closure-40380"),
    Alert("NO_SERVICE", "MAINTENANCE", None, 40380, None, START_MS, None, 'Clark/Lake is closed · \u2028 "no service"'),
)
SMALL: Records = [
    (START_MS, READING),
    (START_MS, ALERT),
    (START_MS + 1_000, ENTRY),
    (START_MS + 1_000, ENTRY),
    (START_MS + 1_834, PULL_OUT),
    (START_MS + 2_500, ARRIVAL),
]

text = st.text(st.characters(codec="utf-8"), max_size=8)
nullable_text = st.none() | text
station_ids = st.integers(40000, 40005)
times_ms = st.integers(0, 10**15 - 1) | st.integers(START_MS, START_MS + 5_000)
temperatures = st.integers(-100, 220).map(lambda halves: halves / 2)
directions = st.sampled_from(["a", "b"])

arrivals = st.builds(
    Content,
    st.just(ARRIVALS),
    st.builds(TrainKey, st.sampled_from(["BL1", "BL2"]) | text),
    st.builds(
        Arrival,
        station_id=station_ids,
        train_id=text,
        direction=directions,
        line=text,
        train_status=st.sampled_from(get_args(TrainStatus)),
        prev_station_id=st.none() | station_ids,
        prev_direction=st.none() | directions,
    ),
)
entries = st.builds(
    Content, st.just(TURNSTILE), st.builds(StationKey, station_ids), st.builds(Entry, station_ids, text, text)
)
readings = st.builds(
    Content,
    st.just(WEATHER),
    st.builds(WeatherKey, times_ms),
    st.builds(Weather, temperatures, st.sampled_from(get_args(WeatherStatus))),
)
alerts = st.builds(
    Content,
    st.just(ALERTS),
    st.builds(AlertKey, text),
    st.builds(
        Alert,
        effect=st.sampled_from(get_args(Effect)),
        cause=st.sampled_from(get_args(Cause)),
        line=nullable_text,
        station_id=st.none() | station_ids,
        train_id=nullable_text,
        active_from=times_ms,
        active_to=st.none() | times_ms,
        text=text,
    ),
)
contents = arrivals | entries | readings | alerts
streams = st.lists(st.tuples(times_ms, contents), max_size=30)
"""Records in any order of time."""
ordered_streams = streams.map(lambda records: sorted(records, key=lambda record: record[0]))


def split(records: Records, cuts: list[int]) -> list[Batch]:
    """The records in batches, cut at the places given."""
    places = [0, *sorted(cut % (len(records) + 1) for cut in cuts), len(records)]
    return [Batch.of(records[start:stop]) for start, stop in pairwise(places)]


def write(path: Path, records: Records, header: Header = HEADER) -> Path:
    with RecordingWriter(path, header) as writer:
        writer.write(Batch.of(records))
    return path
