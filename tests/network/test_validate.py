"""Each rule of a network, broken once by hand; and the networks that break none."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from cta.model.errors import NetworkError
from cta.model.time import DayType
from cta.network.load import chicago
from cta.network.network import Frequency, Network, Pattern
from cta.network.validate import check
from cta.testing.networks import networks

FIRST_HOP = (30174, 30228)
"""Red's first hop, Howard to Jarvis."""


def test_chicago_hangs_together() -> None:
    """The packaged network breaks no rule."""
    check(chicago())


@given(networks())
def test_every_generated_network_hangs_together(network: Network) -> None:
    """What the strategy draws breaks no rule."""
    check(network)


def changed(table: str, key: Any, **fields: Any) -> Network:
    """Chicago with one row of a table changed."""
    rows = getattr(chicago(), table)
    tables: dict[str, Any] = {table: {**rows, key: replace(rows[key], **fields)}}
    return replace(chicago(), **tables)


def without(table: str, key: Any) -> Network:
    """Chicago without one row of a table."""
    rows = getattr(chicago(), table)
    tables: dict[str, Any] = {table: {other: row for other, row in rows.items() if other != key}}
    return replace(chicago(), **tables)


def with_pattern(change: Callable[[Pattern], Pattern]) -> Network:
    """Chicago with Red's pattern in direction b changed."""
    pattern = chicago().patterns["red-b"]
    return replace(chicago(), patterns={**chicago().patterns, "red-b": change(pattern)})


def with_frequency(**fields: Any) -> Network:
    """Chicago with the first row of its frequencies changed."""
    first, *others = chicago().frequencies
    return replace(chicago(), frequencies=(replace(first, **fields), *others))


def with_entries(entries: dict[DayType, float]) -> Network:
    """Chicago with other mean entries at Clark/Lake in October 2019."""
    month = {**chicago().ridership["2019-10"], 40380: entries}
    return replace(chicago(), ridership={"2019-10": month})


def with_share(hour: int, share: float) -> Network:
    """Chicago with another share of a day's entries in an hour."""
    shares = list(chicago().hourly_curve)
    shares[hour] = share
    return replace(chicago(), hourly_curve=tuple(shares))


def with_january(**fields: float) -> Network:
    """Chicago with another January."""
    january, *others = chicago().climate
    return replace(chicago(), climate=(replace(january, **fields), *others))


def with_twin_departure() -> Network:
    """Chicago with a departure of red-b that stands in the table already."""
    twin = Frequency("red-b", "weekday", 3, 1, 500, 900)
    return replace(chicago(), frequencies=(*chicago().frequencies, twin))


ROW_0 = "frequencies row 0 (red-b weekday hour 24)"
ENTRIES = "ridership 2019-10 40380 sunday"

