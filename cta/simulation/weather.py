"""The city's weather: one reading an epoch hour, a function of climate, seed and hour alone.

A day's mean is its normal plus noise that remembers the days before: a truncated sum of independent daily draws, which
is a first-order autoregression with a bounded look-back. Whether it is wet is a two-state chain by coupling from the
past: a draw low or high enough decides its day whatever the day before was, and only between does one look further back.

Within a day the temperature follows the local clock over a base that runs in straight lines from midnight to noon to
midnight, through the middle of two days' means at midnight and through what keeps the day's mean at noon. A wet day has
one wet spell; the sky of the hours left is drawn a block of hours at a time. Spells are counted round the clock within
their day, so that every hour is equally likely to be wet, and `factor` has mean 1 at every hour.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from cta.model.records import Weather, WeatherStatus
from cta.model.time import local
from cta.network.network import Network
from cta.simulation.almanac import CHANCE_ONE, LOOK_BACK_DAYS, WEIGHT_ONE, Almanac, almanac
from cta.simulation.noise import NORMAL_ONE, NORMAL_WORDS, normals
from cta.simulation.randomness import below, words

FACTOR_ONE: Final = 1_000_000
"""What `factor` calls 1."""

WET_FACTOR: Final = 960_000
"""Entries in an hour of rain or snow against the mean (ours: 4 % fewer)."""

DAILY_CURVE: Final = (
    *(-230, -320, -375, -425, -465, -500, -480, -400, -260, -80, 100, 260),
    *(380, 455, 490, 500, 460, 370, 330, 230, 130, 40, -60, -150),
)
"""Thousandths of the day's range by local hour: coldest at 5, warmest at 15, sum 0 (ours)."""

SPELL_HOURS: Final = (2, 10)
"""The least and the greatest length of a wet day's wet spell, all equally likely (ours: a quarter of the day on average)."""

SKY_BLOCK_HOURS: Final = 3
SKY_OF_DRY_DAY: Final[tuple[WeatherStatus, ...]] = (
    *("sunny",) * 9,
    *("partly_cloudy",) * 6,
    *("cloudy",) * 3,
    *("windy",) * 2,
)
"""Twentieths of the dry hours (ours; the climate table has wet days only). By night, sunny is clear."""
SKY_OF_WET_DAY: Final[tuple[WeatherStatus, ...]] = (
    *("sunny",) * 2,
    *("partly_cloudy",) * 4,
    *("cloudy",) * 11,
    *("windy",) * 3,
)

_SKY_BLOCKS: Final = 24 // SKY_BLOCK_HOURS
_DAY_WORDS: Final = NORMAL_WORDS + 3 + _SKY_BLOCKS


class _Draw(NamedTuple):
    """What chance says of a day before climate or neighbours have a say."""

    normal: int
    """Near-normal, in 65536ths."""
    wet: int
    """Uniform below `CHANCE_ONE`, held against the month's chances of a wet day."""
    spell_start: int
    spell_hours: int
    sky: tuple[int, ...]
    """Which twentieth, for each block of hours."""


def reading(network: Network, seed: int, hour_ms: int) -> Weather:
    """The reading of the epoch hour that begins at ``hour_ms``."""
    moment = local(hour_ms)
    return _readings(almanac(network), seed, moment.toordinal())[moment.hour]


def factor(network: Network, seed: int, hour_ms: int) -> int:
    """What the weather multiplies mean entries by, in millionths: less in wet hours, else as much more as makes 1 of the mean.

    The mean is over the month's climate, and rounded down by less than a millionth.
    """
    if reading(network, seed, hour_ms).status == "precipitation":
        return WET_FACTOR
    wet_hours = almanac(network).wet_days(local(hour_ms).month - 1) * sum(SPELL_HOURS) // (2 * 24)
    return (FACTOR_ONE * CHANCE_ONE - WET_FACTOR * wet_hours) // (CHANCE_ONE - wet_hours)


def daily_mean_mc(network: Network, seed: int, day: date) -> int:
    """The mean temperature of a local date, in thousandths of a degree C."""
    return _daily_mean_mc(almanac(network), seed, day.toordinal())


