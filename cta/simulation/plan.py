"""A scenario held against a network: names resolved, moments in milliseconds. What the simulation runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from msgspec import UNSET

from cta.model.scenario import Headways, Scenario, Timetable
from cta.model.time import parse_timestamp
from cta.network.lookup import find_line
from cta.network.network import Network
from cta.simulation.expected import resolve_expectations
from cta.simulation.references import References, duration_ms, error_at, found
from cta.simulation.stream_faults import AnyStreamFault, makes_late, resolve_stream_faults
from cta.simulation.world_faults import Breakdown, Closure, Fault, SlowZone, Surge, Window, resolve_faults

__all__ = ["Breakdown", "Closure", "Fault", "Plan", "SlowZone", "Surge", "Window", "resolve"]


@dataclass(frozen=True, slots=True)
class Plan:
    """A run, resolved. ``lines`` in the network's order; ``faults`` sorted by start, kind and place.

    ``stream_faults`` reach no simulation: `cta.faults.stream` does to its records what they say.
    """

    name: str
    seed: int
    window: Window
    lines: tuple[str, ...]
    ridership: str
    service: Timetable | Headways
    faults: tuple[Fault, ...]
    stream_faults: tuple[AnyStreamFault, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether its records come in the order of time."""
        return not any(makes_late(fault) for fault in self.stream_faults)


def resolve(scenario: Scenario, network: Network, *, source: str = "scenario") -> Plan:
    """The scenario's plan on a network. Raises ScenarioError, ``where`` = ``{source}: $.path``, for what makes no sense."""
    start_ms = found(source, "$.start", lambda: parse_timestamp(scenario.start))
    window = Window(start_ms, start_ms + duration_ms(source, "$.duration", scenario.duration))
    lines = _lines(scenario, network, source)
    if network.ridership and scenario.ridership not in network.ridership:
        remedy = f"choose one of {', '.join(network.ridership)}"
        raise error_at(source, "$.ridership", f"no ridership of {scenario.ridership!r}", remedy)
    if isinstance(scenario.service, Headways):
        duration_ms(source, "$.service.headway", scenario.service.headway)
    references = References(network, source, window.start_ms, window.end_ms, lines)
    faults = resolve_faults(scenario, references)
    resolve_expectations(scenario, references)
    stream_faults = resolve_stream_faults(scenario, references)
    return Plan(
        scenario.name, scenario.seed, window, lines, scenario.ridership, scenario.service, faults, stream_faults
    )


def _lines(scenario: Scenario, network: Network, source: str) -> tuple[str, ...]:
    if scenario.lines is UNSET:
        return tuple(network.lines)
    places: dict[str, int] = {}
    for i, name in enumerate(scenario.lines):
        line = found(source, f"$.lines[{i}]", partial(_line, network, name))
        if line in places:
            raise error_at(source, f"$.lines[{i}]", f"{line} stands at $.lines[{places[line]}] too", "keep one of them")
        places[line] = i
    if not places:
        raise error_at(source, "$.lines", "is empty", "name a line, or leave the key out for all lines")
    return tuple(line for line in network.lines if line in places)


def _line(network: Network, name: str) -> str:
    return find_line(network, name).line
