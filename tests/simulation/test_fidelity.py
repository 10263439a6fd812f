"""How near the simulation has to be to what is published. The figures themselves: `cta network --fidelity`."""

import pytest

from cta.commands.fidelity import Fidelity, measure
from cta.network.checks import CONFLICT_DELAY_S
from cta.network.load import chicago


@pytest.fixture(scope="module")
def fidelity() -> Fidelity:
    return measure(chicago())


def test_trains_an_hour_are_the_timetables_within_five_per_cent_a_line(fidelity: Fidelity) -> None:
    """On weekdays, Saturdays and Sundays, chance on: every line with check stations (pink's are estimated)."""
    far = {(row.line, row.day_type): row.off_share for row in fidelity.trains_an_hour if row.off_share > 0.05}
    assert far == {}
    assert len(fidelity.trains_an_hour) == 3 * 7


def test_running_times_are_the_published_ones_within_three_per_cent(fidelity: Fidelity) -> None:
    """Whole trips that met no conflict, by pattern; UIC short turns have no published time."""
    far = {row.pattern: row.off_share for row in fidelity.running_times if row.off_share > 0.03}
    assert far == {}
    assert len(fidelity.running_times) == 16


def test_delays_from_conflicts_are_small_and_where_they_should_be(fidelity: Fidelity) -> None:
    """None on Red and Blue, which share no track; elsewhere of the order of a simulation without chance."""
    means_s = {row.service: row.mean_s for row in fidelity.conflict_delays}
    assert means_s["red"] < 1
    assert means_s["blue"] < 1
    assert all(means_s[service] <= 2 * mean_s + 5 for service, (mean_s, _) in CONFLICT_DELAY_S.items())


def test_weekday_entries_are_the_riderships(fidelity: Fidelity) -> None:
    """Over 20 seeds within 1 % in all; as many stations within 3 % as Poisson noise leaves, less three."""
    assert abs(fidelity.entries.mean / fidelity.entries.ridership - 1) < 0.01
    assert fidelity.entries.near >= fidelity.entries.near_by_chance - 3