def is_wet(network: Network, seed: int, day: date) -> bool:
    """Whether a local date has a wet spell."""
    return _is_wet(almanac(network), seed, day.toordinal())


@lru_cache(maxsize=256)
def _draw(seed: int, ordinal: int) -> _Draw:
    drawn = words(seed, "weather", "city", ordinal, _DAY_WORDS)
    wet, start, length = drawn[NORMAL_WORDS : NORMAL_WORDS + 3, np.newaxis]
    least, greatest = SPELL_HOURS
    return _Draw(
        int(normals(drawn[np.newaxis, :NORMAL_WORDS])[0]),
        int(wet[0] >> np.uint64(32)),
        int(below(start, 24)[0]),
        least + int(below(length, greatest - least + 1)[0]),
        tuple(below(drawn[-_SKY_BLOCKS:], len(SKY_OF_DRY_DAY)).tolist()),
    )


@lru_cache(maxsize=64)
def _daily_mean_mc(known: Almanac, seed: int, ordinal: int) -> int:
    day = date.fromordinal(ordinal)
    weights = known.weights[day.month - 1]
    noise = sum(weight * _draw(seed, ordinal - ago).normal for ago, weight in enumerate(weights)) // WEIGHT_ONE
    return known.normal_mc(day) + known.spread_mc(day) * noise // NORMAL_ONE


def _is_wet(known: Almanac, seed: int, ordinal: int) -> bool:
    """Go back to a day whose draw decides alone (the oldest is taken as dry), then come forward."""
    open_days: list[tuple[bool, bool]] = []
    wet = False
    for ago in range(LOOK_BACK_DAYS):
        month = date.fromordinal(ordinal - ago).month - 1
        draw = _draw(seed, ordinal - ago).wet
        after_dry, after_wet = draw < known.wet_after_dry[month], draw < known.wet_after_wet[month]
        if after_dry == after_wet:
            wet = after_dry
            break
        open_days.append((after_dry, after_wet))
    for after_dry, after_wet in reversed(open_days):
        wet = after_wet if wet else after_dry
    return wet


@lru_cache(maxsize=16)
def _readings(known: Almanac, seed: int, ordinal: int) -> tuple[Weather, ...]:
    """The day's readings by local hour; where the clock goes back, both hours of that name have the same one."""
    temperatures = _temperatures_mc(known, seed, ordinal)
    return tuple(
        Weather(_half_degrees_f(temperature) / 2, status)
        for temperature, status in zip(temperatures, _statuses(known, seed, ordinal), strict=True)
    )


def _temperatures_mc(known: Almanac, seed: int, ordinal: int) -> list[int]:
    before, mean, after = (_daily_mean_mc(known, seed, ordinal + days) for days in (-1, 0, 1))
    morning, night = (before + mean) // 2, (mean + after) // 2
    noon = 2 * mean - (morning + night) // 2
    swing = known.range_mc(date.fromordinal(ordinal))
    base = [
        midnight + (noon - midnight) * (2 * hours + 1) // 24
        for midnight, clock in ((morning, range(12)), (night, range(11, -1, -1)))
        for hours in clock
    ]
    return [level + swing * share // 1000 for level, share in zip(base, DAILY_CURVE, strict=True)]


def _half_degrees_f(temperature_mc: int) -> int:
    """The nearest half degree Fahrenheit, counted in halves: 2 * (32 + 9/5 C)."""
    return (64 * 5000 + 18 * temperature_mc + 2500) // 5000


def _statuses(known: Almanac, seed: int, ordinal: int) -> list[WeatherStatus]:
    draw = _draw(seed, ordinal)
    wet = _is_wet(known, seed, ordinal)
    sky = SKY_OF_WET_DAY if wet else SKY_OF_DRY_DAY
    return [
        "precipitation"
        if wet and (hour - draw.spell_start) % 24 < draw.spell_hours
        else sky[draw.sky[hour // SKY_BLOCK_HOURS]]
        for hour in range(24)
    ]
