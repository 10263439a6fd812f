"""Event time and Chicago's clocks, the nights of a clock change included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.errors import InputError
from cta.model.time import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    day_type,
    format_clock,
    format_timestamp,
    local,
    operating_day_start_ms,
    parse_duration_ms,
    parse_moment,
    parse_timestamp,
    service_day_of,
    service_day_zero_ms,
)

MARCH, NOVEMBER = date(2026, 3, 8), date(2026, 11, 1)
days = st.dates(date(2000, 1, 2), date(2099, 12, 30))
moments = st.integers(parse_timestamp("2000-01-03T00:00:00Z"), parse_timestamp("2099-12-29T00:00:00Z"))


def complaint(parse: object, *arguments: object) -> str:
    assert callable(parse)
    with pytest.raises(InputError) as caught:
        parse(*arguments)
    return str(caught.value)


def test_a_timestamp_is_milliseconds_since_the_epoch() -> None:
    """Whatever its offset; fractions to the millisecond."""
    assert parse_timestamp("2000-01-01T00:00:00Z") == 946_684_800_000
    assert parse_timestamp("2026-05-13T07:00:00-05:00") == parse_timestamp("2026-05-13T12:00:00+00:00")
    assert parse_timestamp("2026-05-13T07:00:00.250-05:00") % SECOND_MS == 250


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "'' is not a date and time; write it as 2026-05-13T07:00:00-05:00"),
        (
            "2026-02-30T07:00:00Z",
            "'2026-02-30T07:00:00Z' is not a date and time; write it as 2026-05-13T07:00:00-05:00",
        ),
        (
            "2026-12-13T07:00",
            "'2026-12-13T07:00' has no offset; say which clock is meant: 2026-12-13T07:00:00-06:00",
        ),
        (
            "2026-05-13",
            "'2026-05-13' has no offset; say which clock is meant: 2026-05-13T00:00:00-05:00",
        ),
        (
            "1026-05-13T07:00:00",
            "'1026-05-13T07:00:00' has no offset; say which clock is meant: 1026-05-13T07:00:00-05:50",
        ),
        (
            "1999-12-31T23:59:59Z",
            "'1999-12-31T23:59:59Z' is outside the years 2000 to 2099; choose a start within them",
        ),
        (
            "2100-01-01T00:00:00Z",
            "'2100-01-01T00:00:00Z' is outside the years 2000 to 2099; choose a start within them",
        ),
    ],
)
def test_what_is_not_a_timestamp_is_refused(text: str, line: str) -> None:
    """Impossible, without an offset, outside the calendar's sound years."""
    assert complaint(parse_timestamp, text) == line


@given(moments)
def test_a_timestamp_written_is_read_back(time_ms: int) -> None:
    """To the millisecond, under Chicago's offset of that day."""
    assert parse_timestamp(format_timestamp(time_ms)) == time_ms


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [
        ("PT2H", 2 * HOUR_MS),
        ("PT2H30M", 150 * MINUTE_MS),
        ("P1DT1S", DAY_MS + SECOND_MS),
        ("P1W2D", 9 * DAY_MS),
        ("PT90M", 90 * MINUTE_MS),
    ],
)
def test_a_duration_is_iso_8601(text: str, duration_ms: int) -> None:
    """Weeks, days, hours, minutes and seconds; a day is 24 hours."""
    assert parse_duration_ms(text) == duration_ms


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "P1DT", "2h", "-PT1H", "PT1.5H", "P1M", "PT1S1M", " PT1H", "PT1H\n", "PT\u0662H"]
)
def test_what_is_not_a_duration_is_refused(text: str) -> None:
    """Months and years have no length; a sign makes no sense."""
    line = f"{text!r} is not a duration; write it as ISO 8601, such as PT2H, PT45M or P1D"
    assert complaint(parse_duration_ms, text) == line


def test_no_time_at_all_is_no_duration() -> None:
    """Zero is refused in its own words."""
    line = "'P0DT0S' is no time at all; a duration must be longer than zero"
    assert complaint(parse_duration_ms, "P0DT0S") == line


def moment(text: str, after: str) -> str:
    return format_timestamp(parse_moment(text, parse_timestamp(after)))


