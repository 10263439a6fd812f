"""Laws of the stream as it is delivered: what stream faults may do to it, and what they leave alone."""

from __future__ import annotations

import dataclasses
import itertools
import json
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from cta.faults.stream import delivered, faulty
from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.model.records import Weather, WeatherKey
from cta.model.time import HOUR_MS
from cta.model.topics import TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.pipeline.board import Board
from cta.recording.digest import Digest
from cta.simulation.plan import Plan, Window, resolve
from cta.simulation.run import simulate
from cta.simulation.stream_faults import AnyStreamFault, Delay, Drop, Duplicate, Reorder
from cta.testing.documents import Case
from cta.testing.scenarios import cases
from cta.testing.stream_faults import unreliable_cases

Record = tuple[int, bytes]
"""Time and canonical content: quickly compared."""

HOUR = Case(
    chicago(), written.Scenario(name="hour", seed=7, start="2026-05-13T07:20:00-05:00", duration="PT1H", lines=["blue"])
)
"""Some 20,000 records of Chicago's over the turn of an hour."""


def with_faults(*faults: written.AnyStreamFault) -> Case:
    return Case(HOUR.network, replace(HOUR.scenario, stream_faults=list(faults)))


def plan_of(case: Case) -> Plan:
    return resolve(case.scenario, case.network)


def records(batches: Iterable[Batch]) -> list[Record]:
    return [(time_ms, content.fragment) for batch in batches for time_ms, content in batch]


def contents(batches: Iterable[Batch]) -> list[tuple[int, Content]]:
    return [record for batch in batches for record in batch]


def sent(case: Case) -> list[Record]:
    """What the world sends, whatever comes of it."""
    return records(simulate(case.network, plan_of(case)))


def struck_by(case: Case, faults: Iterable[AnyStreamFault]) -> list[Record]:
    return records(faulty(simulate(case.network, plan_of(case)), plan_of(case).seed, faults))


def is_part_of(part: list[Record], whole: list[Record]) -> bool:
    """Whether the part is the whole with records left out."""
    rest = iter(whole)
    return all(record in rest for record in part)


@given(cases())
def test_without_stream_faults_what_is_delivered_is_what_was_sent(case: Case) -> None:
    """An empty list of them, too, changes no byte."""
    empty = Case(case.network, replace(case.scenario, stream_faults=[]))
    assert records(case.batches()) == records(empty.batches()) == sent(case)


@given(unreliable_cases())
def test_the_same_case_gives_the_same_bytes(case: Case) -> None:
    """Two deliveries are one."""
    assert records(case.batches()) == records(case.batches())


@given(unreliable_cases(kinds=(written.Drop,)))
def test_what_is_dropped_and_the_rest_are_what_was_sent(case: Case) -> None:
    """The rest stands as it stood, and nothing is dropped that no fault may strike; with a share of 1 all that it may."""
    whole, rest = contents(simulate(case.network, plan_of(case))), records(case.batches())
    assert is_part_of(rest, [(time_ms, content.fragment) for time_ms, content in whole])
    gone = Counter((time_ms, content.fragment) for time_ms, content in whole) - Counter(rest)
    faults = plan_of(case).stream_faults
    for time_ms, content in whole:
        may = [fault for fault in faults if fault.window.holds(time_ms) and fault.may_strike(content)]
        assert bool(gone[time_ms, content.fragment]) <= bool(may)
        if any(fault.share == 1 for fault in may):
            assert (time_ms, content.fragment) not in rest


@given(unreliable_cases(kinds=(written.Delay, written.Reorder)))
def test_delay_and_reorder_lose_nothing_and_add_nothing(case: Case) -> None:
    """Each record comes once, with the time that it had."""
    assert sorted(records(case.batches())) == sorted(sent(case))


