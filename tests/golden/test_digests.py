"""The digests that stand in recordings/ are what the scenarios come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.digests import accepted, made, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_a_scenario_comes_to_its_golden_digests(scenario: Path) -> None:
    """Counts, digest and board digest to the last bit. If a change is meant: ``nox -s golden -- --accept``."""
    assert made(scenario) == accepted()[scenario.stem]


def test_every_golden_digest_has_its_scenario() -> None:
    """Nothing is left of a scenario that is gone."""
    assert list(accepted()) == [path.stem for path in scenarios()]
