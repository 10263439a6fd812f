"""Riders through turnstiles: every entry a record, an epoch hour at a time.

A station's entries of an hour are a count around ridership x hourly curve x weather, at whole seconds spread evenly
over the hour. They are drawn under (seed, station, epoch hour) and depend on nothing else: not on lines, faults, the
window or other stations. Faults come on top: a surge adds entries from a stream of its own, a closure takes away what
falls into it; take the fault out and the bytes are as they were.

A full day is 627,000 entries, so an hour is made in columns: (second, station) packed into 32 bits, sorted as numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from cta.model.batch import Batch, Content
from cta.model.records import Entry, StationKey
from cta.model.time import HOUR_MS, SECOND_MS, DayType, day_type, local
from cta.model.topics import TURNSTILE
from cta.network.network import Network
from cta.simulation.noise import COUNT_WORDS, MICRO, counts, most
from cta.simulation.plan import Closure, Plan, Surge
from cta.simulation.randomness import words
from cta.simulation.weather import FACTOR_ONE, factor

HOUR_S: Final = HOUR_MS // SECOND_MS

_CURVE_ONE: Final = 10**7  # fine enough for a share of 0.01, coarse enough for 900,000 entries a day in 63 bits
_STATION_BITS: Final = np.uint64(20)
_STATION_MASK: Final = np.uint32((1 << 20) - 1)
_HALF: Final = np.uint64(32)
_LOW: Final = np.uint64(0xFFFFFFFF)

Packed = NDArray[np.uint32]
"""Entries as second of the hour << 20 | station's code: ordered as numbers, they are ordered by (time, station)."""


class Turnstiles:
    """The turnstiles of the stations that the plan's lines serve.

    ``contents``: one a station, by station id; every batch of this object is over them.
    """

    def __init__(self, network: Network, plan: Plan) -> None:
        self._network = network
        self._plan = plan
        stations = [
            station for _, station in sorted(network.stations.items()) if not set(plan.lines).isdisjoint(station.lines)
        ]
        self.contents = [
            Content(
                TURNSTILE, StationKey(station.station_id), Entry(station.station_id, station.name, station.home_line)
            )
            for station in stations
        ]
        self._station_ids = [station.station_id for station in stations]
        self._codes = {station_id: code for code, station_id in enumerate(self._station_ids)}
        self._surges = [
            (_identity(plan, rank), fault)
            for rank, fault in enumerate(plan.faults)
            if isinstance(fault, Surge) and fault.station_id in self._codes
        ]
        self._closures = [
            fault for fault in plan.faults if isinstance(fault, Closure) and fault.station_id in self._codes
        ]
        self._usual = {day: _hourly_means(network, plan.ridership, self._station_ids, day) for day in get_args(DayType)}

    def hour(self, hour_ms: int) -> Batch:
        """The entries of the epoch hour that begins at ``hour_ms``, within the plan's window, by (time, station id)."""
        window = self._plan.window
        if not self.contents or hour_ms >= window.end_ms or hour_ms + HOUR_MS <= window.start_ms:
            return Batch(np.empty(0, np.int64), np.empty(0, np.intp), self.contents)
        means = self._means(hour_ms)
        usual = _entries(
            self._plan.seed, "entries", self._station_ids, hour_ms, means, np.arange(len(means)), range(HOUR_S)
        )
        packed = np.concatenate([usual, *self._extras(hour_ms, means)])
        packed.sort()
        times = hour_ms + (packed >> np.uint32(_STATION_BITS)).astype(np.int64) * SECOND_MS
        batch = Batch(times, (packed & _STATION_MASK).astype(np.intp), self.contents)
        return self._without_closed(batch, hour_ms).between(window.start_ms, window.end_ms)

    def _means(self, hour_ms: int) -> NDArray[np.int64]:
        """Mean entries of each station in the hour, in millionths, int64[stations]."""
        moment = local(hour_ms)
        usual = self._usual[day_type(moment.date())][moment.hour]
        means: NDArray[np.int64] = usual * factor(self._network, self._plan.seed, hour_ms) // FACTOR_ONE
        return means

    def _extras(self, hour_ms: int, means: NDArray[np.int64]) -> Iterator[Packed]:
        """What each surge adds, at the seconds that it lasts."""
        for identity, surge in self._surges:
            lasting = _seconds_of(surge.window.start_ms - hour_ms, surge.window.end_ms - hour_ms)
            if lasting:
                code = self._codes[surge.station_id]
                added_micro = round((surge.factor - 1) * MICRO)
                mean = int(means[code]) * added_micro // MICRO * len(lasting) // HOUR_S
                yield _entries(
                    self._plan.seed, "surge", [identity], hour_ms, np.array([mean]), np.array([code]), lasting
                )

    def _without_closed(self, batch: Batch, hour_ms: int) -> Batch:
        for closure in self._closures:
            start_ms, end_ms = closure.window.start_ms, closure.window.end_ms
            if start_ms < hour_ms + HOUR_MS and hour_ms < end_ms:
                shut = batch.codes == self._codes[closure.station_id]
                batch = batch[~(shut & (batch.times >= start_ms) & (batch.times < end_ms))]
        return batch


