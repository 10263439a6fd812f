"""The straightforward way to simulate the same day: the baseline that `cta.simulation` is measured against.

Written as one would without a thought for speed, and without one against it: an event loop for the trains, a generator
for the riders and one for the weather, `random.Random`, a fresh dict for every key and value, `heapq.merge` over the
three. It reads the same network tables and keeps the same rules (separation, platforms of one train, turns at
terminals, yards, jitter), so it makes about as many records of the same shapes; it is not bound to the same bytes.
Times are integer milliseconds, as on Kafka: arithmetic on a datetime a record would cost it another third.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from cta.model.time import DayType
from cta.network.network import Network, Pattern, Station, Terminal

CHICAGO = ZoneInfo("America/Chicago")
HOUR_MS = 3_600_000
DWELL_MS = 20_000
SEPARATION_MS = 60_000
CLEAR_MS = 20_000
IDLE_TURN_MS = 1_200_000
WARM_UP_MS = 2 * HOUR_MS

TOPICS = (
    "org.chicago.cta.stations.arrivals.v1",
    "org.chicago.cta.turnstile.v1",
    "org.chicago.cta.weather.v1",
)

Record = tuple[int, int, str | int, dict[str, Any], dict[str, Any]]
"""Time in milliseconds, index into TOPICS, entity, key, value."""


def simulate(network: Network, day: date, hours: int, seed: int) -> Iterator[Record]:
    """The records of a service day from 03:00 on, in the order of (time, topic)."""
    start_ms = service_day_ms(day) + 3 * HOUR_MS
    return heapq.merge(
        Trains(network, day, start_ms + hours * HOUR_MS, seed).arrivals(start_ms),
        entries(network, start_ms, hours, seed),
        weather(network, start_ms, hours, seed),
    )


def service_day_ms(day: date) -> int:
    """Noon minus twelve hours."""
    return round(datetime.combine(day, time(12), CHICAGO).timestamp() * 1000) - 12 * HOUR_MS


def day_type(day: date) -> DayType:
    if day.weekday() == 6:
        return "sunday"
    return "saturday" if day.weekday() == 5 else "weekday"


# Riders and weather.


def entries(network: Network, start_ms: int, hours: int, seed: int) -> Iterator[Record]:
    """One rider after the other, an hour at a time."""
    rng = random.Random(f"entries {seed}")
    for hour_ms in range(start_ms, start_ms + hours * HOUR_MS, HOUR_MS):
        moment = datetime.fromtimestamp(hour_ms / 1000, CHICAGO)
        share = network.hourly_curve[moment.hour]
        entered: list[tuple[int, Station]] = []
        for station in network.stations.values():
            mean = network.ridership["2019-10"][station.station_id][day_type(moment.date())] * share
            for _ in range(max(0, round(rng.gauss(mean, math.sqrt(mean))))):
                entered.append((hour_ms + int(rng.random() * 3600) * 1000, station))
        entered.sort(key=itemgetter(0))
        for time_ms, station in entered:
            key = {"station_id": station.station_id}
            value = {"station_id": station.station_id, "station_name": station.name, "line": station.home_line}
            yield time_ms, 1, station.station_id, key, value


def weather(network: Network, start_ms: int, hours: int, seed: int) -> Iterator[Record]:
    """A reading an hour around the month's normals."""
    rng = random.Random(f"weather {seed}")
    for hour_ms in range(start_ms, start_ms + hours * HOUR_MS, HOUR_MS):
        moment = datetime.fromtimestamp(hour_ms / 1000, CHICAGO)
        month = network.climate[moment.month - 1]
        swing = (month.mean_max_c - month.mean_min_c) / 2 * math.cos((moment.hour - 15) * math.pi / 12)
        celsius = rng.gauss(month.mean_c, month.sd_daily_mean_c / 4) + swing
        status = rng.choice(["sunny", "partly_cloudy", "cloudy", "windy", "precipitation"])
        value = {"temperature": round((32 + celsius * 9 / 5) * 2) / 2, "status": status}
        yield hour_ms, 2, "weather", {"timestamp": hour_ms}, value


