"""Networks and scenarios as JSON, so that a counterexample can be printed, kept and run again.

A network's document has the fields of `Network`; tables keyed by what their rows say themselves are lists of rows.

    >>> network_from_json(network_to_json(network)) == network
    True
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from cta.faults.stream import delivered
from cta.model.batch import Batch
from cta.model.scenario import Scenario, parse
from cta.model.time import DayType
from cta.network.network import (
    Chain,
    Edge,
    Frequency,
    Line,
    MonthClimate,
    Network,
    Pattern,
    Platform,
    Station,
    Terminal,
)
from cta.simulation.plan import resolve


class NetworkDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network's tables as JSON has them."""

    lines: list[Line]
    stations: list[Station]
    platforms: list[Platform]
    edges: list[Edge]
    terminals: list[Terminal]
    patterns: list[Pattern]
    frequencies: tuple[Frequency, ...]
    chains: tuple[Chain, ...]
    ridership: dict[str, dict[int, dict[DayType, float]]]
    hourly_curve: tuple[float, ...]
    climate: tuple[MonthClimate, ...]


class CaseDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network and a scenario on it."""

    scenario: msgspec.Raw
    network: NetworkDocument


@dataclass(frozen=True, repr=False)
class Case:
    """A network and a scenario on it. Its repr is a call of `case`, to be pasted into a test."""

    network: Network
    scenario: Scenario

    def batches(self) -> Iterator[Batch]:
        """The case's records as delivered: the scenario resolved and simulated on the network, and its stream faults."""
        return delivered(self.network, resolve(self.scenario, self.network))

    def __repr__(self) -> str:
        return f"case({show(self.network, self.scenario)!r})"


def show(network: Network, scenario: Scenario) -> str:
    """The case as one line of JSON: what `case` reads."""
    document = CaseDocument(msgspec.Raw(msgspec.json.encode(scenario)), _document(network))
    return msgspec.json.encode(document).decode()


def case(text: str) -> Case:
    """The case that `show` printed. Raises msgspec.ValidationError or ScenarioError where the text is not one."""
    document = msgspec.json.decode(text, type=CaseDocument)
    return Case(_network(document.network), parse(bytes(document.scenario), "case"))


def network_to_json(network: Network) -> bytes:
    return msgspec.json.encode(_document(network))


def network_from_json(data: bytes) -> Network:
    """The network of a document, not checked. Raises msgspec.ValidationError where the data is no such document."""
    return _network(msgspec.json.decode(data, type=NetworkDocument))


def _document(network: Network) -> NetworkDocument:
    return NetworkDocument(
        lines=list(network.lines.values()),
        stations=list(network.stations.values()),
        platforms=list(network.platforms.values()),
        edges=list(network.edges.values()),
        terminals=list(network.terminals.values()),
        patterns=list(network.patterns.values()),
        frequencies=network.frequencies,
        chains=network.chains,
        ridership={
            month: {station: dict(entries) for station, entries in table.items()}
            for month, table in network.ridership.items()
        },
        hourly_curve=network.hourly_curve,
        climate=network.climate,
    )


def _network(document: NetworkDocument) -> Network:
    return Network(
        lines={line.line: line for line in document.lines},
        stations={station.station_id: station for station in document.stations},
        platforms={platform.stop_id: platform for platform in document.platforms},
        edges={(edge.from_stop, edge.to_stop): edge for edge in document.edges},
        terminals={(terminal.line, terminal.station_id): terminal for terminal in document.terminals},
        patterns={pattern.name: pattern for pattern in document.patterns},
        frequencies=document.frequencies,
        chains=document.chains,
        ridership=document.ridership,
        hourly_curve=document.hourly_curve,
        climate=document.climate,
    )
