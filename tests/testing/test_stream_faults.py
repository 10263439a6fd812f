"""Generated stream faults can be run, have each kind, and print as a call that runs them again."""

from __future__ import annotations

import pytest
from hypothesis import Phase, find, given, settings
from msgspec.structs import replace

from cta.model.scenario import StreamFault
from cta.simulation.plan import resolve
from cta.testing.documents import Case, case
from cta.testing.stream_faults import KINDS, unreliable_cases

SEARCH = settings(max_examples=2_000, derandomize=True, database=None, phases=[Phase.generate])


def records(drawn: Case) -> list[tuple[int, bytes]]:
    return [(time_ms, content.fragment) for batch in drawn.batches() for time_ms, content in batch]


@given(unreliable_cases())
def test_every_generated_stream_fault_resolves_and_prints_as_itself(drawn: Case) -> None:
    """Names are right, moments lie where they may; the repr, evaluated, is the case again."""
    plan = resolve(drawn.scenario, drawn.network)
    assert len(plan.stream_faults) == len(drawn.scenario.stream_faults or []) in range(1, 5)
    assert eval(repr(drawn), {"case": case}) == drawn


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_kind_is_drawn_and_strikes(kind: type[StreamFault]) -> None:
    """Hypothesis finds a case of the kind alone whose delivery differs from what the world sent."""

    def strikes(drawn: Case) -> bool:
        calm = Case(drawn.network, replace(drawn.scenario, stream_faults=[]))
        return records(drawn) != records(calm)

    assert strikes(find(unreliable_cases(kinds=(kind,)), strikes, settings=SEARCH))