# Trains.


@dataclass(slots=True)
class Train:
    train_id: str
    line: str
    pattern: Pattern | None = None
    call: int = 0
    last: tuple[int, str] | None = None
    turns_at: End | None = None
    stay: int = 0


@dataclass(slots=True)
class Platform:
    occupied: bool = False
    arrived_ms: int = 0
    free_ms: int = 0
    queue: deque[Train] = field(default_factory=deque)


@dataclass(slots=True)
class Track:
    entry_ms: int = 0
    exit_ms: int = 0


@dataclass(slots=True)
class End:
    """A terminal with who is there and which departures wait for a train."""

    terminal: Terminal
    used: int = 0
    ready: deque[Train] = field(default_factory=deque)
    standing: deque[Train] = field(default_factory=deque)
    due: deque[Pattern] = field(default_factory=deque)


Step = Callable[[int, Any], Record | None]


class Trains:
    """A heap of (time, serial, step, what it is about)."""

    def __init__(self, network: Network, day: date, end_ms: int, seed: int) -> None:
        self.network = network
        self.end_ms = end_ms
        self.rng = random.Random(f"trains {seed}")
        self.events: list[tuple[int, int, Step, Any]] = []
        self.serial = itertools.count()
        self.platforms = {stop_id: Platform() for stop_id in network.platforms}
        self.tracks = {hop: Track() for hop in network.edges}
        self.ends = {key: End(terminal) for key, terminal in network.terminals.items()}
        self.yards: dict[str, list[tuple[str, Train]]] = {line: [] for line in network.lines}
        self.numbers = {line: itertools.count(101) for line in network.lines}
        earliest_ms = service_day_ms(day) + 3 * HOUR_MS - WARM_UP_MS
        while service_day_ms(day) < end_ms:
            for service_day in (day - timedelta(days=1), day):
                self.plan(service_day, earliest_ms)
            earliest_ms, day = service_day_ms(day) + 27 * HOUR_MS, day + timedelta(days=1)

    def plan(self, day: date, earliest_ms: int) -> None:
        for time_s, pattern in self.network.timetable[day_type(day)]:
            due_ms = service_day_ms(day) + time_s * 1000 - DWELL_MS
            if earliest_ms <= due_ms < self.end_ms:
                self.at(due_ms, self.depart_due, pattern)

    def at(self, time_ms: int, step: Step, what: Any) -> None:
        heapq.heappush(self.events, (time_ms, next(self.serial), step, what))

    def arrivals(self, start_ms: int) -> Iterator[Record]:
        while self.events and self.events[0][0] < self.end_ms:
            time_ms, _, step, what = heapq.heappop(self.events)
            record = step(time_ms, what)
            if record is not None and time_ms >= start_ms:
                yield record

    def record(self, time_ms: int, train: Train, status: str) -> Record:
        assert train.pattern is not None
        call = train.pattern.calls[train.call]
        station_id, direction = train.last or (None, None)
        train.last = call.station_id, call.direction
        key = {"train_id": train.train_id}
        value = {
            "station_id": call.station_id,
            "train_id": train.train_id,
            "direction": call.direction,
            "line": train.line,
            "train_status": status,
            "prev_station_id": station_id,
            "prev_direction": direction,
        }
        return time_ms, 0, train.train_id, key, value

    def arrive(self, now_ms: int, train: Train) -> Record | None:
        assert train.pattern is not None
        platform = self.platforms[train.pattern.calls[train.call].stop_id]
        if platform.occupied:
            platform.queue.append(train)
            return None
        if now_ms < platform.free_ms:
            self.at(platform.free_ms, self.arrive, train)
            return None
        platform.occupied, platform.arrived_ms = True, now_ms
        last = train.call == len(train.pattern.calls) - 1
        dwell_ms = DWELL_MS + round(self.rng.triangular(-8_000, 8_000))
        self.at(now_ms + dwell_ms, self.turn if last else self.leave, train)
        return self.record(now_ms, train, "in_service")

    def leave(self, now_ms: int, train: Train) -> None:
        assert train.pattern is not None
        hop = train.pattern.calls[train.call].stop_id, train.pattern.calls[train.call + 1].stop_id
        track = self.tracks[hop]
        if now_ms < track.entry_ms:
            self.at(track.entry_ms, self.leave, train)
            return
        if train.turns_at is not None:
            self.free_track(now_ms, train.turns_at)
            train.turns_at = None
        self.clear(now_ms, train)
        run_ms = round(self.network.edges[hop].travel_s * 1000 * self.rng.triangular(0.94, 1.06))
        reach_ms = max(now_ms + run_ms, track.exit_ms)
        track.entry_ms, track.exit_ms = now_ms + SEPARATION_MS, reach_ms + SEPARATION_MS
        train.call += 1
        self.at(reach_ms, self.arrive, train)

    def clear(self, now_ms: int, train: Train) -> None:
        assert train.pattern is not None
        platform = self.platforms[train.pattern.calls[train.call].stop_id]
        platform.occupied = False
        platform.free_ms = max(now_ms + CLEAR_MS, platform.arrived_ms + SEPARATION_MS)
        while platform.queue:
            self.at(platform.free_ms, self.arrive, platform.queue.popleft())

    def turn(self, now_ms: int, train: Train) -> Record | None:
        assert train.pattern is not None
        end = self.ends[train.line, train.pattern.calls[-1].station_id]
        if end.used < end.terminal.tracks:
            end.used += 1
            train.stay += 1
            train.turns_at = end
            self.clear(now_ms, train)
            self.at(now_ms + end.terminal.min_turn_s * 1000, self.ready, train)
            if end.terminal.yard:
                self.at(now_ms + IDLE_TURN_MS, self.idle, (train, train.stay))
        elif end.terminal.yard:
            self.clear(now_ms, train)
            return self.pull_in(now_ms, train)
        else:
            end.standing.append(train)
        return None

    def ready(self, now_ms: int, train: Train) -> None:
        assert train.turns_at is not None
        train.turns_at.ready.append(train)
        self.dispatch(now_ms, train.turns_at)

    def idle(self, now_ms: int, whose: tuple[Train, int]) -> Record | None:
        train, stay = whose
        end = train.turns_at
        if end is None or train.stay != stay or train not in end.ready:
            return None
        end.ready.remove(train)
        train.turns_at = None
        self.free_track(now_ms, end)
        return self.pull_in(now_ms, train)

    def pull_in(self, now_ms: int, train: Train) -> Record:
        record = self.record(now_ms, train, "out_of_service")
        train.last = None
        heapq.heappush(self.yards[train.line], (train.train_id, train))
        return record

    def free_track(self, now_ms: int, end: End) -> None:
        end.used -= 1
        if end.standing:
            self.at(now_ms, self.turn, end.standing.popleft())

    def depart_due(self, now_ms: int, pattern: Pattern) -> None:
        end = self.ends[pattern.line, pattern.calls[0].station_id]
        end.due.append(pattern)
        self.dispatch(now_ms, end)

    def dispatch(self, now_ms: int, end: End) -> None:
        line = end.terminal.line
        while end.due:
            if end.ready:
                train = end.ready.popleft()
            elif self.yards[line]:
                train = heapq.heappop(self.yards[line])[1]
            elif end.terminal.yard:
                prefix = self.network.lines[line].run_prefix
                train = Train(f"{prefix}{next(self.numbers[line])}", line)
            else:
                return
            train.pattern, train.call = end.due.popleft(), 0
            self.at(now_ms, self.arrive, train)
