"""The map: stations and tracks on a plane, lines that share a track side by side, and the way of a train.

Coordinates are projected plainly (a degree of longitude is shortened by the cosine of the middle latitude); y grows
to the south. An express that passes stations is drawn along the tracks of the line that calls at them. Lines that
share a stretch are set apart across it, in the network's order; within the Loop the first stands innermost. Where a
line turns, its two sides are drawn on until they meet.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cta.network.network import Network
from cta.web.corners import CORNERS, TURNS

Point = tuple[float, float]
Node = int | str
"""A station's id, or a corner's name."""
Stretch = frozenset[Node]
"""Two neighbouring nodes."""

DETOUR_MAX: Final = 1.15
"""How much longer than the straight way an express' track may be to be taken for it."""

MITRE_GAPS: Final = 5
"""How far a turning line's sides may be drawn on; of a sharper turn the corner is cut off."""
PARALLEL: Final = 0.1
"""The sine of the least angle that is a turn."""

LOOP: Final = (-87.6396, 41.8899, -87.6208, 41.8743)
"""West, north, east, south of the inset: from Merchandise Mart to LaSalle, with room for the Library's name."""


@dataclass(frozen=True)
class Frame:
    """A picture's window on the earth: ``scale`` units a degree of latitude, ``gap`` units between lines side by side."""

    west: float
    north: float
    width: float
    height: float
    scale: float
    gap: float
    margin: float = 0.0
    cosine: float = 1.0

    @classmethod
    def of(
        cls, west: float, north: float, east: float, south: float, *, height: float, gap: float, margin: float
    ) -> Frame:
        cosine = math.cos(math.radians((north + south) / 2))
        scale = (height - 2 * margin) / max(north - south, 1e-6)
        return cls(west, north, (east - west) * cosine * scale + 2 * margin, height, scale, gap, margin, cosine)

    def point(self, lat: float, lon: float) -> Point:
        return (
            (lon - self.west) * self.cosine * self.scale + self.margin,
            (self.north - lat) * self.scale + self.margin,
        )

    def holds(self, point: Point) -> bool:
        return 0 <= point[0] <= self.width and 0 <= point[1] <= self.height


def whole(network: Network) -> Frame:
    """A frame that holds every station."""
    lats = [station.lat for station in network.stations.values()]
    lons = [station.lon for station in network.stations.values()]
    return Frame.of(min(lons), max(lats), max(lons), min(lats), height=1000, gap=3.4, margin=36)


def loop() -> Frame:
    """The inset."""
    west, north, east, south = LOOP
    return Frame.of(west, north, east, south, height=476, gap=5.4, margin=0)


class TrackMap:
    """A network in a frame."""

    def __init__(self, network: Network, frame: Frame) -> None:
        self.network = network
        self.frame = frame
        self.points = {number: frame.point(station.lat, station.lon) for number, station in network.stations.items()}
        self._nodes: dict[Node, Point] = {name: frame.point(*place) for name, place in CORNERS.items()}
        for number, point in self.points.items():
            self._nodes[number] = point
        self._centre = frame.point((LOOP[1] + LOOP[3]) / 2, (LOOP[0] + LOOP[2]) / 2)
        self._routes = routes(network)
        self._lines_on = self._shared()

    def paths(self) -> dict[str, list[list[Point]]]:
        """The pieces to draw of each line: the way of each of its services, there or back."""
        drawn: dict[str, dict[frozenset[int], list[Point]]] = {line: {} for line in self.network.lines}
        for pattern in self.network.patterns.values():
            stations = [call.station_id for call in pattern.calls]
            passed = [
                number
                for start, end in itertools.pairwise(stations)
                for number in self._routes[pattern.line, start, end][:-1]
            ]
            route = [*passed, stations[-1]]
            drawn[pattern.line].setdefault(frozenset(route), self.way(pattern.line, route))
        return {line: list(pieces.values()) for line, pieces in drawn.items()}

    def way(self, line: str, route: Iterable[int]) -> list[Point]:
        """The points that a train of the line passes along a route of stations."""
        sides = [self._side(line, start, end) for start, end in itertools.pairwise(_turning(route))]
        points = [sides[0][0]]
        for before, after in itertools.pairwise(sides):
            met = _meeting(before, after)
            near = met is not None and math.dist(met, before[1]) < MITRE_GAPS * self.frame.gap
            points += [met] if met is not None and near else [before[1], after[0]]
        points.append(sides[-1][1])
        return [point for point, before in zip(points, [None, *points], strict=False) if point != before]

    def _shared(self) -> Mapping[Stretch, list[str]]:
        lines: dict[Stretch, set[str]] = {}
        for (line, _, _), route in self._routes.items():
            for start, end in itertools.pairwise(_turning(route)):
                lines.setdefault(frozenset((start, end)), set()).add(line)
        return {stretch: [line for line in self.network.lines if line in on] for stretch, on in lines.items()}

    def _side(self, line: str, start: Node, end: Node) -> tuple[Point, Point]:
        """Where a line begins and ends beside the middle of a stretch that it shares."""
        on = self._lines_on[frozenset((start, end))]
        (ax, ay), (bx, by) = self._nodes[start], self._nodes[end]
        length = math.hypot(bx - ax, by - ay)
        if len(on) < 2 or length == 0:
            return (ax, ay), (bx, by)
        across = (-(by - ay) / length, (bx - ax) / length)
        outward = ((ax + bx) / 2 - self._centre[0], (ay + by) / 2 - self._centre[1])
        near = math.hypot(*outward) < self.frame.scale * (LOOP[1] - LOOP[3]) * 0.45
        turn = across[0] * outward[0] + across[1] * outward[1] if near else across[0] - across[1] * 0.5
        offset = (on.index(line) - (len(on) - 1) / 2) * self.frame.gap * (1 if turn >= 0 else -1)
        x, y = across[0] * offset, across[1] * offset
        return (ax + x, ay + y), (bx + x, by + y)


