"""A network's climate in whole numbers: what is normal for a date, how far and how long the weather strays from it.

Climate tables give a figure a month. Between them normals run in straight lines from mid-month to mid-month, with the
knots solved for so that each month keeps its mean: no jump at a month's end and no bias within. A month's spread and
day-to-day correlation, as measured, contain that seasonal trend; it is taken out again before noise is added.

Temperatures are thousandths of a degree C, chances are parts of 2**32. The tables' decimals become integers once, by
round(); from there on no platform's floating point decides anything.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from math import isqrt
from typing import Final

from cta.network.network import MonthClimate, Network

MILD: Final = (MonthClimate(15.0, 15.0, 15.0, 0.0, 0.0, 0.0, 0.0, 0.0),) * 12
"""The climate of a network that brings none: 15 C day and night, and it never rains."""

LOOK_BACK_DAYS: Final = 40
"""How far back a day's weather reaches: at Chicago's largest correlation, 0.78, what is cut off weighs under 0.0001."""

CHANCE_ONE: Final = 1 << 32
WEIGHT_ONE: Final = 1 << 30

_PPM: Final = 1_000_000
_MAX_CORRELATION_PPM: Final = 900_000  # beyond it the look-back would be too short
_TREND_DAYS: Final = 30


class Almanac:
    """The year's normals. Months count from 0; equal only to itself, so that it can key a cache cheaply."""

    def __init__(self, climate: Sequence[MonthClimate]) -> None:
        self._mean_mc = _knots([round(month.mean_c * 1000) for month in climate])
        self._range_mc = _knots([round((month.mean_max_c - month.mean_min_c) * 1000) for month in climate])
        trend = [_trend_variance(self._mean_mc, month) for month in range(12)]
        spread = [round(month.sd_daily_mean_c * 1000) ** 2 for month in climate]
        self._variance = _knots([max(0, whole - part) for whole, part in zip(spread, trend, strict=True)])
        self.weights = tuple(
            _weights(_correlation_ppm(month.lag1_corr, whole, part))
            for month, whole, part in zip(climate, spread, trend, strict=True)
        )
        """A month's weights of today's draw and those of the days before, in 2**30ths; their squares sum to 1."""
        self.wet_after_dry = tuple(round(month.p_wet_after_dry * CHANCE_ONE) for month in climate)
        self.wet_after_wet = tuple(round(month.p_wet_after_wet * CHANCE_ONE) for month in climate)

    def normal_mc(self, day: date) -> int:
        """The normal daily mean."""
        return _between_knots(self._mean_mc, day)

    def range_mc(self, day: date) -> int:
        """The normal distance from the day's least to its greatest temperature."""
        return max(0, _between_knots(self._range_mc, day))

    def spread_mc(self, day: date) -> int:
        """The standard deviation of the daily mean around the normal."""
        return isqrt(max(0, _between_knots(self._variance, day)))

    def wet_days(self, month: int) -> int:
        """The share of wet days that the month's two transition chances come to in the long run."""
        gain, loss = self.wet_after_dry[month], CHANCE_ONE - self.wet_after_wet[month]
        return gain * CHANCE_ONE // (gain + loss) if gain + loss else 0


def almanac(network: Network) -> Almanac:
    """The network's almanac, or that of `MILD` weather where it has no climate."""
    return _almanac(network.climate or MILD)


@lru_cache(maxsize=8)
def _almanac(climate: tuple[MonthClimate, ...]) -> Almanac:
    return Almanac(climate)


def _knots(means: Sequence[int]) -> tuple[int, ...]:
    """Mid-month values whose straight lines have these monthly means: (before + 6 own + after) / 8 = mean, all year round.

    Jacobi's iteration; an error shrinks to a third a round, and the figures are carried in thousandths.
    """
    wanted = [mean * 1000 for mean in means]
    knots = list(wanted)
    for _ in range(40):
        knots = [(8 * wanted[m] - knots[m - 1] - knots[(m + 1) % 12]) // 6 for m in range(12)]
    return tuple((knot + 500) // 1000 for knot in knots)


def _between_knots(knots: Sequence[int], day: date) -> int:
    return _at(knots, day.month - 1, day.day, monthrange(day.year, day.month)[1])


def _at(knots: Sequence[int], month: int, day: int, days: int) -> int:
    """The value at the middle of the month's day (from 1), on the lines between mid-months."""
    past_middle = 2 * day - 1 - days
    neighbour = knots[(month + 1) % 12] if past_middle >= 0 else knots[month - 1]
    return knots[month] + (neighbour - knots[month]) * abs(past_middle) // (2 * days)


def _trend_variance(knots: Sequence[int], month: int) -> int:
    normals = [_at(knots, month, day, _TREND_DAYS) for day in range(1, _TREND_DAYS + 1)]
    return (_TREND_DAYS * sum(n * n for n in normals) - sum(normals) ** 2) // _TREND_DAYS**2


def _correlation_ppm(measured: float, spread_variance: int, trend_variance: int) -> int:
    """What the noise's own day-to-day correlation must be: measured * spread = trend + own * (spread - trend)."""
    if spread_variance <= trend_variance:
        return 0
    own = (round(measured * _PPM) * spread_variance - _PPM * trend_variance) // (spread_variance - trend_variance)
    return max(-_MAX_CORRELATION_PPM, min(own, _MAX_CORRELATION_PPM))


def _weights(correlation_ppm: int) -> tuple[int, ...]:
    powers = [WEIGHT_ONE]
    for _ in range(LOOK_BACK_DAYS - 1):
        powers.append(powers[-1] * correlation_ppm // _PPM)
    length = isqrt(sum(power * power for power in powers))
    return tuple(power * WEIGHT_ONE // length for power in powers)