@given(unreliable_cases(kinds=(written.Delay,)))
def test_a_delayed_stream_stands_by_when_each_record_is_due(case: Case) -> None:
    """Record by record, where every share is 1: its time and all delays that strike it, then the order of the world."""
    plan = plan_of(case)
    faults = [dataclasses.replace(fault, share=1.0) for fault in plan.stream_faults]
    whole = contents(simulate(case.network, plan))

    def due_ms(time_ms: int, content: Content) -> int:
        late = [f for f in faults if f.window.holds(time_ms) and f.may_strike(content)]
        return time_ms + sum(fault.delay_ms for fault in late if isinstance(fault, Delay))

    expected = sorted(whole, key=lambda record: due_ms(*record))
    assert struck_by(case, faults) == [(time_ms, content.fragment) for time_ms, content in expected]


@given(unreliable_cases(kinds=(written.Reorder,)))
def test_no_record_is_passed_by_one_that_is_younger_by_all_that_it_may_be_held_back(case: Case) -> None:
    """Chance moves a record no further than ``within``."""
    most_ms = sum(fault.within_ms for fault in plan_of(case).stream_faults if isinstance(fault, Reorder))
    latest_ms = 0
    for time_ms, _ in records(case.batches()):
        assert time_ms > latest_ms - most_ms
        latest_ms = max(latest_ms, time_ms)


@given(unreliable_cases(kinds=(written.Duplicate,)))
def test_a_duplicated_record_comes_so_many_times_more(case: Case) -> None:
    """The first of each stand as they stood, and one fault alone adds its copies or nothing."""
    whole, fault = sent(case), plan_of(case).stream_faults[0]
    assert isinstance(fault, Duplicate)
    struck = struck_by(case, [fault])
    came, once = Counter(struck), Counter(whole)
    assert all((came[record] - once[record]) % fault.copies == 0 for record in once)
    assert all(once[record] <= came[record] <= once[record] * (1 + fault.copies) for record in once)
    assert came.keys() == once.keys()
    assert list(dict.fromkeys(struck)) == list(dict.fromkeys(whole))


@given(unreliable_cases(kinds=(written.Corrupt,)))
def test_a_corrupt_record_keeps_its_place_its_key_and_its_partition(case: Case) -> None:
    """Its value is the beginning of its JSON, which is no JSON, and it is of no topic that has a schema."""
    whole = contents(simulate(case.network, plan_of(case)))
    for (time_ms, came), (sent_ms, content) in zip(contents(case.batches()), whole, strict=True):
        assert (time_ms, came.key, came.entity, came.topic.name) == (
            sent_ms,
            content.key,
            content.entity,
            content.topic.name,
        )
        if came != content:
            assert came.topic is foreign(content.topic.name)
            assert isinstance(came.value, Raw)
            _, _, value = content.fragment.partition(b',"value":')
            assert value.startswith(came.value.data)
            assert 0 < len(came.value.data) < len(value)
            with pytest.raises(ValueError, match=r"."):  # what is raised depends on where it is cut
                json.loads(came.value.data)


@given(unreliable_cases(), st.data())
def test_where_the_source_is_cut_into_batches_changes_nothing(case: Case, data: st.DataObject) -> None:
    """Neither across hours nor within one millisecond."""
    plan = plan_of(case)
    whole = Batch.joined([Batch.of(()), *simulate(case.network, plan)])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[start:stop] for start, stop in itertools.pairwise([0, *cuts, len(whole)])]
    assert records(faulty(pieces, plan.seed, plan.stream_faults)) == records(case.batches())


@given(unreliable_cases(), st.data())
def test_a_part_of_a_run_is_the_whole_delivery_cut_there(case: Case, data: st.DataObject) -> None:
    """By event time, wherever late records stand."""
    plan = plan_of(case)
    from_ms, until_ms = sorted(data.draw(st.tuples(*[st.integers(plan.window.start_ms, plan.window.end_ms)] * 2)))
    part = records(delivered(case.network, plan, from_ms=from_ms, until_ms=until_ms))
    assert part == [record for record in records(case.batches()) if from_ms <= record[0] < until_ms]


