"""How many trains a line has, what they are called, and the chance in a trip's running and dwell times."""

from __future__ import annotations

from typing import Final

import numpy as np

from cta.model.scenario import Headways, Timetable
from cta.network.network import DWELL_S, Network
from cta.simulation.railway import Train, Trip
from cta.simulation.randomness import words

SPARE_SHARE: Final = 0.2
"""Trains beyond the timetable's need, for days that run late. Ours; transit agencies plan for 10 to 20 % (FTA spare ratio)."""

RUN_SPREAD: Final = 6
"""A hop takes its published time within so many per cent, triangular around it. Ours."""

DWELL_SPREAD_MS: Final = 8_000
"""A stop takes its 20 s within so much, triangular around it. Ours."""


def trains_of(network: Network, line: str, service: Timetable | Headways) -> list[Train]:
    """The line's trains, by run number: RD101, RD102, ... A function of network, line and kind of service alone."""
    count = service.trains if isinstance(service, Headways) else _fleet(network, line)
    prefix = network.lines[line].run_prefix
    return [Train(f"{prefix}{100 + n}", line) for n in range(1, count + 1)]


def _fleet(network: Network, line: str) -> int:
    """The most trips under way at once on any day type, turns included, and a share of spares."""
    peak = 0
    away_s = {
        name: network.nominal_run_s(pattern)
        + 2 * DWELL_S
        + network.terminals[line, pattern.calls[-1].station_id].min_turn_s
        for name, pattern in network.patterns.items()
        if pattern.line == line
    }
    for departures in network.timetable.values():
        changes = []
        for start_s, pattern in departures:
            if pattern.line == line:
                changes += [(start_s, 1), (start_s + away_s[pattern.name], -1)]
        under_way = 0
        for _, change in sorted(changes):
            under_way += change
            peak = max(peak, under_way)
    return peak + int(peak * SPARE_SHARE) + 2


def set_out(train: Train, trip: Trip, seed: int) -> None:
    """Give a train a trip and the trip's chance: a running time a hop and a dwell a call, in ms, means as published."""
    legs = trip.route.legs
    drawn = words(seed, "trip", trip.route.pattern.name, trip.scheduled_ms, len(legs))
    pieces = drawn.astype("<u8", copy=False).view("<u2").astype(np.int64)
    swings = pieces[::2] + pieces[1::2] - 0xFFFF
    run_swing, dwell_swing = swings[::2], swings[1::2]
    travel_ms = trip.route.travel_ms
    train.runs_ms = (travel_ms + travel_ms * run_swing * RUN_SPREAD // (100 * 0xFFFF)).tolist()
    train.dwells_ms = (DWELL_S * 1000 + dwell_swing * DWELL_SPREAD_MS // 0xFFFF).tolist()
    train.route, train.legs, train.index = trip.route, legs, 0
