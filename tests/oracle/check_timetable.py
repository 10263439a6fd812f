"""Checks of departures: every trip of departures.csv begins, when it should, and no other does."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta

from tests.oracle.case import Case, clock
from tests.oracle.plan import CHICAGO, Fault, Plan, duration_ms, ms
from tests.oracle.railway import rows

_DAY_TYPES = ("weekday",) * 5 + ("saturday", "sunday")
"""By weekday of the service day. No shipped scenario falls on a holiday, and none is known here."""

_FIRST_HOUR = 3
"""Of a service day: the hours before it are the end of the day before."""

_STANDS_MS = 20_000
"""A train is recorded at its first platform when it opens its doors, a dwell before it leaves."""

_PROMPT_MS = 150_000
"""The most that a departure may wait when nothing goes wrong: for two trains of other lines, or for one that turns."""

_HELD_UP_MS = 900_000
"""The same where no yard has a train to stand in for one that a slow zone or a breakdown holds up."""

_CLOSEST_HEADWAY_MS = 120_000
"""Trains of all lines of a platform come no closer than this for long."""

_LEAVES_THE_YARD = "prev_station_id IS NULL"
_BEGINS_A_TRIP = f"{_LEAVES_THE_YARD} OR (prev_station_id = station_id AND prev_direction != direction)"

_Place = tuple[str, str, int]
"""(line, direction, station_id) where trips begin."""


def departures(case: Case) -> list[str]:
    """Each trip of the timetable begins at its time or soon after; at a headway, each train is sent out at its time."""
    if case.plan.service["kind"] == "timetable":
        scheduled, actual = _timetable(case.plan), _begun(case, _BEGINS_A_TRIP)
    else:
        scheduled, actual = _sent_out(case), _begun(case, _LEAVES_THE_YARD)
    places = sorted(scheduled.keys() | actual.keys())
    return [said for place in places for said in _best(case, place, scheduled[place], actual[place])]


def _best(case: Case, place: _Place, due_ms: list[int], trains: list[tuple[int, int]]) -> list[str]:
    """Trips from before the window may begin late, inside it: suppose as many of them as explains the trains best."""
    earlier = [due for due in due_ms if due < case.plan.start_ms]
    return min((_compare(case, place, due_ms[skipped:], trains) for skipped in range(len(earlier), -1, -1)), key=len)


def _compare(case: Case, place: _Place, due_ms: list[int], trains: list[tuple[int, int]]) -> list[str]:
    """Give each scheduled trip, in order, the next train that leaves; name the trips and the trains left over."""
    late_ms = _late_ms(case, place)
    left = list(reversed(trains))
    violations = []
    for due in due_ms:
        while left and left[-1][1] < due:
            violations.append(_stray(place, left.pop()))
        if left and left[-1][1] <= due + late_ms:
            left.pop()
        elif case.plan.start_ms <= due and due + late_ms < case.plan.end_ms:
            violations.append(f"no train leaves {place} on the trip of {clock(due)}")
    return violations + [_stray(place, train) for train in reversed(left)]


def _stray(place: _Place, train: tuple[int, int]) -> str:
    n, t = train
    return f"line {n}: leaves {place} on no trip, or before its time, at {clock(t)}"


def _late_ms(case: Case, place: _Place) -> int:
    """How late a trip may begin: a yard always has a train, and only a queue that reaches the terminal holds it there."""
    line, _, station_id = place
    breakdowns = case.plan.of("breakdown")
    if (line, station_id) in case.railway.yards:
        return _PROMPT_MS + sum(fault.duration_ms for fault in breakdowns if _queues_back(case, fault, place))
    if breakdowns or case.plan.of("slow_zone"):
        return _HELD_UP_MS + sum(fault.duration_ms for fault in breakdowns)
    return _PROMPT_MS


def _queues_back(case: Case, fault: Fault, place: _Place) -> bool:
    """May as many trains stop behind the broken-down one as there are platforms from ``place`` to it, one at each?"""
    platform = case.railway.stop_id(str(fault.line), str(fault.direction), int(fault.station_id or 0))
    line, direction, _ = place
    same = [spots for (of, way, _), spots in case.railway.spots.items() if (of, way) == (line, direction)]
    ahead = [spot.position for spots in same for spot in spots if spot.stop_id == platform]
    return any(position <= fault.duration_ms / _CLOSEST_HEADWAY_MS for position in ahead)


def _sent_out(case: Case) -> dict[_Place, list[int]]:
    """So many trains a line from the run's start on, a headway apart, from where direction b begins."""
    service, plan = case.plan.service, case.plan
    every_ms = duration_ms(service["headway"])
    times = range(plan.run_start_ms, plan.run_start_ms + service["trains"] * every_ms, every_ms)
    starts = (spot for line in plan.lines for spot in case.railway.starts[line] if spot.direction == "b")
    places = {(spot.line, spot.direction, spot.station_id) for spot in starts}
    return defaultdict(list, {place: [at for at in times if plan.start_ms <= at < plan.end_ms] for place in places})


def _timetable(plan: Plan) -> dict[_Place, list[int]]:
    """Times at which trains of trips should stand at their first platform, from a little before the window on."""
    services = {row["service"]: row for row in rows("services.csv") if row["line"] in plan.lines}
    due: dict[_Place, list[int]] = defaultdict(list)
    for day in _service_days(plan):
        midnight_ms = ms(datetime.combine(day, time(12), CHICAGO)) - 12 * 3_600_000
        for row in rows("departures.csv"):
            if row["day_type"] == _DAY_TYPES[day.weekday()] and (service := services.get(row["service"])):
                place = service["line"], row["direction"], int(service[f"first_station_{row['direction']}"])
                hour = int(row["hour"]) + 24 * (int(row["hour"]) < _FIRST_HOUR)
                for trip in range(int(row["departures"])):
                    at_s = hour * 3600 + int(row["first_offset_s"]) + trip * int(row["every_s"])
                    due[place].append(midnight_ms + at_s * 1000 - _STANDS_MS)
    first_ms = plan.start_ms - _HELD_UP_MS
    return defaultdict(
        list, {place: sorted(at for at in times if first_ms <= at < plan.end_ms) for place, times in due.items()}
    )


def _service_days(plan: Plan) -> list[date]:
    first, last = (datetime.fromtimestamp(at / 1000, CHICAGO).date() for at in (plan.start_ms, plan.end_ms))
    return [first + timedelta(days=n) for n in range(-1, (last - first).days + 1)]


def _begun(case: Case, condition: str) -> dict[_Place, list[tuple[int, int]]]:
    """(n, t) of the arrivals for which ``condition`` holds, by place, in order."""
    found: dict[_Place, list[tuple[int, int]]] = defaultdict(list)
    begun = case.database.execute(
        "SELECT n, t, line, direction, station_id FROM arrival "
        f"WHERE train_status != 'out_of_service' AND ({condition}) ORDER BY t, n"
    )
    for n, t, line, direction, station_id in begun:
        found[line, direction, station_id].append((n, t))
    return found
