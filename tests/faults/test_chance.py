"""Which records a fault strikes: as many as its share says, drawn by chance that is each record's own."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from msgspec.structs import replace

from cta.faults.stream import faulty
from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.model.records import Weather, WeatherKey
from cta.model.time import HOUR_MS
from cta.model.topics import TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.simulation.plan import Window, resolve
from cta.simulation.stream_faults import Drop
from cta.testing.documents import Case
from cta.testing.stream_faults import unreliable_cases
from tests.faults.deliveries import HOUR, Record, contents, is_part_of, plan_of, records, sent, struck_by, with_faults


@given(unreliable_cases(kinds=(written.Drop,)))
def test_a_larger_share_strikes_what_a_smaller_one_does_and_more(case: Case) -> None:
    """The one knob can be turned without another run coming of it."""
    fault = plan_of(case).stream_faults[0]
    few, many = (struck_by(case, [dataclasses.replace(fault, share=share)]) for share in (0.2, 0.6))
    assert is_part_of(many, few)


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_share_is_that_share(share: float) -> None:
    """Within five standard deviations of the binomial, which chance leaves once in a million seeds."""
    entries = sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))
    dropped = len(sent(HOUR)) - len(records(with_faults(written.Drop(topic="turnstile", share=share)).batches()))
    assert abs(dropped - entries * share) < 5 * (entries * share * (1 - share)) ** 0.5


def test_another_seed_strikes_other_records() -> None:
    """Of the same stream."""
    fault = resolve(with_faults(written.Drop(topic="turnstile", share=0.1)).scenario, chicago()).stream_faults
    one, other = (records(faulty(HOUR.batches(), seed, fault)) for seed in (1, 2))
    assert one != other


def test_faults_strike_independently_of_one_another() -> None:
    """Of what one kind strikes, another strikes its share: within five standard deviations, where both strike half."""
    entries = sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))
    faults = written.Drop(topic="turnstile", share=0.5), written.Duplicate(topic="turnstile", share=0.5)
    came = sum(content.topic is TURNSTILE for _, content in contents(with_faults(*faults).batches()))
    assert abs(came - entries * 0.75) < 5 * (entries * 0.6875) ** 0.5  # none, one or two of each: 1/2, 1/4, 1/4


def test_chance_is_drawn_anew_each_hour() -> None:
    """Readings, one an hour, don't share one fate."""
    hours = range(0, 48 * HOUR_MS, HOUR_MS)
    readings = [(at, Content(WEATHER, WeatherKey(at), Weather(54.5, "sunny"))) for at in hours]
    fault = Drop(WEATHER, None, None, None, Window(0, hours.stop), 0.5)
    assert 0 < len(records(faulty([Batch.of(readings)], 7, [fault]))) < 48


def test_an_hour_is_struck_as_it_is_in_a_longer_run() -> None:
    """What came in the hours before has no part in it."""
    fault = written.Drop(topic="turnstile", share=0.3, start="2026-05-13T08:00:00-05:00")
    long, short = (
        Case(HOUR.network, replace(HOUR.scenario, start=start, duration=duration, stream_faults=[fault]))
        for start, duration in (("2026-05-13T06:30:00-05:00", "PT2H"), ("2026-05-13T08:00:00-05:00", "PT30M"))
    )

    def entries(case: Case) -> list[Record]:
        return [
            (t, c.fragment)
            for t, c in contents(case.batches())
            if c.topic is TURNSTILE and t >= plan_of(short).window.start_ms
        ]

    assert entries(long) == entries(short)
