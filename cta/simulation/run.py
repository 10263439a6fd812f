"""A run: trains, turnstiles and weather merged into one stream in the total order (time, topic rank, entity, serial)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.records import WeatherKey
from cta.model.time import HOUR_MS
from cta.model.topics import WEATHER
from cta.network.network import Network
from cta.simulation.faults import alerts
from cta.simulation.plan import Plan
from cta.simulation.trains import Trains
from cta.simulation.turnstiles import Turnstiles
from cta.simulation.weather import reading


def simulate(
    network: Network, plan: Plan, *, from_ms: int | None = None, until_ms: int | None = None
) -> Iterator[Batch]:
    """The plan's records as a batch an epoch hour, cut to from_ms <= time < until_ms; equal to the whole run cut there.

    Lazy: an hour is simulated when it is asked for, and nothing of the hours before is kept.
    """
    from_ms = plan.window.start_ms if from_ms is None else max(from_ms, plan.window.start_ms)
    until_ms = plan.window.end_ms if until_ms is None else min(until_ms, plan.window.end_ms)
    trains = Trains(network, plan)
    turnstiles = Turnstiles(network, plan)
    faults = alerts(network, plan)
    for hour_ms in range(from_ms // HOUR_MS * HOUR_MS, until_ms, HOUR_MS):
        arrivals, breakdowns = trains.until(min(hour_ms + HOUR_MS, until_ms))
        planned = [record for record in faults if hour_ms <= record[0] < hour_ms + HOUR_MS]
        told = sorted(planned + breakdowns, key=lambda record: (record[0], record[1].entity))
        weather = [(hour_ms, Content(WEATHER, WeatherKey(hour_ms), reading(network, plan.seed, hour_ms)))]
        yield merge([_as_they_are(arrivals), turnstiles.hour(hour_ms), Batch.of(weather), Batch.of(told)]).between(
            from_ms, until_ms
        )


def _as_they_are(arrivals: list[tuple[int, Content]]) -> Batch:
    """Arrivals as a batch. In one hour hardly two have the same content, so looking for those would be for nothing."""
    times = np.array([time_ms for time_ms, _ in arrivals], np.int64)
    return Batch(times, np.arange(len(arrivals), dtype=np.intp), [content for _, content in arrivals])


def merge(batches: list[Batch]) -> Batch:
    """Batches in rank order, each in order of time and entity, as one in the total order."""
    joined = Batch.joined(batches)
    return joined[np.argsort(joined.times, kind="stable")]
