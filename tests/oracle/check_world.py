"""Checks of weather and alerts: a reading an hour, an alert a fault, and what stands still while a train is broken down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from tests.oracle.case import Case, clock
from tests.oracle.check_entries import HOUR_MS
from tests.oracle.plan import Fault

_STATUSES = ("sunny", "partly_cloudy", "cloudy", "windy", "precipitation")

_WORDS = {
    "closure": ("NO_SERVICE", "MAINTENANCE"),
    "slow_zone": ("SIGNIFICANT_DELAYS", "CONSTRUCTION"),
    "breakdown": ("SIGNIFICANT_DELAYS", "TECHNICAL_PROBLEM"),
    "surge": ("OTHER_EFFECT", "OTHER_CAUSE"),
}
"""Effect and cause of a fault's alert, in the words of GTFS-realtime."""

_Alert = tuple[int, str, str, str | None, int | None, str | None, int, int]
"""t, effect, cause, line, station_id, train_id, active_from, active_to."""


def weather(case: Case) -> list[str]:
    """One reading every UTC hour of the window, its key the time; halves of a degree; a status of the list."""
    plan = case.plan
    due = set(range(-(-plan.start_ms // HOUR_MS) * HOUR_MS, plan.end_ms, HOUR_MS))
    violations = []
    for n, t, key, temperature, status in case.database.execute("SELECT n, t, key, temperature, status FROM weather"):
        if t not in due:
            violations.append(f"line {n}: a reading at {clock(t)}, which is a second one of its hour, or of no hour")
        due.discard(t)
        if key != t or temperature * 2 != int(temperature * 2) or status not in _STATUSES:
            violations.append(f"line {n}: no such reading: key {key} at {t}, {temperature} degrees, {status}")
    return violations + [f"no reading at {clock(t)}" for t in sorted(due)]


def alerts(case: Case) -> list[str]:
    """One alert a fault that began in the run; no other alert; ids of their own."""
    rows = case.database.execute(
        "SELECT n, key, t, effect, cause, line, station_id, train_id, active_from, active_to FROM alert"
    ).fetchall()
    due = list(chain.from_iterable(_due(case, fault) for fault in case.plan.faults))
    violations = []
    ids = set()
    for n, alert_id, *alert in rows:
        if tuple(alert) in due:
            due.remove(tuple(alert))
        else:
            violations.append(f"line {n}: no fault of the scenario gives the alert {alert_id}")
        if alert_id in ids:
            violations.append(f"line {n}: a second alert {alert_id}")
        ids.add(alert_id)
    return violations + [f"no alert {alert}" for alert in due]


def slow_zones(case: Case) -> list[str]:
    """A train of the line that runs in the zone while it is slow takes the factor's times as long as it must anyway."""
    return list(chain.from_iterable(_hasty(case, fault) for fault in case.plan.of("slow_zone")))


def breakdowns(case: Case) -> list[str]:
    """A train stands broken down where and when a fault says; it goes on when that is over; nobody comes there before."""
    due = {row[0]: fault for fault in case.plan.of("breakdown") if (row := _broken(case, fault))}
    stand = case.database.execute("SELECT n, train_id FROM arrival WHERE train_status = 'broken_down'").fetchall()
    unasked = [f"line {n}: {train} breaks down, which no fault says" for n, train in stand if n not in due]
    sound = [f"line {n}: a train that should break down does not" for n in due if n not in dict(stand)]
    early = chain.from_iterable(_early(case, n, fault) for n, fault in due.items())
    return unasked + sound + list(early)


def _due(case: Case, fault: Fault) -> Iterator[_Alert]:
    """The fault's alert: none if the fault begins outside the window, or no train came to break down."""
    if fault.kind == "breakdown":
        if train := _broken(case, fault):
            _, t, train_id = train
            until = t + fault.duration_ms
            yield (t, *_WORDS[fault.kind], fault.line, fault.station_id, train_id, t, until)
    elif case.plan.start_ms <= fault.start_ms < case.plan.end_ms:
        start = fault.start_ms
        station_id = None if fault.kind == "slow_zone" else fault.station_id
        yield (start, *_WORDS[fault.kind], fault.line, station_id, None, start, fault.end_ms)


def _broken(case: Case, fault: Fault) -> tuple[int, int, str] | None:
    """n, t and train_id of the first of the line to arrive at the fault's platform from its start on."""
    row: Any = case.database.execute(
        """
        SELECT n, t, train_id FROM arrival
        WHERE line = ? AND station_id = ? AND direction = ? AND t >= ? AND train_status != 'out_of_service'
        ORDER BY t, n LIMIT 1
        """,
        (fault.line, fault.station_id, fault.direction, fault.start_ms),
    ).fetchone()
    return row and tuple(row)


def _early(case: Case, n: int, fault: Fault) -> Iterator[str]:
    """Arrivals at the platform of the broken-down train of line ``n``, or of that train anywhere, while it stands."""
    t, train_id = case.database.execute("SELECT t, train_id FROM arrival WHERE n = ?", (n,)).fetchone()
    platform = case.railway.stop_id(str(fault.line), str(fault.direction), int(fault.station_id or 0))
    after = case.database.execute(
        "SELECT n, train_id, line, direction, station_id FROM arrival WHERE n > ? AND t < ? ORDER BY n",
        (n, t + fault.duration_ms),
    )
    for other_n, other_id, line, direction, station_id in after:
        if other_id == train_id or case.railway.stop_id(line, direction, station_id) == platform:
            yield f"line {other_n}: {other_id} arrives at {station_id} while {train_id} stands broken down there"


def _hasty(case: Case, fault: Fault) -> Iterator[str]:
    least_ms = case.railway.stretch(str(fault.line), int(fault.station_id or 0), int(fault.to_station_id or 0))
    runs = case.database.execute(
        """
        SELECT n, train_id, direction, prev_station_id, station_id, took FROM (
            SELECT *, t - LAG(t) OVER (PARTITION BY train_id ORDER BY n) AS took FROM arrival
        ) WHERE line = ? AND prev_direction = direction AND t - took >= ? AND t < ?
        """,
        (fault.line, fault.start_ms, fault.end_ms),
    )
    for n, train_id, *run, took_ms in runs:
        least = fault.factor * least_ms.get((run[0], run[1], run[2]), 0)
        if took_ms < least:
            yield f"line {n}: {train_id} runs through a slow zone {run} in {took_ms} ms, least {least:.0f}"
