"""The laws of a stream: nothing is found in what the simulation makes, and something in each thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given

from cta.model.batch import Batch, Content
from cta.model.raw import foreign
from cta.model.records import Arrival, Weather, WeatherKey
from cta.model.scenario import Breakdown, Closure, Scenario, SlowZone
from cta.model.time import HOUR_MS
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER, Topic
from cta.network.load import chicago
from cta.network.network import Network
from cta.pipeline.laws import laws
from cta.pipeline.world_laws import WeatherOnTheHour
from cta.simulation.faults import alert
from cta.simulation.plan import Breakdown as PlannedBreakdown
from cta.simulation.plan import Plan, Window, resolve
from cta.simulation.run import simulate
from cta.testing.documents import Case
from cta.testing.scenarios import cases

Records = list[tuple[int, Content]]
Wrong = list[tuple[str, int | None, str]]
"""The law, the record's place in the stream (None: found at its end), what is wrong."""

RUN = Scenario(
    name="laws",
    seed=7,
    start="2026-05-13T06:55:00-05:00",
    duration="PT1H20M",
    lines=["blue", "brown", "orange"],
    faults=[
        Breakdown("blue", "Clark/Lake", "b", "07:20", "PT10M"),
        Closure("Damen (Brown)", "07:10", "PT30M"),
        SlowZone("orange", "Midway", "Pulaski (Orange)", 2.0, "07:00", "PT30M"),
    ],
)
"""Three lines, two of them on the Loop, and a fault of each kind that touches trains."""


BROKEN_DOWN_BEFORE = msgspec.structs.replace(
    RUN, faults=[Breakdown("blue", "Clark/Lake", "b", "2026-05-13T06:40:00-05:00", "PT40M")]
)
"""A train stands already when the run begins, so the run has its alert and not its record."""


def judge(network: Network, plan: Plan | None, batches: list[Batch], **how: bool) -> Wrong:
    """All that the laws find in the batches of the plan's run."""
    window = resolve(RUN, network).window if plan is None else plan.window
    judged = laws(network, plan, window, **how)
    wrong: Wrong = []
    place = 0
    for batch in batches:
        for name, law in judged.items():
            wrong += [(name, place + row, what) for row, what in law.find(batch)]
        place += len(batch)
    return wrong + [(name, None, what) for name, law in judged.items() for what in law.finish()]


@given(cases())
def test_nothing_is_wrong_with_what_the_simulation_makes(case: Case) -> None:
    """Whatever the network, the scenario and its faults."""
    plan = resolve(case.scenario, case.network)
    assert judge(case.network, plan, list(simulate(case.network, plan))) == []


@pytest.fixture(scope="module")
def plan() -> Plan:
    return resolve(RUN, chicago())


@pytest.fixture(scope="module")
def run(plan: Plan) -> Records:
    return [record for batch in simulate(chicago(), plan) for record in batch]


def test_the_alert_of_a_train_that_broke_down_before_the_run_is_known() -> None:
    """At the run's start and nowhere else."""
    plan = resolve(BROKEN_DOWN_BEFORE, chicago())
    run = [record for batch in simulate(chicago(), plan) for record in batch]
    assert judge(chicago(), plan, [Batch.of(run)]) == []
    late = [(time_ms + 1 if content.topic is ALERTS else time_ms, content) for time_ms, content in run]
    assert [name for name, _, _ in judge(chicago(), plan, [Batch.of(sorted(late, key=lambda record: record[0]))])] == [
        "alerts"
    ]


def test_nothing_is_wrong_with_the_run_in_one_batch_or_in_many(plan: Plan, run: Records) -> None:
    """The laws carry over from batch to batch."""
    assert judge(chicago(), plan, [Batch.of(run)]) == []
    assert judge(chicago(), plan, [Batch.of(run[at : at + 100]) for at in range(0, len(run), 100)]) == []


def first(run: Records, topic: Topic, after: int = 0, **fields: Any) -> int:
    """The place of the first record of the topic, from a place on, whose value has the fields."""
    return next(
        i
        for i, (_, content) in enumerate(run)
        if i >= after
        and content.topic is topic
        and all(getattr(content.value, name) == value for name, value in fields.items())
    )