@pytest.mark.parametrize(
    ("text", "after", "is_then"),
    [
        ("07:00", "2026-05-13T07:00:00-05:00", "2026-05-13T07:00:00-05:00"),
        ("06:59:59", "2026-05-13T07:00:00-05:00", "2026-05-14T06:59:59-05:00"),
        ("8:15", "2026-05-13T07:00:00-05:00", "2026-05-13T08:15:00-05:00"),
        ("01:30", "2026-11-01T00:00:00-05:00", "2026-11-01T01:30:00-05:00"),
        ("01:30", "2026-11-01T01:31:00-05:00", "2026-11-01T01:30:00-06:00"),
        ("01:30", "2026-11-01T01:31:00-06:00", "2026-11-02T01:30:00-06:00"),
        ("02:30", "2026-03-08T00:00:00-06:00", "2026-03-08T03:30:00-05:00"),
        ("2026-05-12T00:00:00Z", "2026-05-13T07:00:00-05:00", "2026-05-11T19:00:00-05:00"),
    ],
)
def test_a_time_of_day_is_the_first_at_or_after(text: str, after: str, is_then: str) -> None:
    """Repeated on the November night, skipped on the March night; a timestamp is itself."""
    assert moment(text, after) == is_then


@given(st.integers(0, 86_399), moments)
def test_a_time_of_day_comes_within_two_days_and_never_before(second: int, after_ms: int) -> None:
    """A clock change delays it by an hour at most."""
    text = str(timedelta(seconds=second))
    assert after_ms <= parse_moment(text, after_ms) < after_ms + DAY_MS + HOUR_MS


@pytest.mark.parametrize("text", ["24:00", "07:60", "07:00:60", "99:99"])
def test_an_impossible_time_of_day_is_refused(text: str) -> None:
    """It says which are possible."""
    line = f"{text!r} is not a time of day; write hours 00 to 23, minutes and seconds 00 to 59"
    assert complaint(parse_moment, text, 0) == line


def test_what_is_no_moment_is_refused() -> None:
    """Either form is named; a timestamp keeps its own complaints."""
    line = "'noon' is not a moment; write a time of day such as 08:15, or 2026-05-13T08:15:00-05:00"
    assert complaint(parse_moment, "noon", 0) == line
    assert complaint(parse_moment, "0\u0668:15", 0) == line.replace("noon", "0\u0668:15")
    assert "has no offset" in complaint(parse_moment, "2026-05-13T07:00:00", 0)


@given(days)
def test_a_service_day_has_24_hours_around_its_noon(day: date) -> None:
    """Its zero is noon minus twelve hours: 23:00 or 01:00 by the clock when the clocks change, midnight else."""
    noon = local(service_day_zero_ms(day) + 12 * HOUR_MS)
    assert (noon.date(), noon.hour, noon.minute) == (day, 12, 0)


def test_the_zero_of_a_clock_changes_service_day_is_not_midnight() -> None:
    """The reference of GTFS's stop times."""
    assert format_timestamp(service_day_zero_ms(MARCH)) == "2026-03-07T23:00:00-06:00"
    assert format_timestamp(service_day_zero_ms(NOVEMBER)) == "2026-11-01T01:00:00-05:00"


@given(moments)
def test_every_instant_is_in_one_operating_day(time_ms: int) -> None:
    """From one operating day's start to the next, which is 23 to 25 hours later."""
    day = service_day_of(time_ms)
    start_ms, next_ms = operating_day_start_ms(day), operating_day_start_ms(day + timedelta(days=1))
    assert start_ms <= time_ms < next_ms
    assert 23 * HOUR_MS <= next_ms - start_ms <= 25 * HOUR_MS


@given(days)
def test_an_operating_day_starts_at_three_by_the_clock(day: date) -> None:
    """Both clock changes are over by then."""
    start = local(operating_day_start_ms(day))
    assert (start.date(), start.hour, start.minute) == (day, 3, 0)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2026-05-13", "weekday"),
        ("2026-05-16", "saturday"),
        ("2026-05-17", "sunday"),
        ("2026-01-01", "sunday"),
        ("2026-05-25", "sunday"),
        ("2026-07-04", "sunday"),
        ("2026-09-07", "sunday"),
        ("2026-11-26", "sunday"),
        ("2026-12-25", "sunday"),
        ("2026-11-27", "weekday"),
        ("2026-05-18", "weekday"),
    ],
)
def test_the_day_type_is_sundays_on_holidays(day: str, kind: str) -> None:
    """Memorial Day, Independence Day on a Saturday, Labor Day, Thanksgiving, and the days beside them."""
    assert day_type(date.fromisoformat(day)) == kind


def test_clocks_are_chicagos() -> None:
    """Summer and winter; milliseconds only where there are any."""
    summer_ms = parse_timestamp("2026-07-01T12:00:00Z")
    assert local(summer_ms) == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert format_clock(summer_ms) == "07:00:00"
    assert format_timestamp(summer_ms + 5) == "2026-07-01T07:00:00.005-05:00"
    assert format_timestamp(parse_timestamp("2026-01-01T12:00:00Z")) == "2026-01-01T06:00:00-06:00"
