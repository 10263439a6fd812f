"""Where the trains of a line go, by direction, as the timetable has it."""

from __future__ import annotations

from cta.model.records import Direction
from cta.network.network import Network


def towards(network: Network, line: str, direction: Direction) -> str:
    """``Ashland/63rd or Cottage Grove``: the terminals, or ``Loop`` where trains go around it and come back as the other
    direction; empty for a line that the network does not know.
    """
    ends = (
        network.stations[pattern.calls[-1].station_id].name if pattern.calls[-1].direction == direction else "Loop"
        for pattern in network.patterns.values()
        if pattern.line == line and any(call.direction == direction for call in pattern.calls)
    )
    return " or ".join(dict.fromkeys(ends))
