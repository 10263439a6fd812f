import struct
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.records import Weather
from cta.model.time import CHICAGO, HOUR_MS, parse_timestamp
from cta.network.load import chicago
from cta.network.network import MonthClimate, Network
from cta.simulation.almanac import CHANCE_ONE, MILD, Almanac
from cta.simulation.weather import (
    DAILY_CURVE,
    FACTOR_ONE,
    SPELL_HOURS,
    WET_FACTOR,
    daily_mean_mc,
    factor,
    is_wet,
    reading,
)

SIGMAS = 4
YEARS = 200
YEAR = 2026
TABLE_C = 0.05
TABLE_SHARE = 0.0005
"""What the climate table's last digits may hide."""

MONTHS = range(1, 13)
seeds = st.integers(0, 2**53)
hours = st.integers(
    parse_timestamp("2000-01-02T00:00Z") // HOUR_MS, parse_timestamp("2099-12-30T00:00Z") // HOUR_MS
).map(lambda hour: hour * HOUR_MS)
days = st.dates(date(2000, 1, 2), date(2099, 12, 30))


def network_with(climate: Sequence[MonthClimate]) -> Network:
    """A network of nothing but weather."""
    return Network({}, {}, {}, {}, {}, {}, (), (), climate=tuple(climate))


def days_of(month: int, year: int = YEAR) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


STEEP = network_with(
    [replace(MILD[0], mean_c=8.0 * min(month, 12 - month), sd_daily_mean_c=3.0, lag1_corr=0.8) for month in range(12)]
)
"""A climate most of whose spread within a month is the seasons' trend."""

STICKY = network_with([replace(MILD[0], p_wet=0.5, p_wet_after_wet=0.85, p_wet_after_dry=0.15)] * 12)
"""A climate where three days of ten decide alone whether they are wet, so that most look back."""


def hours_of(day: date) -> list[int]:
    """The 23 to 25 epoch hours of a local date."""
    start, end = (
        round(datetime(each.year, each.month, each.day, tzinfo=CHICAGO).timestamp()) * 1000
        for each in (day, day + timedelta(days=1))
    )
    return list(range(start, end, HOUR_MS))


@pytest.mark.parametrize(
    "network, month",
    [
        *(pytest.param(chicago(), month, id=f"chicago-{month}") for month in MONTHS),
        *(pytest.param(STEEP, month, id=f"steep-{month}") for month in (4, 10)),
    ],
)
def test_daily_means_have_the_climates_mean_spread_and_memory(network: Network, month: int) -> None:
    """200 years of a month: mean, standard deviation and day-to-day correlation are the table's within sampling error.

    Days remember: with correlation r the mean of n days varies as if of n (1 - r) / (1 + r), their spread as if of
    n (1 - r**2) / (1 + r**2) independent ones, and r itself by sqrt((1 - r**2) / n) (Bartlett). The month's trend is
    part of spread and correlation; the latter's is that of a day and the next, which the pairs' ends blur a little.
    """
    wanted = network.climate[month - 1]
    r, spread = wanted.lag1_corr, wanted.sd_daily_mean_c
    means = np.array(
        [[daily_mean_mc(network, seed, day) / 1000 for day in days_of(month)] for seed in range(YEARS)], np.float64
    )
    n = means.size
    strayed = means - means.mean()
    correlation = (strayed[:, 1:] * strayed[:, :-1]).mean() / strayed.var()

    assert abs(means.mean() - wanted.mean_c) < TABLE_C + SIGMAS * spread * sqrt((1 + r) / (1 - r) / n)
    assert abs(means.std() - spread) < TABLE_C + SIGMAS * spread * sqrt((1 + r**2) / (1 - r**2) / (2 * n))
    assert abs(correlation - r) < 10 * TABLE_SHARE + SIGMAS * sqrt((1 - r**2) / n)


@pytest.mark.parametrize(
    "network, month",
    [
        *(pytest.param(chicago(), month, id=f"chicago-{month}") for month in MONTHS),
        pytest.param(STICKY, 1, id="sticky"),
    ],
)
def test_wet_days_have_the_climates_share_and_persistence(network: Network, month: int) -> None:
    """200 years of a month: the shares of wet days, after wet and after dry ones, are the table's within sampling error.

    A chain whose chances differ by d varies as if of n (1 - d) / (1 + d) independent days. The table's share is that of
    its own years, which differs from what its chances come to by under half a per cent.
    """
    wanted = network.climate[month - 1]
    wet = np.array([[is_wet(network, seed, day) for day in days_of(month)] for seed in range(YEARS)], np.bool_)
    before, after = wet[:, :-1], wet[:, 1:]
    d = wanted.p_wet_after_wet - wanted.p_wet_after_dry

    def error(share: float, n: int) -> float:
        return SIGMAS * sqrt(share * (1 - share) / n)

    assert abs(wet.mean() - wanted.p_wet) < 0.005 + error(wanted.p_wet, wet.size) * sqrt((1 + d) / (1 - d))
    for state, share in ((True, wanted.p_wet_after_wet), (False, wanted.p_wet_after_dry)):
        rows = after[before == state]
        assert abs(rows.mean() - share) < TABLE_SHARE + error(share, rows.size)