def change(run: Records, place: int, **fields: Any) -> Records:
    """The run with another value in a record; the record keeps its key."""
    time_ms, content = run[place]
    changed = Content(content.topic, content.key, msgspec.structs.replace(content.value, **fields))
    return [*run[:place], (time_ms, changed), *run[place + 1 :]]


def move(run: Records, place: int, by_ms: int) -> Records:
    """The run with a record at another time, and back in the order of time."""
    time_ms, content = run[place]
    moved = [*run[:place], (time_ms + by_ms, content), *run[place + 1 :]]
    return sorted(moved, key=lambda record: (record[0], record[1].topic.rank))


def drop(run: Records, place: int) -> Records:
    return [*run[:place], *run[place + 1 :]]


def swap(run: Records, place: int) -> Records:
    return [*run[:place], run[place + 1], run[place], *run[place + 2 :]]


def broken(run: Records) -> int:
    return first(run, ARRIVALS, train_status="broken_down")


def mid_run(run: Records) -> int:
    """A record of a blue train under way, half an hour in, whose next record is there too."""
    return first(run, ARRIVALS, len(run) // 2, line="blue", train_status="in_service")


def turned(run: Records) -> int:
    """A train's first record after a turn at a terminal of which the run has the record before it, too."""
    seen: set[str] = set()
    for place, (_, content) in enumerate(run):
        if content.topic is ARRIVALS:
            if content.value.prev_station_id == content.value.station_id and content.entity in seen:
                return place
            seen.add(content.entity)
    raise AssertionError("no train turns")


def hurry(run: Records) -> Records:
    """A train that is at its next station after nine tenths of the running time, and that without a stop."""
    place = mid_run(run)
    time_ms, content = run[place]
    hop = (content.value.prev_station_id, content.value.station_id)
    before_ms = max(at_ms for at_ms, other in run[:place] if other.topic is ARRIVALS and other.key == content.key)
    stations = {stop_id: platform.station_id for stop_id, platform in chicago().platforms.items()}
    travel_s = next(e.travel_s for e in chicago().edges.values() if (stations[e.from_stop], stations[e.to_stop]) == hop)
    return move(run, place, before_ms + travel_s * 900 - time_ms)


def closed(run: Records) -> Records:
    """An entry at the closed station, within the closure."""
    entry = first(run, TURNSTILE, station_id=40090)
    return move(run, entry, 1_778_674_800_000 - run[entry][0])


def crowd(run: Records) -> Records:
    """A second train at a platform half a minute after one."""
    place = mid_run(run)
    time_ms, content = run[place]
    other = Content(ARRIVALS, type(content.key)("BL199"), msgspec.structs.replace(content.value, train_id="BL199"))
    return sorted([*run, (time_ms + 30_000, other)], key=lambda record: (record[0], record[1].topic.rank))


def tell_late(run: Records) -> Records:
    """The breakdown's alert a second after it, and consistent in itself."""
    place = first(run, ALERTS, cause="TECHNICAL_PROBLEM")
    told = run[place][1].value
    late = change(run, place, active_from=told.active_from + 1_000, active_to=told.active_to + 1_000)
    return move(late, place, 1_000)


def break_down_again(run: Records) -> Records:
    """Another train breaks down where the fault is, half an hour after it, with an alert as it would have."""
    fault = next(fault for fault in resolve(RUN, chicago()).faults if isinstance(fault, PlannedBreakdown))
    after = first(run, ALERTS, cause="TECHNICAL_PROBLEM")
    later = next(i for i in range(after, len(run)) if run[i][0] > run[after][0] + HOUR_MS // 2)
    place = first(run, ARRIVALS, later, line="blue", station_id=fault.station_id, direction=fault.direction)
    time_ms, content = run[place]
    stands = Window(time_ms, time_ms + fault.window.duration_ms)
    told = (time_ms, alert(chicago(), fault, stands, content.value.train_id))
    broken_down = [*change(run, place, train_status="broken_down"), told]
    return sorted(broken_down, key=lambda record: (record[0], record[1].topic.rank))


WRONGS: dict[str, tuple[str, Callable[[Records], Records]]] = {
    "an unknown station": ("entries", lambda run: change(run, first(run, TURNSTILE), station_id=1)),
    "another station's key": ("entries", lambda run: change(run, first(run, TURNSTILE), station_id=40380)),
    "another name": ("entries", lambda run: change(run, first(run, TURNSTILE), station_name="Lake/Clark")),
    "not the home line": ("entries", lambda run: change(run, first(run, TURNSTILE, line="blue"), line="red")),
    "an entry between seconds": ("entries", lambda run: move(run, first(run, TURNSTILE, 1000), 1)),
    "an entry while closed": ("closures", closed),
    "a reading in tenths": ("weather", lambda run: change(run, first(run, WEATHER), temperature=54.3)),
    "a reading off the hour": ("weather", lambda run: move(run, first(run, WEATHER), 60_000)),
    "a reading lost": ("weather", lambda run: drop(run, first(run, WEATHER))),
    "a reading twice": ("weather", lambda run: sorted([*run, run[first(run, WEATHER)]], key=lambda r: r[0])),
    "an alert lost": ("alerts", lambda run: drop(run, first(run, ALERTS))),
    "an alert that no fault made": ("alerts", lambda run: change(run, first(run, ALERTS), effect="OTHER_EFFECT")),
    "an alert at another time": ("alerts", lambda run: move(run, first(run, ALERTS, 1000), 1_000)),
    "an alert of no station": ("alerts", lambda run: change(run, first(run, ALERTS, 1000), station_id=1)),
    "an alert of another train": (
        "alerts",
        lambda run: change(run, first(run, ALERTS, cause="TECHNICAL_PROBLEM"), train_id="BL101"),
    ),
    "a breakdown told too late": ("alerts", tell_late),
    "a breakdown at another time than the fault's": ("alerts", break_down_again),
    "a breakdown without an alert": (
        "alerts",
        lambda run: drop(run, first(run, ALERTS, cause="TECHNICAL_PROBLEM")),
    ),
    "a breakdown that was none": ("alerts", lambda run: change(run, broken(run), train_status="in_service")),
    "a stop lost": ("prev", lambda run: drop(run, mid_run(run))),
    "a stop passed": ("neighbours", lambda run: drop(run, mid_run(run))),
    "a jump": ("neighbours", lambda run: change(run, mid_run(run), station_id=40890, direction="b")),
    "too fast": ("neighbours", lambda run: move(run, mid_run(run), -60_000)),
    "a little too fast": ("neighbours", hurry),
    "turned too soon": ("neighbours", lambda run: move(run, turned(run), -2 * 60_000)),
    "a station of another line": ("neighbours", lambda run: change(run, mid_run(run), station_id=41320)),
    "pulled in under way": ("neighbours", lambda run: change(run, mid_run(run), train_status="out_of_service")),
    "another line's train": ("trains", lambda run: change(run, mid_run(run), line="brown")),
    "a line that does not run": ("trains", lambda run: change(run, mid_run(run), line="red")),
    "another train's key": ("trains", lambda run: change(run, mid_run(run), train_id="BL199")),
    "two trains at a platform": ("separation", crowd),
    "out of order": ("order", lambda run: swap(run, mid_run(run))),
    "outside the run": ("window", lambda run: move(run, len(run) - 1, HOUR_MS)),
    "before the run": ("window", lambda run: move(run, 0, -HOUR_MS)),
    "a tombstone": (
        "schema",
        lambda run: [*run, (run[-1][0], Content(foreign(ALERTS.name), run[first(run, ALERTS)][1].key, None))],
    ),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_found_by_its_law(wrong: str, plan: Plan, run: Records) -> None:
    """One thing wrong in a run of 60,000 records is named by the law that it breaks."""
    law, make = WRONGS[wrong]
    assert law in {name for name, _, _ in judge(chicago(), plan, [Batch.of(make(run))])}


def test_a_violation_stands_at_its_record(plan: Plan, run: Records) -> None:
    """Changed in one field that only one law looks at, a record is found in its place and nothing else is."""
    place = first(run, TURNSTILE, 5_000, line="blue")
    station = run[place][1].value
    changed = change(run, place, line="red")
    batches = [Batch.of(changed[at : at + 999]) for at in range(0, len(run), 999)]
    name = f"{station.station_name} ({station.station_id})"
    assert judge(chicago(), plan, batches) == [("entries", place, f"{name} books its entries to blue, not 'red'")]


def test_two_thirds_of_a_run_are_not_the_whole(plan: Plan, run: Records) -> None:
    """Of a recording that says it is not whole nothing is held against what is missing."""
    some = [record for i, record in enumerate(run) if i % 3]
    assert judge(chicago(), plan, [Batch.of(some)], whole=False) == []
    assert {name for name, _, _ in judge(chicago(), plan, [Batch.of(some)])} >= {"prev", "neighbours"}


def test_what_follows_a_loss_is_not_held_against_what_was_before(plan: Plan, run: Records) -> None:
    """With records lost in the middle, and said to be, the two parts are judged each for itself."""
    judged = laws(chicago(), plan, plan.window)
    before, after = Batch.of(run[:20_000]), Batch.of(run[21_000:])
    found = [what for law in judged.values() for _, what in law.find(before)]
    for law in judged.values():
        law.lost()
    found += [what for law in judged.values() for _, what in law.find(after)]
    found += [what for law in judged.values() for what in law.finish()]
    assert found == []


def test_part_of_a_run_is_judged_as_the_part_it_is(plan: Plan, run: Records) -> None:
    """From after the first alerts on, none of them is missing."""
    window = Window(plan.window.start_ms + HOUR_MS // 2, plan.window.end_ms)
    part = Batch.of([record for record in run if window.holds(record[0])])
    judged = laws(chicago(), plan, window)
    assert [what for law in judged.values() for _, what in law.find(part)] == []
    assert [what for law in judged.values() for what in law.finish()] == []


def test_an_old_reading_again_leaves_the_next_one_due() -> None:
    """In a capture without order a reading of hours ago is a second one, and those that follow are right."""
    start_ms = 1_778_673_600_000
    law = WeatherOnTheHour(Window(start_ms, start_ms + 5 * HOUR_MS))
    hours = [start_ms + hour * HOUR_MS for hour in (0, 1, 2, 0, 3, 4)]
    readings = [(at_ms, Content(WEATHER, WeatherKey(at_ms), Weather(50.5, "sunny"))) for at_ms in hours]
    assert [row for row, _ in law.find(Batch.of(readings))] == [3]
    assert list(law.finish()) == []


def test_without_a_plan_the_network_still_judges(run: Records) -> None:
    """A recording that no scenario made is held to stations, lines, neighbours, and alerts of what there is."""
    open_run = [record for record in run if not isinstance(record[1].value, Arrival) or record[1].value.line != "brown"]
    assert judge(chicago(), None, [Batch.of(open_run)]) == []
    changed = change(open_run, first(open_run, ALERTS), line="violet")
    assert [name for name, _, _ in judge(chicago(), None, [Batch.of(changed)])] == ["alerts"]


def test_a_capture_is_not_held_to_the_order_of_time(plan: Plan, run: Records) -> None:
    """Topic after topic, as partitions are read, is right where no order was promised."""
    by_topic = sorted(run, key=lambda record: record[1].topic.rank)
    assert judge(chicago(), plan, [Batch.of(by_topic)], ordered=False) == []


def test_a_train_may_break_down_twice() -> None:
    """Each time has its alert, also where all arrivals stand before the alerts."""
    faults = [
        Breakdown("blue", "Clark/Lake", "b", "07:20", "PT8M"),
        Breakdown("blue", "Washington", "b", "07:26", "PT8M"),
    ]
    plan = resolve(msgspec.structs.replace(RUN, faults=faults), chicago())
    run = [record for batch in simulate(chicago(), plan) for record in batch]
    broken_down = [content.entity for _, content in run if getattr(content.value, "train_status", "") == "broken_down"]
    assert len(broken_down) == 2
    assert len(set(broken_down)) == 1
    by_topic = sorted(run, key=lambda record: record[1].topic.rank)
    assert judge(chicago(), plan, [Batch.of(by_topic)], ordered=False) == []
