"""Laws of the whole stream: order, determinism, cuts, and what may influence what."""

import dataclasses
import itertools
import os
import subprocess
import sys
from collections.abc import Iterable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.model.records import WeatherKey
from cta.model.time import HOUR_MS
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.network.network import Network
from cta.recording.digest import Digest
from cta.simulation.plan import Breakdown, Closure, Plan, SlowZone, Surge, resolve
from cta.simulation.run import simulate
from cta.simulation.weather import reading
from cta.testing.documents import Case, show
from cta.testing.scenarios import cases
from tests.simulation.watched import BUSY, on_networks

Record = tuple[int, Content]


def records(case: Case, from_ms: int | None = None, until_ms: int | None = None) -> list[Record]:
    return listed(simulate(case.network, plan_of(case), from_ms=from_ms, until_ms=until_ms))


known: dict[bytes, Content] = {}


def listed(batches: Iterable[Batch]) -> list[Record]:
    """The records, equal contents as one object whatever run they are of, so that long lists are compared quickly."""
    if len(known) > 100_000:
        known.clear()
    stream: list[Record] = []
    for batch in batches:
        contents = [known.setdefault(content.fragment, content) for content in batch.contents]
        stream += Batch(batch.times, batch.codes, contents)
    return stream


def plan_of(case: Case) -> Plan:
    return resolve(case.scenario, case.network)


def digest(batches: list[Batch]) -> str:
    total = Digest()
    for batch in batches:
        total.update(batch)
    return total.hexdigest()


def arrivals(stream: list[Record], lines: set[str] | None = None) -> list[Record]:
    return [
        (time_ms, content)
        for time_ms, content in stream
        if content.topic is ARRIVALS and (lines is None or content.value.line in lines)
    ]


def entries(stream: list[Record], without: set[int] | None = None) -> list[Record]:
    return [
        (time_ms, content)
        for time_ms, content in stream
        if content.topic is TURNSTILE and content.key.station_id not in (without or set())
    ]


@on_networks
def test_the_order_is_total(case: Case) -> None:
    """Times never go back; at one millisecond topics stand by rank, and a topic's records by entity."""

    def place(record: Record) -> tuple[int, int, int | str]:
        key = record[1].key
        entity = key.station_id if record[1].topic is TURNSTILE else record[1].entity
        return record[0], record[1].topic.rank, entity

    stream = records(case)
    assert all(place(before) <= place(after) for before, after in itertools.pairwise(stream))


@on_networks
def test_records_lie_in_the_window(case: Case) -> None:
    """Nothing before the start, nothing at or after the end."""
    window = plan_of(case).window
    assert all(window.holds(time_ms) for time_ms, _ in records(case))


@on_networks
def test_the_same_scenario_gives_the_same_bytes(case: Case) -> None:
    """Two runs of a scenario are one run."""
    assert digest(list(case.batches())) == digest(list(case.batches()))


def test_another_seed_gives_other_arrivals_and_other_entries() -> None:
    """Chance is the seed's: each topic but the planned alerts moves with it."""
    one, two = (records(Case(chicago(), replace(BUSY, seed=seed))) for seed in (1, 2))
    assert arrivals(one) != arrivals(two)
    assert entries(one) != entries(two)


@given(cases(), st.data())
def test_a_run_from_a_moment_is_the_whole_run_cut_there(case: Case, data: st.DataObject) -> None:
    """simulate(from, until) gives the records of the whole run with from <= time < until."""
    window = plan_of(case).window
    from_ms, until_ms = sorted(data.draw(st.tuples(*[st.integers(window.start_ms, window.end_ms)] * 2)))
    whole = records(case)
    assert records(case, from_ms, until_ms) == [record for record in whole if from_ms <= record[0] < until_ms]


@given(cases(), st.data())
def test_cut_anywhere_and_joined_the_digest_is_the_same(case: Case, data: st.DataObject) -> None:
    """However the stream is cut into batches, it is one stream."""
    batches = list(case.batches())
    pieces = []
    for batch in batches:
        at = data.draw(st.integers(0, len(batch)))
        pieces += [batch[:at], batch[at:]]
    assert digest(pieces) == digest(batches)


@given(cases())
def test_entries_of_a_station_do_not_depend_on_which_lines_run(case: Case) -> None:
    """With all lines named, a station's entries are those that it has with some."""
    some = entries(records(case))
    everything = Case(case.network, replace(case.scenario, lines=UNSET))
    stations = {content.key.station_id for _, content in some}
    whole = [record for record in entries(records(everything)) if record[1].key.station_id in stations]
    assert some == whole


