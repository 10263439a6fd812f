from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from math import erf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Batch, Content
from cta.model.records import Entry, StationKey
from cta.model.scenario import Timetable
from cta.model.time import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, DayType, operating_day_start_ms, parse_timestamp
from cta.model.topics import TURNSTILE
from cta.network.load import chicago
from cta.network.network import Network, Station
from cta.simulation.plan import Breakdown, Closure, Fault, Plan, Surge, Window
from cta.simulation.turnstiles import Turnstiles

MORNING_MS = parse_timestamp("2026-05-13T07:00:00-05:00")
WEEKDAYS = 20
Records = list[tuple[int, int]]
"""(time_ms, station_id) of entries in order."""


def station(station_id: int, *lines: str) -> Station:
    return Station(station_id, f"Station {station_id}", f"Station {station_id}", lines, lines[0], 41.9, -87.6)


def riders(weekday: float, saturday: float = 0.0, sunday: float = 0.0) -> dict[DayType, float]:
    return {"weekday": weekday, "saturday": saturday, "sunday": sunday}


TOWN = Network(
    lines={},
    stations={each.station_id: each for each in (station(3, "green", "red"), station(1, "red"), station(2, "blue"))},
    platforms={},
    edges={},
    terminals={},
    patterns={},
    frequencies=(),
    chains=(),
    ridership={"2019-10": {1: riders(9000), 2: riders(480), 3: riders(2400)}},
)
"""Three stations: 375, 20 and 100 entries an hour of a weekday, no climate."""


def plan(
    *faults: Fault,
    seed: int = 1,
    start_ms: int = MORNING_MS,
    duration_ms: int = 2 * HOUR_MS,
    lines: tuple[str, ...] = ("red", "blue", "green"),
) -> Plan:
    return Plan("test", seed, Window(start_ms, start_ms + duration_ms), lines, "2019-10", Timetable(), faults)


def batches(network: Network, run: Plan) -> list[Batch]:
    turnstiles = Turnstiles(network, run)
    first = run.window.start_ms - run.window.start_ms % HOUR_MS
    return [turnstiles.hour(hour_ms) for hour_ms in range(first, run.window.end_ms, HOUR_MS)]


def records(network: Network, run: Plan) -> Records:
    return [(time_ms, content.key.station_id) for batch in batches(network, run) for time_ms, content in batch]


def of(found: Iterable[tuple[int, int]], station_id: int) -> Records:
    return [record for record in found if record[1] == station_id]


seeds = st.integers(0, 2**53)
moments = st.integers(-90 * MINUTE_MS, 3 * HOUR_MS).map(lambda offset_ms: MORNING_MS + offset_ms)
windows = (
    st.tuples(moments, moments).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: Window(min(pair), max(pair)))
)
closures = st.builds(Closure, st.integers(1, 3), windows)
surges = st.builds(Surge, st.integers(1, 3), st.floats(1.1, 4), windows)
breakdowns = st.builds(Breakdown, st.just("red"), st.integers(1, 3), st.sampled_from(("a", "b")), windows)
faults = st.lists(closures | surges | breakdowns, max_size=4).map(tuple)


def test_entries_are_records_of_their_stations() -> None:
    """A batch is over one content a station, in order of id: key, name and home line; the objects stay the same."""
    turnstiles = Turnstiles(TOWN, plan())
    first, second = turnstiles.hour(MORNING_MS), turnstiles.hour(MORNING_MS + HOUR_MS)

    assert list(first.contents) == [
        Content(TURNSTILE, StationKey(1), Entry(1, "Station 1", "red")),
        Content(TURNSTILE, StationKey(2), Entry(2, "Station 2", "blue")),
        Content(TURNSTILE, StationKey(3), Entry(3, "Station 3", "green")),
    ]
    assert all(one is other for one, other in zip(first.contents, second.contents, strict=True))