def _hourly_means(network: Network, month: str, station_ids: Sequence[int], day: DayType) -> NDArray[np.int64]:
    """Mean entries by local hour and station in usual weather, in millionths, int64[24, stations].

    The curve's shares are scaled to a sum of 1. A station that the ridership table leaves out has no entries.
    """
    ridership = network.ridership.get(month, {})
    daily = [round(ridership[each][day] * MICRO) if each in ridership else 0 for each in station_ids]
    curve = np.array([[round(share * _CURVE_ONE)] for share in network.hourly_curve], np.int64)
    means: NDArray[np.int64] = np.array(daily, np.int64) * curve // curve.sum()
    return means


def _identity(plan: Plan, rank: int) -> str:
    """What a surge is drawn under: itself alone, and a number where the plan has the very same one more than once."""
    surge = plan.faults[rank]
    assert isinstance(surge, Surge)
    again = plan.faults[:rank].count(surge)
    return f"{surge.station_id}/{surge.factor!r}/{surge.window.start_ms}/{surge.window.end_ms}/{again}"


def _seconds_of(start_ms: int, end_ms: int) -> range:
    """The whole seconds of an hour within start <= t < end, both counted from its beginning."""
    return range(max(0, -(-start_ms // SECOND_MS)), min(HOUR_S, -(-end_ms // SECOND_MS)))


def _entries(
    seed: int,
    stream: str,
    entities: Sequence[int | str],
    hour_ms: int,
    means: NDArray[np.int64],
    codes: NDArray[np.intp],
    seconds: range,
) -> Packed:
    """A count around each entity's mean, at seconds drawn evenly: unsorted. One draw of words an entity.

    The first four words of a draw make the count, each half of those after it an entry.
    """
    rooms = (COUNT_WORDS + (most(means) + 1) // 2).tolist()
    hour = hour_ms // HOUR_MS
    drawn = [words(seed, stream, entity, hour, room) for entity, room in zip(entities, rooms, strict=True)]
    drawn_counts = counts(means, np.array([each[:COUNT_WORDS] for each in drawn]))
    ends = COUNT_WORDS + (drawn_counts + 1) // 2
    halves = _halves(np.concatenate([each[COUNT_WORDS:end] for each, end in zip(drawn, ends.tolist(), strict=True)]))
    unused = (2 * (ends - COUNT_WORDS)).cumsum()[drawn_counts % 2 == 1] - 1
    offsets = seconds.start + (np.delete(halves, unused) * np.uint64(len(seconds)) >> _HALF)
    return (offsets << _STATION_BITS | np.repeat(codes, drawn_counts).astype(np.uint64)).astype(np.uint32)


def _halves(drawn: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The upper and the lower 32 bits of each word, in that order, uint64[2n]."""
    return np.stack((drawn >> _HALF, drawn & _LOW), axis=1).ravel()