CORRUPTIONS = [
    (changed("lines", "blue", line="azure"), "lines blue", "the row is about azure"),
    (changed("lines", "blue", run_prefix="RD"), "lines blue", "its trains are called RD, as those of red"),
    (changed("stations", 40380, station_id=1), "stations 40380", "the row is about station 1"),
    (changed("stations", 40380, lines=("mauve",)), "stations 40380", "there is no line 'mauve'"),
    (changed("stations", 40380, home_line="red"), "stations 40380", "its home line 'red' does not serve it"),
    (changed("platforms", 30174, stop_id=1), "platforms 30174", "the row is about stop 1"),
    (changed("platforms", 30174, station_id=1), "platforms 30174", "there is no station 1"),
    (changed("platforms", 30174, lines=("mauve",)), "platforms 30174", "there is no line 'mauve'"),
    (changed("edges", FIRST_HOP, from_stop=1), "edges 30174-30228", "the row is about 1-30228"),
    (without("platforms", 30174), "edges 30174-30228", "there is no stop 30174"),
    (changed("edges", FIRST_HOP, travel_s=0), "edges 30174-30228", "travel_s is 0, not above 0"),
    (changed("edges", FIRST_HOP, lines=("mauve",)), "edges 30174-30228", "there is no line 'mauve'"),
    (changed("terminals", ("red", 40900), line="blue"), "terminals red 40900", "the row is about blue 40900"),
    (changed("terminals", ("red", 40900), tracks=0), "terminals red 40900", "it has 0 turn tracks, not at least 1"),
    (changed("terminals", ("red", 40900), min_turn_s=-1), "terminals red 40900", "min_turn_s is -1, below 0"),
    (
        changed("terminals", ("yellow", 40900), yard=False),
        "terminals yellow",
        "none of the line's terminals has a yard",
    ),
    (with_pattern(lambda red: replace(red, service="rad")), "patterns red-b", "the row is about rad-b"),
    (with_pattern(lambda red: replace(red, line="mauve")), "patterns red-b", "there is no line 'mauve'"),
    (
        with_pattern(lambda red: replace(red, calls=red.calls[:1])),
        "patterns red-b",
        "its calls are 1, not at least 2",
    ),
    (
        with_pattern(lambda red: replace(red, calls=(replace(red.calls[0], stop_id=1), *red.calls[1:]))),
        "patterns red-b, call 0",
        "there is no stop 1",
    ),
    (
        with_pattern(lambda red: replace(red, calls=(replace(red.calls[0], station_id=1), *red.calls[1:]))),
        "patterns red-b, call 0",
        "stop 30174 is at station 40900, not 1",
    ),
    (
        with_pattern(lambda red: replace(red, calls=(replace(red.calls[0], direction="a"), *red.calls[1:]))),
        "patterns red-b, call 0",
        "its direction is not 'b', the pattern's",
    ),
    (without("edges", FIRST_HOP), "patterns red-b, call 0", "no edge leads from stop 30174 to 30228"),
    (
        changed("edges", FIRST_HOP, lines=("blue",)),
        "patterns red-b, call 0",
        "red may not use the edge from stop 30174 to 30228",
    ),
    (
        with_pattern(lambda red: replace(red, calls=red.calls[1:])),
        "patterns red-b",
        "it begins at 41190, no terminal of red",
    ),
    (
        with_pattern(lambda red: replace(red, calls=red.calls[:-1])),
        "patterns red-b",
        "it ends at 41430, no terminal of red",
    ),
    (
        replace(chicago(), chains=(replace(chicago().chains[0], line="mauve"),)),
        "chains mauve main b",
        "there is no line 'mauve'",
    ),
    (
        replace(chicago(), chains=(replace(chicago().chains[0], stops=(1,)),)),
        "chains red main b",
        "there is no stop 1",
    ),
    (
        changed("platforms", 30174, lines=("red", "blue")),
        "platforms 30174",
        "no chain of blue has its station 40900",
    ),
    (
        with_frequency(pattern="rad-b"),
        "frequencies row 0 (rad-b weekday hour 24)",
        "there is no pattern 'rad-b'",
    ),
    (
        with_frequency(hour=27),
        "frequencies row 0 (red-b weekday hour 27)",
        "hour 27 is not within 3 to 26",
    ),
    (with_frequency(departures=0), ROW_0, "it has 0 departures, not at least 1"),
    (with_frequency(every_s=0), ROW_0, "every_s is 0, not above 0"),
    (with_frequency(first_offset_s=3600), ROW_0, "a departure lies outside the hour"),
    (with_twin_departure(), "frequencies red-b weekday", "two departures at 11300 s of the service day"),
    (with_entries({"weekday": 1.0, "saturday": 1.0}), ENTRIES, "there are no mean entries"),
    (
        with_entries({"weekday": 1.0, "saturday": 1.0, "sunday": -1.0}),
        ENTRIES,
        "mean entries are -1.0, not a number from 0 on",
    ),
    (
        with_entries({"weekday": 1.0, "saturday": 1.0, "sunday": math.nan}),
        ENTRIES,
        "mean entries are nan, not a number from 0 on",
    ),
    (
        with_entries({"weekday": 1_000_000.0, "saturday": 1.0, "sunday": 1.0}),
        "ridership 2019-10 40380 weekday",
        "mean entries are 1000000.0, above 900000",
    ),
    (replace(chicago(), hourly_curve=(1.0,)), "hourly_curve", "it has 1 hours, not 24"),
    (with_share(5, -0.1), "hourly_curve hour 5", "the share is -0.1, not a number from 0 on"),
    (with_share(5, 0.5), "hourly_curve", "the shares sum to 1.47477, not 1"),
    (replace(chicago(), climate=chicago().climate[:11]), "climate", "it has 11 months, not 12 or none"),
    (with_january(p_wet=1.5), "climate month 1", "p_wet is 1.5, not within 0 to 1"),
    (with_january(mean_c=math.nan), "climate month 1", "mean_c is nan, not a number"),
    (with_january(lag1_corr=math.inf), "climate month 1", "lag1_corr is inf, not a number"),
    (with_january(p_wet_after_dry=math.nan), "climate month 1", "p_wet_after_dry is nan, not within 0 to 1"),
]


@pytest.mark.parametrize(("network", "where", "what"), CORRUPTIONS, ids=[f"{row[1]}: {row[2]}" for row in CORRUPTIONS])
def test_a_broken_rule_names_table_and_row(network: Network, where: str, what: str) -> None:
    """One row of Chicago's tables made wrong: the error names that row and the rule."""
    with pytest.raises(NetworkError) as caught:
        check(network)
    assert (caught.value.where, caught.value.what) == (where, what)