def test_hours_before_a_part_of_a_run_are_not_simulated() -> None:
    """Of the two that the run touches: chance asks for the hour in which the part begins, and for none before it."""
    case = with_faults(written.Drop(topic="turnstile", share=0.3))
    plan = plan_of(case)
    eight_ms = plan.window.end_ms // HOUR_MS * HOUR_MS
    assert len(list(delivered(case.network, plan))) == 2
    assert len(list(delivered(case.network, plan, from_ms=eight_ms + 1))) == 1


@given(unreliable_cases(), st.randoms(use_true_random=False))
def test_the_order_of_faults_means_nothing(case: Case, random: Random) -> None:
    """What they do adds up."""
    faults = list(plan_of(case).stream_faults)
    random.shuffle(faults)
    assert struck_by(case, faults) == records(case.batches())


@given(unreliable_cases())
def test_a_fault_leaves_the_keys_that_it_may_not_strike_as_they_were(case: Case) -> None:
    """With or without it, each other key's records are the same ones in the same order."""
    faults = plan_of(case).stream_faults
    concerned = {
        content.chain_key
        for _, content in contents(simulate(case.network, plan_of(case)))
        if faults[0].may_strike(content)
    }

    def others(came: list[Record]) -> dict[bytes, list[Record]]:
        chains: dict[bytes, list[Record]] = {}
        for time_ms, fragment in came:
            key = fragment.partition(b',"value":')[0]
            if key not in concerned:
                chains.setdefault(key, []).append((time_ms, fragment))
        return chains

    assert others(struck_by(case, faults)) == others(struck_by(case, faults[1:]))


@given(unreliable_cases(kinds=(written.Drop,)))
def test_a_larger_share_strikes_what_a_smaller_one_does_and_more(case: Case) -> None:
    """The one knob can be turned without another run coming of it."""
    fault = plan_of(case).stream_faults[0]
    few, many = (struck_by(case, [dataclasses.replace(fault, share=share)]) for share in (0.2, 0.6))
    assert is_part_of(many, few)


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_share_is_that_share(share: float) -> None:
    """Within five standard deviations of the binomial, which chance leaves once in a million seeds."""
    entries = sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))
    dropped = len(sent(HOUR)) - len(records(with_faults(written.Drop(topic="turnstile", share=share)).batches()))
    assert abs(dropped - entries * share) < 5 * (entries * share * (1 - share)) ** 0.5


def test_another_seed_strikes_other_records() -> None:
    """Of the same stream."""
    fault = resolve(with_faults(written.Drop(topic="turnstile", share=0.1)).scenario, chicago()).stream_faults
    one, other = (records(faulty(HOUR.batches(), seed, fault)) for seed in (1, 2))
    assert one != other


def test_faults_strike_independently_of_one_another() -> None:
    """Of what one kind strikes, another strikes its share: within five standard deviations, where both strike half."""
    entries = sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))
    faults = written.Drop(topic="turnstile", share=0.5), written.Duplicate(topic="turnstile", share=0.5)
    came = sum(content.topic is TURNSTILE for _, content in contents(with_faults(*faults).batches()))
    assert abs(came - entries * 0.75) < 5 * (entries * 0.6875) ** 0.5  # none, one or two of each: 1/2, 1/4, 1/4


def test_chance_is_drawn_anew_each_hour() -> None:
    """Readings, one an hour, don't share one fate."""
    hours = range(0, 48 * HOUR_MS, HOUR_MS)
    readings = [(at, Content(WEATHER, WeatherKey(at), Weather(54.5, "sunny"))) for at in hours]
    fault = Drop(WEATHER, None, None, None, Window(0, hours.stop), 0.5)
    assert 0 < len(records(faulty([Batch.of(readings)], 7, [fault]))) < 48


