"""Pacing, on a clock that only moves when it is slept on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.commands.pace import SLICE_S, Stop, WallClock, late_s, paced
from cta.model.batch import Batch, Content
from cta.model.records import Arrival, TrainKey
from cta.model.topics import ARRIVALS

START_MS = 1_778_673_600_000
ARRIVAL = Content(ARRIVALS, TrainKey("BL104"), Arrival(40380, "BL104", "b", "blue", "in_service", None, None))


@dataclass
class VirtualClock:
    """Time passes by sleeping, and by ``late_s`` with every sleep: a machine that is always a little late."""

    time_s: float = 1_000.0
    late_s: float = 0.0
    sleeps: int = field(default=0)

    def now_s(self) -> float:
        return self.time_s

    def sleep_until_s(self, deadline_s: float) -> None:
        self.sleeps += 1
        self.time_s = max(self.time_s, deadline_s) + self.late_s


def batches_of(times_ms: list[int], cuts: list[int] | None = None) -> list[Batch]:
    times = np.array(times_ms, np.int64) + START_MS
    return [Batch(part, np.zeros(len(part), np.intp), [ARRIVAL]) for part in np.split(times, cuts or [])]


def send(batches: list[Batch], clock: VirtualClock, speed: float) -> list[tuple[float, int]]:
    """When each record was sent, in seconds after the start of the replay, and its event time."""
    began_s = clock.now_s()
    return [
        (clock.now_s() - began_s, time_ms)
        for batch in paced(batches, clock, start_ms=START_MS, speed=speed)
        for time_ms, _ in batch
    ]


@given(
    st.lists(st.integers(0, 7_200_000), max_size=60).map(sorted),
    st.lists(st.integers(0, 60), max_size=4).map(sorted),
    st.sampled_from([0.001, 0.5, 1.0, 7.3, 60.0, 3600.0, 1e6]),
)
def test_no_record_is_early_or_more_than_a_slice_late(times_ms: list[int], cuts: list[int], speed: float) -> None:
    """Each record is sent at its moment or at most one slice (and never less than a millisecond of the run) after it."""
    slice_s = max(SLICE_S, 0.001 / speed)
    for sent_s, time_ms in send(batches_of(times_ms, cuts), VirtualClock(), speed):
        due_s = (time_ms - START_MS) / 1000 / speed
        assert due_s <= sent_s + 1e-6
        assert sent_s <= due_s + slice_s + 1e-6


@given(
    st.lists(st.integers(0, 7_200_000), min_size=1, max_size=60).map(sorted),
    st.sampled_from([0.001, 1.0, 60.0, 3600.0]),
    st.floats(0.0, 100.0),
)
def test_a_run_is_behind_by_what_its_machine_is_late_and_no_more(
    times_ms: list[int], speed: float, late_by_s: float
) -> None:
    """Asked when a record went out: never less than what the last sleep was late, less a slice; on time it is 0."""
    slice_s = max(SLICE_S, 0.001 / speed)
    for sent_s, time_ms in send(batches_of(times_ms), VirtualClock(late_s=late_by_s), speed):
        behind_s = late_s(sent_s, time_ms - START_MS, speed)
        assert late_by_s - slice_s - 1e-6 <= behind_s
        assert behind_s <= len(times_ms) * late_by_s + 1e-6


def test_a_record_whose_time_goes_back_is_sent_with_the_one_before_it() -> None:
    """Within a batch and across batches: it comes late, and nothing waits for a moment that is past."""
    times_ms = [0, 30_000, 10_000, 20_000, 60_000, 5_000]
    sent = send(batches_of(times_ms, [3]), VirtualClock(), 1.0)
    assert [time_ms - START_MS for _, time_ms in sent] == times_ms
    assert [round(sent_s) for sent_s, _ in sent] == [0, 30, 30, 30, 60, 60]


@given(st.lists(st.integers(0, 7_200_000), max_size=60), st.lists(st.integers(0, 60), max_size=4).map(sorted))
def test_pacing_changes_no_record(times_ms: list[int], cuts: list[int]) -> None:
    """What is sent is what was given, in its order, however it is sliced and wherever times go back."""
    sent = [time_ms for _, time_ms in send(batches_of(times_ms, cuts), VirtualClock(), 60.0)]
    assert sent == [START_MS + time_ms for time_ms in times_ms]


def test_a_clock_that_is_always_late_does_not_add_up() -> None:
    """After an hour of records, each sleep 10 ms too long, the last one is still within a slice and those 10 ms."""
    clock = VirtualClock(late_s=0.010)
    sent_s, _ = send(batches_of(list(range(0, 3_600_001, 1000))), clock, 1.0)[-1]
    assert clock.sleeps == 3601
    assert sent_s == pytest.approx(3600.0 + SLICE_S + 0.010)


def test_a_pause_is_caught_up() -> None:
    """After a pause of a minute what is overdue goes out at once, and the rest keeps its times."""
    clock = VirtualClock()
    stream = paced(batches_of([0, 30_000, 90_000]), clock, start_ms=START_MS, speed=1.0)
    next(stream)
    clock.time_s += 60.0
    next(stream)
    assert clock.time_s == pytest.approx(1_000.0 + SLICE_S + 60.0)
    next(stream)
    assert clock.time_s == pytest.approx(1_000.0 + 90.0 + SLICE_S)


def test_wall_clock_does_not_sleep_past_a_stop() -> None:
    """Asked to stop, a sleep of an hour is over at once."""
    stop = Stop()
    clock = WallClock(stop)
    stop.asked = True
    began_s = clock.now_s()
    clock.sleep_until_s(began_s + 3600)
    assert clock.now_s() - began_s < 1.0


def test_wall_clock_sleeps_to_the_deadline() -> None:
    """A sleep ends at its deadline, not before it."""
    clock = WallClock(Stop())
    deadline_s = clock.now_s() + 0.02
    clock.sleep_until_s(deadline_s)
    assert clock.now_s() >= deadline_s
