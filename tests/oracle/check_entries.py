"""Checks of entries: who enters where, and how many, against ridership, hours, closures and surges."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

from tests.oracle.case import Case, clock
from tests.oracle.plan import CHICAGO, Plan
from tests.oracle.railway import rows

HOUR_MS = 3_600_000

_DAY_COLUMNS = ("avg_weekday",) * 5 + ("avg_saturday", "avg_sunday_holiday")
"""Of the ridership tables, by weekday. No shipped scenario falls on a holiday, and none is known here."""

_WEATHER_SHARE = 0.08
"""How far weather alone may move an hour's entries, as a share of them. It moves all stations alike."""

_MIX_SHARE = 0.02
"""How far it may move a station's entries of the run against the city's, since closures and surges pick their hours."""

_SIGMAS = 6
"""Standard deviations of Poisson noise allowed: seeds are fixed, so no test may fail by chance."""


def places(case: Case) -> list[str]:
    """Entries are at whole seconds, at stations of the run's lines, under the station's name and home line."""
    home = {int(row["station_id"]): row["line"] for row in rows("home_lines.csv")}
    names = {int(row["station_id"]): row["station_name"] for row in rows("stations.csv")}
    right = {(station_id, names[station_id], home[station_id]) for station_id in case.station_ids}
    said = case.database.execute("SELECT station_id, station_name, line, min(n) FROM entry GROUP BY 1, 2, 3").fetchall()
    split = case.database.execute("SELECT n, t FROM entry WHERE t % 1000 != 0")
    return [
        f"line {n}: nobody enters {name} ({station_id}) on the {line} line in this run"
        for station_id, name, line, n in said
        if (station_id, name, line) not in right
    ] + [f"line {n}: an entry between whole seconds, at {clock(t)}" for n, t in split]


def closed(case: Case) -> list[str]:
    """Nobody enters a closed station."""
    return [
        f"line {n}: an entry at {fault.station_id}, which is closed, at {clock(t)}"
        for fault in case.plan.of("closure")
        for n, t in case.database.execute(
            "SELECT n, t FROM entry WHERE station_id = ? AND t >= ? AND t < ?",
            (fault.station_id, fault.start_ms, fault.end_ms),
        )
    ]


def totals(case: Case) -> list[str]:
    """The entries of each hour, and of each station over the run, are as many as the tables say, give or take chance."""
    by_hour: dict[int, float] = defaultdict(float)
    by_station: dict[int, float] = defaultdict(float)
    for station_id, hour, expected in _expected(case):
        by_hour[hour] += expected
        by_station[station_id] += expected
    hours = dict(case.database.execute(f"SELECT t / {HOUR_MS}, count(*) FROM entry GROUP BY 1"))
    stations = dict(case.database.execute("SELECT station_id, count(*) FROM entry GROUP BY 1"))
    city = sum(hours.values()) / (sum(by_hour.values()) or 1)
    return [
        f"the hour from {clock(hour * HOUR_MS)} has {hours.get(hour, 0)} entries, expected {expected:.0f}"
        for hour, expected in sorted(by_hour.items())
        if not _is_likely(hours.get(hour, 0), expected, _WEATHER_SHARE)
    ] + [
        f"station {station_id} has {stations.get(station_id, 0)} entries, expected {expected * city:.0f}"
        for station_id, expected in sorted(by_station.items())
        if not _is_likely(stations.get(station_id, 0), expected * city, _MIX_SHARE)
    ]


def _is_likely(actual: int, expected: float, share: float) -> bool:
    return abs(actual - expected) <= _SIGMAS * math.sqrt(expected + 1) + share * expected


def _expected(case: Case) -> Iterator[tuple[int, int, float]]:
    """(station_id, epoch hour, mean entries) over the run, weather left out."""
    plan = case.plan
    hours = range(plan.start_ms // HOUR_MS, -(-plan.end_ms // HOUR_MS))
    for station_id in case.station_ids:
        for hour in hours:
            yield station_id, hour, _hourly(plan.ridership, station_id, hour) * _hours_worth(plan, station_id, hour)


def _hourly(month: str, station_id: int, hour: int) -> float:
    local = datetime.fromtimestamp(hour * HOUR_MS / 1000, UTC).astimezone(CHICAGO)
    day = float(_ridership(month)[station_id][_DAY_COLUMNS[local.weekday()]])
    return day * _curve()[local.hour]


def _hours_worth(plan: Plan, station_id: int, hour: int) -> float:
    """How many hours' riders come in what the window holds of the hour: none while closed, more in a surge."""
    faults = [f for f in plan.faults if f.station_id == station_id and f.kind in ("closure", "surge")]
    start_ms, end_ms = max(plan.start_ms, hour * HOUR_MS), min(plan.end_ms, (hour + 1) * HOUR_MS)
    edges = {start_ms, end_ms} | {ms for f in faults for ms in (f.start_ms, f.end_ms) if start_ms < ms < end_ms}
    worth = 0.0
    for from_ms, to_ms in pairwise(sorted(edges)):
        active = [f for f in faults if f.start_ms <= from_ms < f.end_ms]
        factor = 0.0 if any(f.kind == "closure" for f in active) else math.prod(f.factor for f in active)
        worth += factor * (to_ms - from_ms) / HOUR_MS
    return worth


@cache
def _ridership(month: str) -> dict[int, dict[str, str]]:
    tables = rows("ridership.csv") + rows("ridership_2019-10.csv")
    return {int(row["station_id"]): row for row in tables if row["month"] == month}


@cache
def _curve() -> list[float]:
    return [float(row["ref_ratio_normalised"]) for row in rows("hourly_curve.csv")]