def test_an_hour_is_struck_as_it_is_in_a_longer_run() -> None:
    """What came in the hours before has no part in it."""
    fault = written.Drop(topic="turnstile", share=0.3, start="2026-05-13T08:00:00-05:00")
    long, short = (
        Case(HOUR.network, replace(HOUR.scenario, start=start, duration=duration, stream_faults=[fault]))
        for start, duration in (("2026-05-13T06:30:00-05:00", "PT2H"), ("2026-05-13T08:00:00-05:00", "PT30M"))
    )

    def entries(case: Case) -> list[Record]:
        return [
            (t, c.fragment)
            for t, c in contents(case.batches())
            if c.topic is TURNSTILE and t >= plan_of(short).window.start_ms
        ]

    assert entries(long) == entries(short)


def test_nothing_is_held_longer_than_it_is_late() -> None:
    """Minute by minute: what is due comes with the batch that reaches its time, and nothing that is held along with it."""
    plan = plan_of(with_faults(written.Delay(topic="turnstile", delay="PT90S")))
    whole = Batch.joined(list(simulate(HOUR.network, plan)))
    whole = whole[whole.ranks() == TURNSTILE.rank]
    minutes = whole.times // 60_000
    pieces = [whole[minutes == minute].compact() for minute in sorted(set(minutes.tolist()))]
    held = 0
    for piece, came in zip(pieces, faulty(pieces, plan.seed, plan.stream_faults), strict=False):
        held += len(piece) - len(came)
        assert held == ((whole.times > piece.times[-1] - 90_000) & (whole.times <= piece.times[-1])).sum()
        assert len(came.contents) == len(set(came.codes.tolist()))


class Watched(Content):
    """A content of which one can tell whether somebody still has it."""

    __slots__ = ("__weakref__",)


def test_what_has_come_is_let_go() -> None:
    """So memory is that of the delay, however long the run: of two hours, and of the hour that comes to them."""
    made: list[weakref.ref[Watched]] = []

    def readings() -> Iterator[Batch]:
        for at in range(0, 24 * HOUR_MS, HOUR_MS):
            content = Watched(WEATHER, WeatherKey(at), Weather(54.5, "sunny"))
            made.append(weakref.ref(content))
            yield Batch.of([(at, content)])

    fault = Delay(WEATHER, None, None, None, Window(0, 24 * HOUR_MS), 1.0, 2 * HOUR_MS)
    alive = [sum(each() is not None for each in made) for _ in faulty(readings(), 7, [fault])]
    assert max(alive) == 3


# ------------------------------------------------------------------------------------------------- under repetition

LATE_AND_AGAIN = (written.Duplicate, written.Delay, written.Reorder)


def board_of(case: Case, batches: Iterable[Batch]) -> Board:
    board = Board.for_network(case.network, plan_of(case).lines)
    for batch in batches:
        board.fold(batch)
    return board


@given(unreliable_cases(kinds=LATE_AND_AGAIN))
@example(
    with_faults(
        written.Duplicate(topic="turnstile", share=0.2, copies=3, delay="PT2M"),
        written.Duplicate(topic="arrivals", share=0.5),
        written.Reorder(topic="arrivals", within="PT20M"),
    )
)
def test_repeated_and_late_records_show_on_the_page_as_entries_only_one_each(case: Case) -> None:
    """Trains, weather and alerts are those of the world; k more entries raise their station's count by exactly k."""
    calm = board_of(case, simulate(case.network, plan_of(case)))
    board = board_of(case, case.batches())
    more = Counter(
        content.key.station_id for _, content in contents(case.batches()) if content.topic is TURNSTILE
    ) - Counter(
        content.key.station_id
        for _, content in contents(simulate(case.network, plan_of(case)))
        if content.topic is TURNSTILE
    )
    expected = calm.document()
    for line in expected["lines"]:
        for station in line["stations"]:
            station["entries"] += more[station["station_id"]]
    assert board.document() == expected


@given(unreliable_cases(kinds=LATE_AND_AGAIN))
def test_entries_that_do_not_repeat_are_counted_as_ever(case: Case) -> None:
    """Where duplicates are of other topics the whole page is that of the world."""
    faults = [fault for fault in plan_of(case).stream_faults if fault.topic is not TURNSTILE]
    came = faulty(simulate(case.network, plan_of(case)), plan_of(case).seed, faults)
    assert board_of(case, came).digest() == board_of(case, simulate(case.network, plan_of(case))).digest()


