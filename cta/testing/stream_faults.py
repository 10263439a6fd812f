"""Hypothesis strategies for topics that misbehave: cases whose records come twice, late, out of order, cut short or not at all.

    from hypothesis import given
    from cta.testing.stream_faults import unreliable_cases

    @given(unreliable_cases())
    def test_my_counter_counts_what_comes(case): ...

``case.batches()`` is the stream as delivered. The simplest such case drops all arrivals of the simplest one.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from cta.model.scenario import AnyStreamFault, Corrupt, Delay, Drop, Duplicate, Reorder, StreamFault
from cta.model.time import MINUTE_MS, format_timestamp
from cta.model.topics import RECORDED
from cta.network.lookup import unique_name
from cta.simulation.fleet import trains_of
from cta.simulation.plan import Plan, resolve
from cta.simulation.stream_faults import SELECTORS
from cta.testing.documents import Case
from cta.testing.drawing import strategies as st
from cta.testing.scenarios import cases

MOST_FAULTS = 4
SHARES = (1.0, 0.5, 0.1)
KINDS = (Drop, Duplicate, Delay, Reorder, Corrupt)


@st.composite
def unreliable_cases(draw: st.DrawFn, *, kinds: tuple[type[StreamFault], ...] = KINDS) -> Case:
    """A case with one to four stream faults of the kinds, no two of one kind about the same records."""
    case = draw(cases())
    plan = resolve(case.scenario, case.network)
    of_kind: list[st.SearchStrategy[AnyStreamFault]] = [_fault(kind, case, plan) for kind in kinds]
    faults = draw(st.lists(st.one_of(of_kind), min_size=1, max_size=MOST_FAULTS, unique_by=_about))
    return Case(case.network, replace(case.scenario, stream_faults=faults))


def _about(fault: StreamFault) -> tuple[Any, ...]:
    return type(fault), fault.topic, fault.line, fault.station, fault.train


@st.composite
def _fault(draw: st.DrawFn, kind: type[Any], case: Case, plan: Plan) -> Any:
    """A fault of the kind, of one topic or of what the run has of it at a line, a station or a train."""
    fields: dict[str, Any] = draw(_which(case, plan)) | draw(_when(plan))
    if kind is Duplicate:
        fields |= {"copies": draw(st.integers(1, 3)), "delay": draw(st.just(UNSET) | _lateness())}
    elif kind is Delay:
        fields["delay"] = draw(_lateness())
    elif kind is Reorder:
        fields["within"] = draw(_lateness())
    return kind(share=draw(st.sampled_from(SHARES)), **fields)


@st.composite
def _which(draw: st.DrawFn, case: Case, plan: Plan) -> dict[str, Any]:
    topic = draw(st.sampled_from(RECORDED))
    lines = list(plan.lines)
    served = [station for station in case.network.stations.values() if not set(station.lines).isdisjoint(lines)]
    stations = [unique_name(case.network, station.station_id) for station in served]
    trains = [train.train_id for line in lines for train in trains_of(case.network, line, case.scenario.service)]
    names = {"line": lines, "station": stations, "train": trains}
    by_name = [st.fixed_dictionaries({key: st.sampled_from(names[key])}) for key in SELECTORS.get(topic, ())]
    return {"topic": topic.short, **draw(st.one_of(st.just({}), *by_name))}


@st.composite
def _when(draw: st.DrawFn, plan: Plan) -> dict[str, Any]:
    """The whole run, or a spell that begins within it and may outlast it."""
    if draw(st.booleans()):
        return {}
    minutes = plan.window.duration_ms // MINUTE_MS
    first_min = draw(st.integers(0, minutes - 1))
    start = format_timestamp(plan.window.start_ms + first_min * MINUTE_MS)
    return {"start": start, "duration": f"PT{draw(st.integers(1, minutes))}M"}


def _lateness() -> st.SearchStrategy[str]:
    return st.integers(1, 5_400).map("PT{}S".format)
