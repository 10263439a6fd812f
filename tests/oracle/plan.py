"""The scenario in a recording's header: when, which lines, and what goes wrong where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.oracle.railway import railway, rows

CHICAGO = ZoneInfo("America/Chicago")

_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SURNAMED = re.compile(r"(.+) \((.+)\)")


@dataclass(frozen=True)
class Fault:
    kind: str
    """breakdown, closure, slow_zone or surge."""
    start_ms: int
    duration_ms: int
    station_id: int | None = None
    """The first of two where the fault is a stretch of track."""
    to_station_id: int | None = None
    line: str | None = None
    direction: str | None = None
    factor: float = 1.0

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


@dataclass(frozen=True)
class Plan:
    start_ms: int
    end_ms: int
    """The window of the recording: from the start, and before the end."""
    run_start_ms: int
    """The scenario's start, which a recording cut out of the run lies after."""
    lines: tuple[str, ...]
    ridership: str
    service: dict[str, Any]
    """{"kind": "timetable"}, or {"kind": "headways", "trains": n, "headway": ISO 8601}."""
    faults: tuple[Fault, ...]

    def of(self, kind: str) -> list[Fault]:
        return [fault for fault in self.faults if fault.kind == kind]

    def closed(self, station_id: int, from_ms: int, to_ms: int) -> bool:
        """Is the station closed at any moment from ``from_ms`` to ``to_ms``, both included?"""
        closures = (fault for fault in self.of("closure") if fault.station_id == station_id)
        return any(fault.start_ms <= to_ms and from_ms < fault.end_ms for fault in closures)


def plan(header: dict[str, Any]) -> Plan:
    scenario = header["scenario"]
    start = datetime.fromisoformat(scenario["start"])
    lines = tuple(scenario.get("lines") or [row["line"] for row in railway().lines])
    faults = tuple(_fault(fault, start) for fault in scenario["faults"])
    return Plan(
        header["start_ms"], header["end_ms"], ms(start), lines, scenario["ridership"], scenario["service"], faults
    )


def _fault(said: dict[str, Any], run_start: datetime) -> Fault:
    line = said.get("line")
    ids = [station_id(said[key], line) for key in ("station", "from_station", "to_station") if key in said]
    return Fault(
        kind=said["kind"],
        start_ms=ms(_moment(said["start"], run_start)),
        duration_ms=duration_ms(said["duration"]),
        station_id=ids[0],
        to_station_id=ids[1] if len(ids) > 1 else None,
        line=line,
        direction=said.get("direction"),
        factor=said.get("factor", 1.0),
    )


def station_id(said: str | int, line: str | None = None) -> int:
    """A station by id, by a name that only one station (of the line) bears, or as "Western (Blue)"."""
    if isinstance(said, int) or said.isdecimal():
        return int(said)
    named = {int(row["station_id"]) for row in rows("stations.csv") if said in _names(row)}
    if surnamed := _SURNAMED.fullmatch(said):
        bare, surname = surnamed.groups()
        same = {int(row["station_id"]) for row in rows("stations.csv") if row["station_name"] == bare}
        named = named or same & railway().station_ids(surname.lower())
    if line is not None and len(named) > 1:
        named &= railway().station_ids(line)
    (only,) = named
    return only


def _names(row: dict[str, str]) -> set[str]:
    return {row["station_name"], row["station_descriptive_name"]}


def _moment(said: str, run_start: datetime) -> datetime:
    """A timestamp, or the first such time of day in Chicago at or after the run's start."""
    if "T" in said:
        return datetime.fromisoformat(said)
    day = run_start.astimezone(CHICAGO).date()
    moments = (
        datetime.combine(day + timedelta(days=days), time.fromisoformat(said), CHICAGO).replace(fold=fold)
        for days in (0, 1)
        for fold in (0, 1)
    )
    return next(moment for moment in moments if ms(moment) >= ms(run_start))


def duration_ms(said: str) -> int:
    match = _DURATION.fullmatch(said)
    if match is None:
        raise ValueError(f"not a duration: {said}")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * (days + 7 * weeks))))


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
