"""Laws of the stream as it is delivered: what stream faults may do to it, and what they leave alone."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cta.faults.stream import delivered, faulty
from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.model.raw import Raw, foreign
from cta.simulation.run import simulate
from cta.simulation.stream_faults import Delay, Duplicate, Reorder
from cta.testing.documents import Case
from cta.testing.scenarios import cases
from cta.testing.stream_faults import unreliable_cases
from tests.faults.deliveries import Record, contents, is_part_of, plan_of, records, sent, struck_by


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