def test_the_page_passes_over_what_it_cannot_read() -> None:
    """A corrupt entry is no entry, and counts to its topic in the digest."""
    case = with_faults(written.Corrupt(topic="turnstile", station="Clark/Lake"))
    digest = Digest()
    for batch in case.batches():
        digest.update(batch)
    assert board_of(case, case.batches()).entries(40380) == 0
    assert digest.counts[TURNSTILE.name] == sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))


# ------------------------------------------------------------------------------------------------------- the kinds


def test_a_copy_comes_right_behind_its_record_or_later() -> None:
    """The delay is the copy's alone."""
    beside = contents(with_faults(written.Duplicate(topic="weather")).batches())
    later = contents(with_faults(written.Duplicate(topic="weather", delay="PT5M")).batches())
    readings = [
        [at for at, (_, content) in enumerate(came) if content.topic.short == "weather"] for came in (beside, later)
    ]
    assert [len(at) for at in readings] == [2, 2]
    assert readings[0][1] == readings[0][0] + 1
    assert all(time_ms - later[readings[1][0]][0] <= 300_000 for time_ms, _ in later[: readings[1][1]])
    assert later[readings[1][1] + 1][0] >= later[readings[1][0]][0] + 300_000


def test_all_that_befalls_one_record_adds_up() -> None:
    """Copies come as late as their record, and are cut where it is; a dropped one has none."""
    faults: list[written.AnyStreamFault] = [
        written.Duplicate(topic="weather"),
        written.Delay(topic="weather", delay="PT1M"),
        written.Delay(topic="weather", delay="PT2M"),
        written.Corrupt(topic="weather"),
    ]
    came = contents(with_faults(*faults).batches())
    (first, one), (second, other) = [(at, c) for at, (_, c) in enumerate(came) if "weather" in c.topic.name]
    assert (second, other) == (first + 1, one)
    assert came[second + 1][0] >= came[first][0] + 180_000 > came[first - 1][0]
    gone = with_faults(*faults, written.Drop(topic="weather"))
    assert not any("weather" in content.topic.name for _, content in contents(gone.batches()))


def test_a_value_that_two_faults_cut_ends_where_the_first_of_them_cuts_it() -> None:
    """Whichever stands first in the scenario."""
    both = with_faults(written.Corrupt(topic="turnstile"), written.Corrupt(topic="turnstile", station="Clark/Lake"))
    one, other = plan_of(both).stream_faults
    assert struck_by(both, [one, other]) == struck_by(both, [other, one]) != struck_by(both, [one])


def test_a_fault_is_of_the_records_that_it_names() -> None:
    """A line's, a station's, a train's, in its time and no other."""
    for fault, named in (
        (written.Drop(topic="arrivals", train="BL103"), '"train_id":"BL103"'),
        (written.Drop(topic="turnstile", station="Clark/Lake"), '"station_id":40380'),
        (written.Drop(topic="arrivals", line="blue"), '"line":"blue"'),
    ):
        topic = fault.topic
        left = [c.fragment.decode() for _, c in contents(with_faults(fault).batches()) if c.topic.short == topic]
        whole = [c.fragment.decode() for _, c in contents(HOUR.batches()) if c.topic.short == topic]
        assert left == [fragment for fragment in whole if named not in fragment] != whole
    spell = written.Drop(topic="turnstile", start="07:30", duration="PT10M")
    times = [time_ms for time_ms, c in contents(with_faults(spell).batches()) if c.topic is TURNSTILE]
    start_ms = plan_of(HOUR).window.start_ms
    assert not any(600_000 <= time_ms - start_ms < 1_200_000 for time_ms in times)
    assert len(times) == sum(
        c.topic is TURNSTILE and not 600_000 <= time_ms - start_ms < 1_200_000
        for time_ms, c in contents(HOUR.batches())
    )
    assert HOUR.scenario.stream_faults is UNSET
