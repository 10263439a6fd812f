"""The generated networks have the shapes that the laws need, and the simplest is simple."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, settings

from cta.network.network import Network
from cta.testing.networks import networks

SEARCH = settings(max_examples=2_000, derandomize=True, database=None)


def shared_edges(network: Network) -> bool:
    return any(len(edge.lines) > 1 for edge in network.edges.values())


def services(network: Network, line: str) -> set[str]:
    return {pattern.service for pattern in network.patterns.values() if pattern.line == line}


def loop_lines(network: Network) -> set[str]:
    """Lines whose trips end where they began."""
    return {p.line for p in network.patterns.values() if p.calls[0].station_id == p.calls[-1].station_id}


def shared_loop(network: Network) -> bool:
    return len(loop_lines(network)) > 1 and shared_edges(network)


def branch(network: Network) -> bool:
    """One line ends at three stations."""
    return any(sum(line == red for line, _ in network.terminals) == 3 and _parts(network, red) for red in network.lines)


def short_turn(network: Network) -> bool:
    """One line ends at three stations, of which trains of the line pass one."""
    return any(
        sum(line == red for line, _ in network.terminals) == 3 and not _parts(network, red) for red in network.lines
    )


def _parts(network: Network, line: str) -> bool:
    """Whether two trips of the line leave one platform for two others."""
    hops = {hop for hop, edge in network.edges.items() if line in edge.lines}
    return len({start for start, _ in hops}) < len(hops)


def end_on_shared_track(network: Network) -> bool:
    """A line ends at a platform that trains of another pass."""
    ends = {(pattern.line, pattern.calls[-1].stop_id) for pattern in network.patterns.values()}
    passed = {(p.line, call.stop_id) for p in network.patterns.values() for call in p.calls[1:-1]}
    return any(line != other and stop == passed_stop for line, stop in ends for other, passed_stop in passed)


def end_without_yard(network: Network) -> bool:
    return any(not terminal.yard for terminal in network.terminals.values())


def namesakes(network: Network) -> bool:
    names = [station.name for station in network.stations.values()]
    return len(set(names)) < len(names)


def twelve_stations(network: Network) -> bool:
    return len(network.stations) == 12


def three_lines(network: Network) -> bool:
    return len(network.lines) == 3


@pytest.mark.parametrize(
    "shape",
    [
        shared_edges,
        loop_lines,
        shared_loop,
        branch,
        short_turn,
        end_on_shared_track,
        end_without_yard,
        namesakes,
        twelve_stations,
        three_lines,
    ],
)
def test_each_shape_is_drawn(shape: Callable[[Network], bool]) -> None:
    """Hypothesis finds a network of the shape; `find` raises where none of its examples has it."""
    found = settings(SEARCH, phases=[Phase.generate])
    assert shape(find(networks(), lambda network: bool(shape(network)), settings=found))


def test_the_simplest_network_is_a_line_between_two_stations() -> None:
    """With nothing asked of it, an example shrinks to one line, two stations, a departure a direction and day type.

    Trips in direction ``b`` end at one platform of the terminal, and trips in ``a`` leave from the other.
    """
    network = find(networks(), lambda network: True, settings=SEARCH)
    calls = {name: [call.stop_id for call in pattern.calls] for name, pattern in network.patterns.items()}
    assert (list(network.lines), list(network.stations), calls) == (
        ["red"],
        [40010, 40020],
        {"red-b": [30001, 30003], "red-a": [30004, 30002]},
    )
    assert {day: len(departures) for day, departures in network.timetable.items()} == {
        "weekday": 2,
        "saturday": 2,
        "sunday": 2,
    }
