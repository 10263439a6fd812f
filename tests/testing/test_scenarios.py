"""Generated scenarios can be run, and have what the laws need; a case printed is a case that can be run again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import Phase, find, given, settings

from cta.model import scenario as written
from cta.model.batch import Batch
from cta.network.load import chicago
from cta.network.network import Network
from cta.simulation.plan import resolve
from cta.testing.documents import Case, case, network_from_json, network_to_json, show
from cta.testing.networks import networks
from cta.testing.scenarios import DAYS, cases, closable_stations, scenarios

SEARCH = settings(max_examples=2_000, derandomize=True, database=None)


def kinds(drawn: Case) -> set[type]:
    return {type(fault) for fault in drawn.scenario.faults}


def records(batches: list[Batch]) -> list[tuple[int, bytes]]:
    return [(time_ms, content.fragment) for batch in batches for time_ms, content in batch]


@given(cases())
def test_every_generated_scenario_resolves(drawn: Case) -> None:
    """Names are right, moments lie where they may, no fault contradicts another."""
    plan = resolve(drawn.scenario, drawn.network)
    assert len(plan.faults) == len(drawn.scenario.faults) <= 3
    assert 10 * 60_000 <= plan.window.duration_ms <= 180 * 60_000


@settings(max_examples=20)
@given(cases())
def test_every_generated_case_runs_within_its_window(drawn: Case) -> None:
    """The simulation takes whatever is generated; its times lie in the window and never go back."""
    window = resolve(drawn.scenario, drawn.network).window
    times = [time_ms for batch in drawn.batches() for time_ms, _ in batch]
    assert all(map(window.holds, times))
    assert all(earlier <= later for earlier, later in pairwise(times))


@pytest.mark.parametrize(
    "wanted",
    [
        lambda drawn: written.Breakdown in kinds(drawn),
        lambda drawn: written.Closure in kinds(drawn),
        lambda drawn: written.SlowZone in kinds(drawn),
        lambda drawn: written.Surge in kinds(drawn),
        lambda drawn: len(drawn.scenario.faults) == 3,
        lambda drawn: isinstance(drawn.scenario.service, written.Headways),
        lambda drawn: isinstance(drawn.scenario.lines, list) and len(drawn.scenario.lines) < len(drawn.network.lines),
        *(lambda drawn, day=day: drawn.scenario.start.startswith(day.isoformat()) for day in DAYS),
    ],
    ids=["breakdown", "closure", "slow zone", "surge", "three faults", "headways", "some lines", *map(str, DAYS)],
)
def test_each_kind_of_scenario_is_drawn(wanted: Callable[[Case], bool]) -> None:
    """Hypothesis finds a case of the kind; `find` raises where none of its examples is."""
    assert wanted(find(cases(), wanted, settings=settings(SEARCH, phases=[Phase.generate])))


def test_the_simplest_scenario_is_ten_minutes_of_the_timetable() -> None:
    """With nothing asked of it, an example shrinks to all lines, seed 0, no faults."""
    assert find(scenarios(chicago()), lambda drawn: True, settings=SEARCH) == written.Scenario(
        name="generated", seed=0, start="2019-10-16T03:00:00-05:00", duration="PT10M"
    )


@given(cases())
def test_a_printed_case_is_the_case(drawn: Case) -> None:
    """The repr, evaluated, is the case again."""
    assert eval(repr(drawn), {"case": case}) == drawn


@settings(max_examples=10)
@given(cases())
def test_a_printed_case_runs_to_the_same_records(drawn: Case) -> None:
    """`case` of what `show` printed gives the records that the case gave."""
    again = case(show(drawn.network, drawn.scenario))
    assert records(list(again.batches())) == records(list(drawn.batches()))


@given(networks())
def test_a_network_survives_its_document(network: Network) -> None:
    """network_from_json(network_to_json(n)) is n."""
    assert network_from_json(network_to_json(network)) == network


def test_chicago_survives_its_document() -> None:
    """The real network too, so that a user may start from it."""
    assert network_from_json(network_to_json(chicago())) == chicago()


def test_a_document_with_an_unknown_table_is_refused() -> None:
    """A misspelt table is an error, not a network that lacks it."""
    with pytest.raises(msgspec.ValidationError, match="unknown field `lanes`"):
        network_from_json(network_to_json(chicago()).replace(b'"lines":', b'"lanes":', 1))


def test_terminals_are_not_closable() -> None:
    """Clark/Lake can close; Howard, where three lines turn or pass, cannot."""
    assert (40380 in closable_stations(chicago()), 40900 in closable_stations(chicago())) == (True, False)