def _turning(route: Iterable[int]) -> list[Node]:
    """A route of stations with the corners between them."""
    nodes: list[Node] = []
    for station in route:
        before = nodes[-1] if nodes else station
        corner = TURNS.get((min(before, station), max(before, station))) if isinstance(before, int) else None
        nodes += [station] if corner is None else [corner, station]
    return nodes


def _meeting(one: tuple[Point, Point], other: tuple[Point, Point]) -> Point | None:
    """Where two straight lines cross; None where they run nearly the same way."""
    (ax, ay), (bx, by) = one
    (cx, cy), (dx, dy) = other
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    turn = ux * vy - uy * vx
    if abs(turn) < PARALLEL * math.hypot(ux, uy) * math.hypot(vx, vy):
        return None
    along = ((cx - ax) * vy - (cy - ay) * vx) / turn
    return (ax + along * ux, ay + along * uy)


def routes(network: Network) -> dict[tuple[str, int, int], tuple[int, ...]]:
    """The stations that a train of a line passes from one call to the next, both ends included."""
    orders = [
        tuple(dict.fromkeys(network.platforms[stop].station_id for stop in chain.stops)) for chain in network.chains
    ]
    found: dict[tuple[str, int, int], tuple[int, ...]] = {}
    for pattern in network.patterns.values():
        for one, other in itertools.pairwise(pattern.calls):
            hop = (pattern.line, one.station_id, other.station_id)
            if hop not in found:
                found[hop] = _along(network, orders, one.station_id, other.station_id)
    return found


def _along(network: Network, orders: list[tuple[int, ...]], start: int, end: int) -> tuple[int, ...]:
    straight = _length(network, (start, end))
    ways = [
        stations[stations.index(start) : stations.index(end) + 1]
        for order in orders
        for stations in (order, order[::-1])
        if start in stations and end in stations and stations.index(start) < stations.index(end)
    ]
    near = [way for way in ways if _length(network, way) <= straight * DETOUR_MAX]
    return max(near, key=lambda way: (len(way), way), default=(start, end))


def _length(network: Network, way: Iterable[int]) -> float:
    places = [network.stations[number] for number in way]
    return sum(math.hypot(b.lat - a.lat, (b.lon - a.lon) * 0.745) for a, b in itertools.pairwise(places))


def network_document(network: Network) -> dict[str, Any]:
    """What ``/api/network`` says: lines, stations with their places, and every hop with its run time and its way.

    ``x``, ``y`` and ``way`` are in the map's units, ``loop`` the same in the inset's. ``hops`` are keyed by
    ``LINE/STATION/DIRECTION`` of the call they leave; where trains go different ways from there, there is none.
    """
    big, small = TrackMap(network, whole(network)), TrackMap(network, loop())
    return {
        "map": _size(big.frame),
        "loop": _size(small.frame),
        "lines": [
            {key: getattr(line, key) for key in ("line", "name", "color", "text_color", "terminal_a", "terminal_b")}
            for line in network.lines.values()
        ],
        "stations": [
            {
                "station_id": number,
                "name": station.name,
                "descriptive_name": station.descriptive_name,
                "lines": list(station.lines),
                "lat": station.lat,
                "lon": station.lon,
                "place": _rounded([big.points[number]])[0],
                "loop": _rounded([small.points[number]])[0] if small.frame.holds(small.points[number]) else None,
            }
            for number, station in network.stations.items()
        ],
        "hops": _hops(network, big, small),
    }


def _hops(network: Network, big: TrackMap, small: TrackMap) -> dict[str, Any]:
    ways = routes(network)
    hops: dict[str, dict[str, Any]] = {}
    forks: set[str] = set()
    for pattern in network.patterns.values():
        for one, other in itertools.pairwise(pattern.calls):
            name = f"{pattern.line}/{one.station_id}/{one.direction}"
            route = ways[pattern.line, one.station_id, other.station_id]
            inset = small.way(pattern.line, route)
            hop = {
                "to": other.station_id,
                "travel_s": network.edges[one.stop_id, other.stop_id].travel_s,
                "way": _rounded(big.way(pattern.line, route)),
                "loop": _rounded(inset) if any(map(small.frame.holds, inset)) else None,
            }
            if hops.setdefault(name, hop)["to"] != hop["to"]:
                forks.add(name)
    return {name: hop for name, hop in hops.items() if name not in forks}


def _size(frame: Frame) -> dict[str, float]:
    return {"width": round(frame.width, 1), "height": round(frame.height, 1)}


def _rounded(points: list[Point]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in points]