@pytest.mark.parametrize("year", [2026, 2028])
def test_normals_keep_each_months_mean_and_do_not_jump(year: int) -> None:
    """The year's normals average to the table's month by month, and no night is a step of over 0.3 C."""
    almanac = Almanac(chicago().climate)
    means = [np.mean([almanac.normal_mc(day) for day in days_of(month, year)]) for month in MONTHS]
    normals = [almanac.normal_mc(date(year, 1, 1) + timedelta(days=n)) for n in range(367)]

    assert np.abs(means - np.array([1000 * month.mean_c for month in chicago().climate])).max() < 2
    assert np.abs(np.diff(normals)).max() < 300


@given(seed=seeds, day=days)
def test_a_days_readings_average_to_its_mean(seed: int, day: date) -> None:
    """On a day of 24 hours the readings' average is the daily mean, but for rounding to half degrees (a quarter at most)."""
    fahrenheit = [reading(chicago(), seed, hour_ms).temperature for hour_ms in hours_of(day)]

    if len(fahrenheit) == 24:
        assert abs(sum(fahrenheit) / 24 - (32 + daily_mean_mc(chicago(), seed, day) * 9 / 5000)) < 0.26


@given(seed=seeds, hour_ms=hours)
def test_temperatures_are_halves_that_a_32_bit_float_holds(seed: int, hour_ms: int) -> None:
    """A temperature is a whole number of half degrees and survives Avro's float."""
    temperature = reading(chicago(), seed, hour_ms).temperature

    assert (temperature * 2).is_integer()
    assert struct.unpack("<f", struct.pack("<f", temperature)) == (temperature,)


@given(seed=seeds, hour_ms=hours)
def test_an_hour_read_alone_is_the_hour_read_in_sequence(seed: int, hour_ms: int) -> None:
    """What was read before has no part in a reading."""
    alone = reading(chicago(), seed, hour_ms), factor(chicago(), seed, hour_ms)
    sequence = {
        each: (reading(chicago(), seed, each), factor(chicago(), seed, each))
        for each in range(hour_ms - 60 * HOUR_MS, hour_ms + 60 * HOUR_MS, HOUR_MS)
    }

    assert sequence[hour_ms] == alone


RESTLESS = network_with([replace(MILD[0], sd_daily_mean_c=8.0)] * 12)
"""A climate without a daily range, whose days have nothing to do with each other."""


@given(seed=seeds, day=days.filter(lambda day: len(hours_of(day)) == len(hours_of(day + timedelta(days=1))) == 24))
def test_no_midnight_is_a_step(seed: int, day: date) -> None:
    """From 23:00 to 00:00 it goes half of the hour's way before and half of the one after, but for rounding."""
    late, last, first, second = [
        reading(RESTLESS, seed, hour_ms).temperature
        for hour_ms in hours_of(day)[-2:] + hours_of(day + timedelta(days=1))[:2]
    ]

    assert abs((first - last) - ((last - late) + (second - first)) / 2) <= 1


@given(seed=seeds, day=days)
def test_it_rains_on_wet_days_alone_for_so_many_hours(seed: int, day: date) -> None:
    """A wet day of 24 hours has two to ten wet ones, another day none."""
    wet_hours = sum(reading(chicago(), seed, hour_ms).status == "precipitation" for hour_ms in hours_of(day))

    if not is_wet(chicago(), seed, day):
        assert wet_hours == 0
    elif len(hours_of(day)) == 24:
        assert SPELL_HOURS[0] <= wet_hours <= SPELL_HOURS[1]


def test_every_hour_of_the_day_is_equally_likely_to_be_wet() -> None:
    """200 Januaries: each local hour's share of wet ones is a quarter of the wet days' share, within sampling error.

    Whether it rains at an hour on consecutive days is correlated less than whether these days are wet.
    """
    january = chicago().climate[0]
    wet = np.array(
        [
            [[reading(chicago(), seed, hour).status == "precipitation" for hour in hours_of(day)] for day in days_of(1)]
            for seed in range(YEARS)
        ],
        np.bool_,
    )
    share = january.p_wet / 4
    d = january.p_wet_after_wet - january.p_wet_after_dry
    error = SIGMAS * sqrt(share * (1 - share) / (YEARS * 31) * (1 + d) / (1 - d))

    assert np.abs(wet.mean(axis=(0, 1)) - share).max() < 0.005 / 4 + error


