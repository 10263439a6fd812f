"""Event time: integer milliseconds since the epoch, and what Chicago's clocks say about it.

Trips are counted on GTFS service days: seconds after noon minus twelve hours, America/Chicago, so that a service day
has no gap and no repetition on the nights when the clocks change. Departures stand in hours 3 to 26 of a service day;
the operating day is what lies between 03:00 and 27:00 of it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cta.model.errors import InputError

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

CHICAGO: Final = ZoneInfo("America/Chicago")

OPERATING_DAY_START_S: Final = 3 * 3600
"""The first departures of a service day stand in its hour 3 (services.csv: service_hours 03-27)."""

DayType = Literal["weekday", "saturday", "sunday"]

_DURATION = re.compile(
    r"P(?:(?P<weeks>\d{1,6})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_EARLIEST_MS: Final = 946_684_800_000  # 2000-01-01, before any data of ours
_LATEST_MS: Final = 4_102_444_800_000  # 2100-01-01: ids, Kafka's limits and the calendar are sound until then


def parse_timestamp(text: str) -> int:
    """Milliseconds of an ISO 8601 date and time with an offset. Errors: no offset, impossible, outside 2000-2100."""
    try:
        moment = datetime.fromisoformat(text)
    except (ValueError, TypeError):
        raise InputError(f"{text!r} is not a date and time", remedy="write it as 2026-05-13T07:00:00-05:00") from None
    if moment.tzinfo is None:
        raise InputError(f"{text!r} has no offset", remedy=f"say which clock is meant: {_in_chicago(moment)}")
    time_ms = round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
    if not _EARLIEST_MS <= time_ms < _LATEST_MS:
        raise InputError(f"{text!r} is outside the years 2000 to 2099", remedy="choose a start within them")
    return time_ms


def _in_chicago(moment: datetime) -> str:
    """The clock reading with Chicago's offset, to the minute: before 1883 it had seconds."""
    return moment.replace(tzinfo=CHICAGO).isoformat(timespec="seconds")[:25]


def parse_duration_ms(text: str) -> int:
    """Milliseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds, such as PT2H30M.

    A day is 24 hours. Errors: another form, zero.
    """
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    parts = {unit: int(n) for unit, n in match.groupdict().items() if n} if match else {}
    if not parts:
        raise InputError(f"{text!r} is not a duration", remedy="write it as ISO 8601, such as PT2H, PT45M or P1D")
    duration_ms = round(timedelta(**parts) / timedelta(milliseconds=1))
    if duration_ms <= 0:
        raise InputError(f"{text!r} is no time at all", remedy="a duration must be longer than zero")
    return duration_ms


def parse_moment(text: str, after_ms: int) -> int:
    """Milliseconds of a timestamp, or of the first time of day (``08:15`` or ``08:15:30``) at or after ``after_ms``.

    A time of day is Chicago's. One that a clock change repeats is taken the first time it comes; one that it skips is
    counted on from before the change (02:30 is then 03:30).
    """
    match = _TIME_OF_DAY.fullmatch(text)
    if match is None:
        try:
            return parse_timestamp(text)
        except InputError as error:
            if error.what.endswith("is not a date and time"):
                raise InputError(
                    f"{text!r} is not a moment",
                    remedy="write a time of day such as 08:15, or 2026-05-13T08:15:00-05:00",
                ) from None
            raise
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise InputError(f"{text!r} is not a time of day", remedy="write hours 00 to 23, minutes and seconds 00 to 59")
    day = local(after_ms).date()
    wanted = clock_time(hour, minute, second)
    for _ in range(3):
        for fold in (0, 1):
            time_ms = _to_ms(datetime.combine(day, wanted, tzinfo=CHICAGO).replace(fold=fold))
            if time_ms >= after_ms:
                return time_ms
        day += timedelta(days=1)
    raise AssertionError("a time of day comes back within two days")


def _to_ms(moment: datetime) -> int:
    return round((moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def local(time_ms: int) -> datetime:
    """The instant on Chicago's clocks."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)).astimezone(CHICAGO)


def format_clock(time_ms: int) -> str:
    """``08:15:30`` on Chicago's clocks."""
    return local(time_ms).strftime("%H:%M:%S")


def format_timestamp(time_ms: int) -> str:
    """ISO 8601 with Chicago's offset, to the millisecond only where it has any."""
    moment = local(time_ms)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


@lru_cache(maxsize=4096)
def service_day_zero_ms(day: date) -> int:
    """Noon minus twelve hours of a service day (GTFS ``stop_times.arrival_time``)."""
    return _to_ms(datetime.combine(day, clock_time(12), tzinfo=CHICAGO)) - 12 * HOUR_MS


def operating_day_start_ms(day: date) -> int:
    """When the first departure of a service day could be."""
    return service_day_zero_ms(day) + OPERATING_DAY_START_S * SECOND_MS


def service_day_of(time_ms: int) -> date:
    """The service day whose operating day holds the instant."""
    day = local(time_ms).date()
    for candidate in (day + timedelta(days=1), day, day - timedelta(days=1)):
        if operating_day_start_ms(candidate) <= time_ms:
            return candidate
    raise AssertionError("three days cover every clock change")


@lru_cache(maxsize=4096)
def day_type(day: date) -> DayType:
    """Weekday, saturday or sunday; CTA runs Sunday service on six holidays (transitchicago.com, schedules)."""
    if day.weekday() == 6 or day in _holidays(day.year):
        return "sunday"
    return "saturday" if day.weekday() == 5 else "weekday"


@lru_cache(maxsize=128)
def _holidays(year: int) -> frozenset[date]:
    """New Year's, Memorial, Independence, Labor, Thanksgiving and Christmas Day, on their own dates."""
    memorial = max(date(year, 5, d) for d in range(25, 32) if date(year, 5, d).weekday() == 0)
    labor = next(date(year, 9, d) for d in range(1, 8) if date(year, 9, d).weekday() == 0)
    thanksgiving = next(date(year, 11, d) for d in range(22, 29) if date(year, 11, d).weekday() == 3)
    return frozenset({date(year, 1, 1), memorial, date(year, 7, 4), labor, thanksgiving, date(year, 12, 25)})