@on_networks
def test_entries_only_at_open_stations(case: Case) -> None:
    """Nobody enters a station while it is closed."""
    closures = [fault for fault in plan_of(case).faults if isinstance(fault, Closure)]
    for time_ms, content in entries(records(case)):
        for closure in closures:
            assert not (content.key.station_id == closure.station_id and closure.window.holds(time_ms))


@settings(max_examples=25)
@example(Case(chicago(), BUSY))
@given(cases())
def test_lines_that_share_no_platform_leave_each_other_alone(case: Case) -> None:
    """A line's trains are the same with and without the lines that it doesn't share track with, directly or through others."""
    plan = plan_of(case)
    together = connected(case.network, {plan.lines[0]}) & set(plan.lines)
    assume(together != set(plan.lines))
    faults = [fault for fault in case.scenario.faults if getattr(fault, "line", plan.lines[0]) in together]
    alone = Case(case.network, replace(case.scenario, lines=sorted(together), faults=faults))
    assert arrivals(records(case), together) == arrivals(records(alone))


def connected(network: Network, lines: set[str]) -> set[str]:
    """The lines that the given ones can reach by shared platforms."""
    reached = set(lines)
    while True:
        stops = {
            call.stop_id for pattern in network.patterns.values() if pattern.line in reached for call in pattern.calls
        }
        more = {
            pattern.line
            for pattern in network.patterns.values()
            if any(call.stop_id in stops for call in pattern.calls)
        }
        if more <= reached:
            return reached
        reached |= more


@on_networks
def test_a_fault_taken_out_gives_back_the_faultless_bytes_outside_its_reach(case: Case) -> None:
    """Before it, on lines it cannot reach, and at stations it does not concern, a fault changes nothing."""
    plan = plan_of(case)
    stream = records(case)
    for rank, fault in enumerate(plan.faults):
        without = dataclasses.replace(plan, faults=plan.faults[:rank] + plan.faults[rank + 1 :])
        calm = listed(simulate(case.network, without))
        touched = set() if isinstance(fault, Breakdown | SlowZone) else {fault.station_id}
        assert entries(stream, touched) == entries(calm, touched)
        reach = _reach(case.network, fault)
        untouched = set(plan.lines) - reach
        assert arrivals(stream, untouched) == arrivals(calm, untouched)
        before = fault.window.start_ms
        assert [r for r in stream if r[0] < before and r[1].topic is not ALERTS] == [
            r for r in calm if r[0] < before and r[1].topic is not ALERTS
        ]


def _reach(network: Network, fault: Breakdown | Closure | SlowZone | Surge) -> set[str]:
    """The lines whose trains a fault can touch: those that can come by, and all that those share track with."""
    if isinstance(fault, Surge):
        return set()
    if isinstance(fault, Closure):
        lines = {
            pattern.line
            for pattern in network.patterns.values()
            if any(call.station_id == fault.station_id for call in pattern.calls)
        }
        return connected(network, lines)
    return connected(network, {fault.line})


