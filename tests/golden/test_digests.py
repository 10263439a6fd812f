"""The digests that stand in recordings/ are what the scenarios come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.digests import accepted, made, moved, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_a_scenario_comes_to_its_golden_digests(scenario: Path) -> None:
    """Counts, digest and board digest to the last bit. If a change is meant: ``nox -s golden -- --accept``."""
    assert made(scenario) == accepted()[scenario.stem]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_a_scenarios_excerpt_is_the_one_that_is_kept(scenario: Path) -> None:
    """Record by record; where it moved, the failure shows how."""
    assert moved(scenario) is None


def test_every_golden_digest_has_its_scenario() -> None:
    """Nothing is left of a scenario that is gone."""
    assert list(accepted()) == [path.stem for path in scenarios()]
