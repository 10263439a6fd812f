"""Which trips are to leave, and when: a service day's timetable, or an even headway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cta.model.scenario import Headways
from cta.model.time import day_type, parse_duration_ms, service_day_zero_ms
from cta.network.network import DWELL_S, Network
from cta.simulation.railway import Railway, Route, Trip, Turnback


def timetabled(network: Network, railway: Railway, line: str, day: date) -> Iterator[Trip]:
    """The line's trips of a service day, in order of departure."""
    zero_ms = service_day_zero_ms(day)
    for time_s, pattern in network.timetable[day_type(day)]:
        if pattern.line == line:
            yield Trip(railway.routes[pattern.name], zero_ms + time_s * 1000)


def at_headways(railway: Railway, line: str, service: Headways, start_ms: int) -> Iterator[Trip]:
    """The first trip of each of the line's trains: from terminal a, the first one at its platform at ``start_ms``."""
    outward = [route for route in _routes(railway, line) if route.pattern.direction == "b"]
    route = shuttle(railway, max(outward, key=lambda route: len(route.legs)).origin)
    headway_ms = parse_duration_ms(service.headway)
    for n in range(service.trains):
        yield Trip(route, start_ms + DWELL_S * 1000 + n * headway_ms)


def shuttle(railway: Railway, origin: Turnback) -> Route:
    """The longest of the routes that begin at a terminal, by which trains at headways go to and fro."""
    routes = [route for route in _routes(railway, origin.terminal.line) if route.origin is origin]
    return max(routes, key=lambda route: len(route.legs))


def _routes(railway: Railway, line: str) -> list[Route]:
    return [route for route in railway.routes.values() if route.pattern.line == line]