@on_networks
def test_weather_is_read_on_the_hour(case: Case) -> None:
    """One reading for every full UTC hour in the window, at that hour, under its own time, of that hour's weather."""
    window, seed = plan_of(case).window, case.scenario.seed
    hours = range(-(-window.start_ms // HOUR_MS) * HOUR_MS, window.end_ms, HOUR_MS)
    told = [(t, c.key, c.value) for t, c in records(case) if c.topic is WEATHER]
    assert told == [(hour, WeatherKey(hour), reading(case.network, seed, hour)) for hour in hours]


@on_networks
def test_each_fault_that_strikes_is_an_alert(case: Case) -> None:
    """Closures, slow zones and surges are announced at their start, a breakdown when a train breaks down.

    What began before the run, and goes on, is announced at the run's start; what was over by then is not.
    """
    plan = plan_of(case)
    stream = records(case)
    window = plan.window
    planned = {
        fault.window.start_ms
        for fault in plan.faults
        if not isinstance(fault, Breakdown)
        and fault.window.start_ms < window.end_ms
        and fault.window.end_ms > window.start_ms
    }
    broken = {time_ms for time_ms, content in arrivals(stream) if content.value.train_status == "broken_down"}
    told = {time_ms for time_ms, content in stream if content.topic is ALERTS}
    stand = {
        window.start_ms for _, content in stream if content.topic is ALERTS and _stands_at(content, window.start_ms)
    }
    assert told == {max(at, window.start_ms) for at in planned} | broken | stand


def _stands_at(content: Content, time_ms: int) -> bool:
    """Whether it is the alert of a train that broke down before a moment and stands there then."""
    alert = content.value
    return alert.train_id is not None and alert.active_from < time_ms < alert.active_to


EARLY = written.Scenario(
    name="early",
    seed=1,
    start="2026-05-13T07:00:00-05:00",
    duration="PT30M",
    lines=["blue"],
    faults=[
        written.Breakdown("blue", "Clark/Lake", "b", "2026-05-13T06:20:00-05:00", "PT20M"),
        written.Breakdown("blue", "Clark/Lake", "b", "2026-05-13T06:50:00-05:00", "PT40M"),
        written.Closure("Damen (Blue)", "2026-05-13T06:00:00-05:00", "P2D"),
        written.Surge("Clark/Lake", 1.5, "2026-05-13T06:00:00-05:00", "PT1H"),
    ],
)


def test_what_began_before_the_run_and_goes_on_is_told_at_its_start() -> None:
    """A breakdown as a closure is; what is over is not. Days away, the end is told with its date."""
    stream = records(Case(chicago(), EARLY))
    start_ms = plan_of(Case(chicago(), EARLY)).window.start_ms
    breakdown, closure = [(time_ms, content.value) for time_ms, content in stream if content.topic is ALERTS]
    assert (closure[0], breakdown[0]) == (start_ms, start_ms)
    assert closure[1].text == "Damen is closed and trains do not stop there until 06:00 on 2026-05-15"
    assert breakdown[1].active_from < start_ms < breakdown[1].active_to
    assert not any(content.value.train_status == "broken_down" for _, content in arrivals(stream))


def test_each_alert_has_an_id_of_its_own() -> None:
    """Surges at one station and zones on one stretch may begin at once: under one id the page would show but one of them."""
    surge, zone = (
        written.Surge("Clark/Lake", 2, "07:10", "PT5M"),
        written.SlowZone("blue", "Grand (Blue)", "Monroe (Blue)", 2, "07:10", "PT5M"),
    )
    faults = [surge, replace(surge, duration="PT9M"), replace(surge, factor=3), zone, replace(zone, factor=3)]
    ids = [
        content.key.alert_id
        for _, content in records(Case(chicago(), replace(EARLY, faults=faults)))
        if content.topic is ALERTS
    ]
    moment = "2026-05-13T07:10:00-05:00"
    assert sorted(ids) == [
        f"slow_zone-blue-40490-40790-{moment}",
        f"slow_zone-blue-40490-40790-{moment}-2",
        f"surge-40380-{moment}",
        f"surge-40380-{moment}-2",
        f"surge-40380-{moment}-3",
    ]


def test_a_breakdown_holds_what_is_behind_it_and_nothing_else() -> None:
    """While a train stands, nobody arrives at its platform; after it, the line's next trains come bunched."""
    stream = arrivals(records(Case(chicago(), BUSY)), {"brown"})
    at = [(t, c.value) for t, c in stream if (c.value.station_id, c.value.direction) == (40460, "b")]
    start = next(i for i, (_, arrival) in enumerate(at) if arrival.train_status == "broken_down")
    waits_s = [(after - before) // 1000 for (before, _), (after, _) in itertools.pairwise(at[start : start + 6])]
    assert waits_s[0] >= 25 * 60
    assert max(waits_s[1:]) <= 150


ELSEWHERE = {
    "PYTHONHASHSEED": "12345",
    "TZ": "Asia/Kathmandu",
    "LC_ALL": "C",
    "OPENBLAS_NUM_THREADS": "1",
}

PROGRAM = """
import sys
from cta.recording.digest import Digest
from cta.testing.documents import case
digest = Digest()
for batch in case(sys.stdin.read()).batches():
    digest.update(batch)
print(digest.hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_another_interpreter_hash_seed_time_zone_and_locale_give_the_same_digest(hash_seed: str) -> None:
    """The digest is a function of the scenario and the network alone."""
    case = Case(chicago(), replace(BUSY, duration="PT1H", faults=BUSY.faults[:1]))
    environment = {**os.environ, **ELSEWHERE, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=show(case.network, case.scenario),
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert run.stdout.strip() == digest(list(case.batches()))


def test_a_batch_is_an_hour() -> None:
    """The stream comes lazily, an epoch hour at a time."""
    first = next(iter(Case(chicago(), BUSY).batches()))
    assert int(first.times[-1]) // HOUR_MS == int(first.times[0]) // HOUR_MS