@given(seed=seeds, window=windows, chosen=faults)
def test_entries_are_ordered_at_whole_seconds_within_hour_and_window(
    seed: int, window: Window, chosen: tuple[Fault, ...]
) -> None:
    """By (time, station id); each batch within its epoch hour, all within the plan's window."""
    run = replace(plan(*chosen, seed=seed), window=window)
    first = window.start_ms - window.start_ms % HOUR_MS

    found = records(TOWN, run)
    assert found == sorted(found)
    assert all(time_ms % SECOND_MS == 0 and window.holds(time_ms) for time_ms, _ in found)
    for rank, batch in enumerate(batches(TOWN, run)):
        assert np.all(batch.times // HOUR_MS == first // HOUR_MS + rank)


@given(seed=seeds, hour=st.integers(0, 23), chosen=faults)
def test_an_hour_drawn_alone_is_the_hour_drawn_in_sequence(seed: int, hour: int, chosen: tuple[Fault, ...]) -> None:
    """What was drawn before has no part in an hour."""
    run = plan(*chosen, seed=seed, start_ms=MORNING_MS - 3 * HOUR_MS, duration_ms=DAY_MS)
    alone = Turnstiles(TOWN, run).hour(run.window.start_ms + hour * HOUR_MS)

    assert list(alone) == list(batches(TOWN, run)[hour])


@given(seed=seeds, window=windows, chosen=faults)
def test_cutting_the_window_cuts_the_entries(seed: int, window: Window, chosen: tuple[Fault, ...]) -> None:
    """A run of part of the time has the whole run's entries of that time."""
    whole = records(TOWN, plan(*chosen, seed=seed, start_ms=MORNING_MS - 2 * HOUR_MS, duration_ms=6 * HOUR_MS))
    part = records(TOWN, replace(plan(*chosen, seed=seed), window=window))

    assert part == [record for record in whole if window.holds(record[0])]


@given(
    seed=seeds, lines=st.sets(st.sampled_from(("red", "blue", "green", "brown"))).map(lambda some: tuple(sorted(some)))
)
def test_lines_choose_the_stations_and_change_no_entry(seed: int, lines: tuple[str, ...]) -> None:
    """A run has the entries of the stations its lines serve, the same as when all lines run."""
    served = {each.station_id for each in TOWN.stations.values() if set(each.lines) & set(lines)}

    assert records(TOWN, plan(seed=seed, lines=lines)) == [r for r in records(TOWN, plan(seed=seed)) if r[1] in served]


@given(seed=seeds, chosen=faults, station_id=st.integers(1, 3))
def test_a_stations_entries_depend_on_no_fault_elsewhere(seed: int, chosen: tuple[Fault, ...], station_id: int) -> None:
    """Faults at other stations, and breakdowns anywhere, leave a station's entries as they were."""
    own = tuple(fault for fault in chosen if isinstance(fault, Closure | Surge) and fault.station_id == station_id)

    assert of(records(TOWN, plan(*chosen, seed=seed)), station_id) == of(
        records(TOWN, plan(*own, seed=seed)), station_id
    )


@given(seed=seeds, others=st.dictionaries(st.integers(4, 20), st.floats(0, 20_000), max_size=5))
def test_a_stations_entries_depend_on_no_other_station(seed: int, others: dict[int, float]) -> None:
    """A network with more stations has the entries of the smaller one among its own."""
    more = replace(
        TOWN,
        stations={**TOWN.stations, **{each: station(each, "red") for each in others}},
        ridership={"2019-10": {**TOWN.ridership["2019-10"], **{each: riders(n) for each, n in others.items()}}},
    )

    assert [r for r in records(more, plan(seed=seed)) if r[1] not in others] == records(TOWN, plan(seed=seed))


@given(seed=seeds)
def test_another_seed_has_other_entries(seed: int) -> None:
    """Each station's entries are other ones under the next seed."""
    ours, others = records(TOWN, plan(seed=seed)), records(TOWN, plan(seed=seed + 1))

    assert all(of(ours, station_id) != of(others, station_id) for station_id in TOWN.stations)


@given(seed=seeds, closure=closures, chosen=faults)
def test_nobody_enters_a_closed_station(seed: int, closure: Closure, chosen: tuple[Fault, ...]) -> None:
    """A closure takes away what falls into its half-open window, surges included, and nothing else."""
    closed = records(TOWN, plan(closure, *chosen, seed=seed))

    assert closed == [
        (time_ms, station_id)
        for time_ms, station_id in records(TOWN, plan(*chosen, seed=seed))
        if not (station_id == closure.station_id and closure.window.holds(time_ms))
    ]


@given(seed=seeds, surge=surges, chosen=faults)
def test_a_surge_only_adds_and_only_where_it_is(seed: int, surge: Surge, chosen: tuple[Fault, ...]) -> None:
    """Taking a surge out gives back the other entries: what it adds is at its station and within its window."""
    with_it, without = (Counter(records(TOWN, plan(*some, seed=seed))) for some in ((*chosen, surge), chosen))

    assert not without - with_it
    assert all(
        station_id == surge.station_id and surge.window.holds(time_ms) for time_ms, station_id in with_it - without
    )


@pytest.mark.parametrize("minutes", [120, 30])
def test_a_surge_multiplies_entries_by_its_factor(minutes: int) -> None:
    """Over 200 seeds of two hours a surge of 3.5 adds 2.5 times the usual for as long as it lasts, within Poisson noise."""
    surge = Surge(1, 3.5, Window(MORNING_MS + 45 * MINUTE_MS, MORNING_MS + (45 + minutes) * MINUTE_MS))
    added = sum(
        len(records(TOWN, plan(*some, seed=seed, duration_ms=4 * HOUR_MS))) * sign
        for seed in range(200)
        for some, sign in (((surge,), 1), ((), -1))
    )
    mean = 200 * 375 * 2.5 * minutes / 60

    assert abs(added - mean) < 4 * sqrt(mean)


def test_equal_surges_add_up() -> None:
    """The same surge twice is drawn twice, not the same riders doubled; one of them alone is the first."""
    surge = Surge(1, 2.0, Window(MORNING_MS, MORNING_MS + HOUR_MS))
    none, once, twice = (Counter(records(TOWN, plan(*[surge] * n))) for n in range(3))

    assert not once - twice
    assert twice - once != once - none


@pytest.mark.parametrize(
    "start_ms, end_ms, closed",
    [
        (600_000, 1_200_000, range(600, 1200)),
        (600_001, 1_200_001, range(601, 1201)),
        (-1, 1, range(1)),
        (3_599_001, 3_600_000, range(0)),
    ],
)
def test_a_closure_takes_the_seconds_that_its_window_holds(start_ms: int, end_ms: int, closed: range) -> None:
    """At a station with riders every second, those with start <= t < end are missing and no others."""
    busy = replace(TOWN, ridership={"2019-10": {1: riders(24 * 3600 * 12)}})
    closure = Closure(1, Window(MORNING_MS + start_ms, MORNING_MS + end_ms))
    seconds = {(time_ms - MORNING_MS) // SECOND_MS for time_ms, _ in records(busy, plan(closure, duration_ms=HOUR_MS))}

    assert seconds == set(range(3600)) - set(closed)


def test_a_surge_begins_and_ends_with_its_window() -> None:
    """A surge between 07:10:00.001 and 07:20:00 has riders from 07:10:01 to 07:19:59, every second of it."""
    surge = Surge(1, 100.0, Window(MORNING_MS + 600 * SECOND_MS + 1, MORNING_MS + 1200 * SECOND_MS))
    added = Counter(records(TOWN, plan(surge))) - Counter(records(TOWN, plan()))

    assert {(time_ms - MORNING_MS) // SECOND_MS for time_ms, _ in added} == set(range(601, 1200))


def test_entries_are_spread_evenly_over_the_hour() -> None:
    """The minutes of 200 hours are equally full: chi-squared of 60 cells within four deviations of its mean."""
    minutes = np.zeros(60)
    for seed in range(200):
        times = Turnstiles(TOWN, plan(seed=seed)).hour(MORNING_MS).times
        minutes += np.bincount((times - MORNING_MS) // MINUTE_MS, minlength=60)
    expected = minutes.sum() / 60
    chi_squared = ((minutes - expected) ** 2 / expected).sum()

    assert abs(chi_squared - 59) < 4 * sqrt(2 * 59)


def test_hourly_counts_vary_as_poissons_do() -> None:
    """Without weather a station's hours have their mean, and a variance of the mean, within sampling error."""
    days = [batches(TOWN, plan(seed=seed, start_ms=MORNING_MS - 7 * HOUR_MS, duration_ms=DAY_MS)) for seed in range(80)]
    hours = np.array([np.bincount(batch.codes, minlength=3) for day in days for batch in day])
    means = np.array([375, 20, 100])

    assert np.all(np.abs(hours.mean(axis=0) - means) < 4 * np.sqrt(means / len(hours)))
    assert np.all(np.abs(hours.var(axis=0) / means - 1) < 4 * np.sqrt((2 + 1 / means) / len(hours)))


def test_stations_without_ridership_have_no_entries() -> None:
    """A station or a month that the table leaves out is silent, and a network of no served station too."""
    some = replace(TOWN, ridership={"2019-10": {1: riders(9000)}})

    assert {station_id for _, station_id in records(some, plan())} == {1}
    assert records(replace(TOWN, ridership={}), plan()) == []
    assert records(TOWN, plan(lines=("yellow",))) == []
    assert len(Turnstiles(TOWN, plan()).hour(MORNING_MS + 5 * HOUR_MS)) == 0


def test_twenty_weekdays_have_the_tables_riders() -> None:
    """Over 20 seeds of a Chicago weekday: within 1 % in total, and as many stations within 3 % as Poisson noise allows.

    Noise leaves a station of n entries a day within 3 % with the chance of a normal number within 3 % of 20 n at
    deviation sqrt(20 n); the share of stations is held to four deviations of these chances' sum, and to no less than
    one station, since the weather moves all of them by some thousandths together.
    """
    network = chicago()
    start_ms = operating_day_start_ms(date(2026, 5, 13))
    wanted = np.array([days["weekday"] for _, days in sorted(network.ridership["2019-10"].items())])
    found = np.zeros(len(wanted))
    for seed in range(WEEKDAYS):
        day = plan(seed=seed, start_ms=start_ms, duration_ms=DAY_MS, lines=tuple(network.lines))
        for batch in batches(network, day):
            found += np.bincount(batch.codes, minlength=len(wanted))
    close = np.abs(found / WEEKDAYS / wanted - 1) < 0.03
    chances = np.array([erf(0.03 * sqrt(WEEKDAYS * n) / sqrt(2)) for n in wanted])

    assert abs(found.sum() / WEEKDAYS / wanted.sum() - 1) < 0.01
    assert close.sum() >= chances.sum() - max(1, 4 * sqrt((chances * (1 - chances)).sum()))


def test_the_local_date_names_the_day_type() -> None:
    """Friday to Tuesday around Memorial Day, from midnight to midnight: weekday, Saturday, Sunday, Sunday, weekday."""
    network = replace(TOWN, ridership={"2019-10": {1: riders(12_000, 24_000, 48_000)}})
    friday_ms = parse_timestamp("2026-05-22T00:00:00-05:00")
    days = [len(records(network, plan(start_ms=friday_ms + n * DAY_MS, duration_ms=DAY_MS))) for n in range(5)]

    assert [round(count / 12_000) for count in days] == [1, 2, 4, 4, 1]


@pytest.mark.parametrize(
    "midnight, thousands",
    [
        ("2026-11-01T00:00:00-05:00", [0, 1, 1, 3, 0]),
        ("2026-03-08T00:00:00-06:00", [0, 1, 0, 0, 0]),
        ("2026-05-17T00:00:00-05:00", [0, 1, 3, 0, 0]),
    ],
)
def test_clock_changes_repeat_an_hours_entries_or_skip_them(midnight: str, thousands: list[int]) -> None:
    """In November 01:00 comes twice, with other riders each time; in March 02:00 does not come; else each once."""
    curve = tuple({1: 0.25, 2: 0.75}.get(hour, 0.0) for hour in range(24))
    network = replace(TOWN, hourly_curve=curve, ridership={"2019-10": {1: riders(0, sunday=4000)}})
    hours = [
        (batch.times % HOUR_MS).tolist()
        for batch in batches(network, plan(start_ms=parse_timestamp(midnight), duration_ms=5 * HOUR_MS))
    ]

    assert [round(len(hour) / 1000) for hour in hours] == thousands
    assert hours[1] != hours[2]
