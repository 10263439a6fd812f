"""From the words that people write to the network's stations and lines, and back to the shortest words that suffice.

A station can be written in several ways, all compared without case: its id, its name (``Clark/Lake``), its name with a
line (``Western (Brown)``), or its descriptive name with or without the word "Line" (``Western (Blue - O'Hare Branch)``).
A way that several stations answer to is ambiguous, and the error lists them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping

from cta.model.errors import NetworkError
from cta.network.network import Line, Network, Station

SUGGESTIONS = 5
NEARNESS = 0.5
"""difflib's ratio that a spelling must reach to be suggested; 0.5 still finds a short name with two letters swapped."""


def find_station(network: Network, ref: str | int, *, line: str | None = None) -> Station:
    """The one station that ``ref`` means; of several, the one on ``line`` (as `find_line` takes it) where that is given.

    Raises NetworkError, with the names to choose from, where no station or several answer to ``ref``, or where none of
    them is on the line.
    """
    wanted = None if line is None else find_line(network, line)
    found = [network.stations[station] for station in _by_spelling(network).get(_folded(ref), ())]
    if not found:
        raise NetworkError(f"no station {ref!r}", remedy=_station_remedy(network, ref, wanted))
    on_line = [station for station in found if _serves(wanted, station)]
    if wanted is not None and not on_line:
        raise NetworkError(f"{ref!r} is not on the {wanted.name}", remedy=_station_remedy(network, ref, wanted))
    if len(on_line) > 1:
        names = _listed(unique_name(network, station.station_id) for station in on_line)
        raise NetworkError(f"{ref!r} is the name of {len(on_line)} stations", remedy=f"write one of: {names}")
    return on_line[0]


def find_line(network: Network, name: str) -> Line:
    """The line of an id (``blue``) or a name (``Blue Line``). Raises NetworkError that lists the lines, nearest first."""
    spellings = {_folded(spelling): line for line in network.lines.values() for spelling in (line.line, line.name)}
    try:
        return spellings[_folded(name)]
    except KeyError:
        near = difflib.get_close_matches(_folded(name), spellings, len(spellings), NEARNESS)
        names = dict.fromkeys([spellings[spelling].line for spelling in near] + list(network.lines))
        raise NetworkError(f"no line {name!r}", remedy=f"the lines are: {_listed(names)}") from None


def unique_name(network: Network, station_id: int) -> str:
    """The shortest way to write the station that no other answers to; `find_station` takes it back to the station."""
    index = _by_spelling(network)
    spellings = _spellings(network.stations[station_id])
    return next(spelling for spelling in spellings if index[_folded(spelling)] == (station_id,))


def _spellings(station: Station) -> Iterator[str]:
    """The ways to write a station, the shortest first; the id stands last, for it is nobody else's."""
    yield station.name
    for line in station.lines:
        yield f"{station.name} ({line.capitalize()})"
    yield station.descriptive_name.replace(" Line", "")
    yield station.descriptive_name
    yield str(station.station_id)


def _by_spelling(network: Network) -> Mapping[str, tuple[int, ...]]:
    """Station ids by folded spelling, made once a network.

    It is kept in the network's own ``__dict__``, where its `timetable` is kept too: it lives and dies with the value,
    is no part of its equality, and `dataclasses.replace` leaves it behind.
    """
    index: dict[str, tuple[int, ...]] | None = vars(network).get("_stations_by_spelling")
    if index is None:
        index = {}
        for station in network.stations.values():
            for spelling in dict.fromkeys(map(_folded, _spellings(station))):
                index[spelling] = (*index.get(spelling, ()), station.station_id)
        vars(network)["_stations_by_spelling"] = index  # when it is whole: other threads look here, too
    return index


def _folded(text: str | int) -> str:
    return " ".join(str(text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()).casefold()


def _serves(line: Line | None, station: Station) -> bool:
    return line is None or line.line in station.lines


def _station_remedy(network: Network, ref: str | int, line: Line | None) -> str:
    """The nearest right names, of stations on the line where one is given: first what holds the text, then what is like it."""
    text = _folded(ref)
    index = {
        spelling: on_line
        for spelling, stations in _by_spelling(network).items()
        if (on_line := [station for station in stations if _serves(line, network.stations[station])])
    }
    holding = sorted(
        (spelling for spelling in index if text in spelling), key=lambda spelling: (len(spelling), spelling)
    )
    near = holding + difflib.get_close_matches(text, index, 20, NEARNESS)
    stations = dict.fromkeys(station for spelling in near for station in index[spelling])
    names = [unique_name(network, station) for station in stations][:SUGGESTIONS]
    return f"the nearest names are: {_listed(names)}" if names else "`cta network` lists the names and ids"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