def test_a_spell_and_a_sky_are_not_salt_and_pepper() -> None:
    """Over 40 Januaries the status changes from one hour to the next less than every third time."""
    changes = [
        reading(chicago(), seed, hour).status != reading(chicago(), seed, hour + HOUR_MS).status
        for seed in range(40)
        for day in days_of(1)
        for hour in hours_of(day)[:-1]
    ]

    assert 0.1 < np.mean(changes) < 1 / 3


def test_the_day_is_coldest_at_dawn_and_warmest_in_the_afternoon() -> None:
    """Without noise every day is 20 C in the mean, 15 at 5 in the morning and 25 at 15: the curve and nothing else."""
    steady = network_with([replace(MILD[0], mean_c=20.0, mean_min_c=15.0, mean_max_c=25.0)] * 12)
    readings = [reading(steady, 1, hour_ms).temperature for hour_ms in hours_of(date(2026, 5, 13))]

    assert sum(DAILY_CURVE) == 0
    assert readings[5] == min(readings) == 59.0
    assert readings[15] == max(readings) == 77.0
    assert readings == [
        *(64.0, 62.0, 61.5, 60.5, 59.5, 59.0, 59.5, 61.0, 63.5, 66.5, 70.0, 72.5),
        *(75.0, 76.0, 77.0, 77.0, 76.5, 74.5, 74.0, 72.0, 70.5, 68.5, 67.0, 65.5),
    ]


def test_entries_multiply_by_1_in_the_mean() -> None:
    """Wet and dry hours' factors, weighted by the month's climate, come to 1 to the last millionth."""
    for month in MONTHS:
        of_month = {
            factor(chicago(), seed, hour) for seed in range(4) for day in days_of(month) for hour in hours_of(day)
        }
        wet_hours = Almanac(chicago().climate).wet_days(month - 1) / CHANCE_ONE / 4
        dry = max(of_month)

        assert of_month == {WET_FACTOR, dry}
        assert 0 <= FACTOR_ONE - (wet_hours * WET_FACTOR + (1 - wet_hours) * dry) < 1.001


def test_entries_are_fewer_when_it_rains() -> None:
    """The factor is the wet one in hours of precipitation and above 1 in all others."""
    for hour_ms in range(parse_timestamp("2026-05-01T05:00Z"), parse_timestamp("2026-05-21T05:00Z"), HOUR_MS):
        wet = reading(chicago(), 3, hour_ms).status == "precipitation"

        assert (factor(chicago(), 3, hour_ms) == WET_FACTOR, factor(chicago(), 3, hour_ms) > FACTOR_ONE) == (
            wet,
            not wet,
        )


@given(seed=seeds, hour_ms=hours)
def test_a_network_without_climate_has_mild_and_dry_weather(seed: int, hour_ms: int) -> None:
    """15 C (59 F) at any hour, no precipitation, entries as they are."""
    bare = network_with([])

    assert reading(bare, seed, hour_ms).temperature == 59.0
    assert reading(bare, seed, hour_ms).status != "precipitation"
    assert factor(bare, seed, hour_ms) == FACTOR_ONE


@given(seed=seeds, day=days)
def test_another_seed_has_other_weather(seed: int, day: date) -> None:
    """Two seeds' weeks are not the same."""

    def week(of_seed: int) -> list[Weather]:
        return [
            reading(chicago(), of_seed, hour)
            for n in range(7)
            for hour in hours_of(min(day, date(2099, 12, 20)) + timedelta(days=n))
        ]

    assert week(seed) != week(seed + 1)


def test_clock_changes_repeat_a_reading_or_skip_one() -> None:
    """Both hours called 01:00 in November have the same reading; in March 03:00 follows 01:00 with 03:00's reading."""
    november = [reading(chicago(), 5, hour_ms) for hour_ms in hours_of(date(2026, 11, 1))]
    march = [reading(chicago(), 5, hour_ms) for hour_ms in hours_of(date(2026, 3, 8))]
    noon = parse_timestamp("2026-03-08T12:00-05:00")

    assert (len(november), len(march)) == (25, 23)
    assert november[1] == november[2]
    assert march[11] == reading(chicago(), 5, noon)


def test_months_whose_trend_exceeds_their_spread_are_all_trend() -> None:
    """A climate that leaves no room for noise still has weather: the normals."""
    swinging = [replace(MILD[0], mean_c=30.0 * (month % 2), sd_daily_mean_c=1.0) for month in MONTHS]
    odd, day = network_with(swinging), date(2026, 7, 1)

    assert daily_mean_mc(odd, 1, day) == daily_mean_mc(odd, 2, day) == Almanac(swinging).normal_mc(day)


def test_a_climate_that_never_decides_is_dry() -> None:
    """Where every day is as the day before, the look-back ends with a dry one."""
    stuck = network_with([replace(MILD[0], p_wet_after_wet=1.0, p_wet_after_dry=0.0)] * 12)

    assert not any(is_wet(stuck, seed, date(2026, 5, 13)) for seed in range(20))
