"""The railway's moving parts: what a platform, a piece of track and a terminal remember between two trains.

A platform or an edge exists once however many lines use it; that sharing is the only way in which one train can
influence another. Times are event-time milliseconds.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cta.model.batch import Content
from cta.model.records import Direction, TrainKey
from cta.network.network import Call, Network, Pattern, Terminal

NEVER: Final = -(2**62)
UNKNOWN: Final = 2**62
"""When a platform whose train waits for a turn track will be free again."""


class Platform:
    """One train at a time. ``free_ms``: from when the next one may arrive; ``queue``: who waits while that is unknown."""

    __slots__ = ("arrived_ms", "free_ms", "queue", "stop_id")

    def __init__(self, stop_id: int) -> None:
        self.stop_id = stop_id
        self.arrived_ms = NEVER
        self.free_ms = NEVER
        self.queue: deque[Train] = deque()


class Track:
    """An edge. ``entry_ms``: from when the next train may enter; ``exit_ms``: when the last one gets to its end."""

    __slots__ = ("entry_ms", "exit_ms", "hop", "slow", "travel_ms")

    def __init__(self, hop: tuple[int, int], travel_s: int) -> None:
        self.hop = hop
        self.travel_ms = travel_s * 1000
        self.entry_ms = NEVER
        self.exit_ms = NEVER
        self.slow = False


class Leg:
    """A call of a pattern with the things it touches. ``track`` and ``ahead`` lead on; None at the last call."""

    __slots__ = ("ahead", "call", "contents", "place", "platform", "track", "watched")

    def __init__(self, call: Call, platform: Platform, track: Track | None, ahead: Platform | None) -> None:
        self.call = call
        self.platform = platform
        self.track = track
        self.ahead = ahead
        self.watched = False
        """A closure or a breakdown may strike here."""
        self.place = (call.station_id, call.direction)
        self.contents: dict[str, tuple[tuple[int, Direction] | None, Content]] = {}
        """By train id, where the train last served before it was here and the content of its record then."""


@dataclass(slots=True)
class Turnback:
    """A terminal at work: trains on its turn tracks, the ready ones (longest waiting first), and departures due."""

    terminal: Terminal
    used: int = 0
    ready: deque[Train] = field(default_factory=deque)
    waiting: deque[Train] = field(default_factory=deque)
    """Trains that stand at the arrival platform until a track is free."""
    due: deque[Trip] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Route:
    """A pattern over the railway's own parts, with the terminals at its two ends."""

    pattern: Pattern
    legs: tuple[Leg, ...]
    origin: Turnback
    destination: Turnback
    travel_ms: NDArray[np.int64]
    """Of each leg to the next, int64[legs]; 0 at the last."""


@dataclass(frozen=True, slots=True)
class Trip:
    """A departure. ``scheduled_ms`` and the pattern name it, and with the seed its chance."""

    route: Route
    scheduled_ms: int


class Train:
    """A train in or out of the yard. ``index``: the call it is at or on its way to."""

    __slots__ = (
        "dwells_ms",
        "index",
        "key",
        "last",
        "legs",
        "line",
        "route",
        "runs_ms",
        "stay",
        "track_at",
        "train_id",
    )

    def __init__(self, train_id: str, line: str) -> None:
        self.train_id = train_id
        self.line = line
        self.key = TrainKey(train_id)
        self.route: Route | None = None
        self.legs: tuple[Leg, ...] = ()
        self.index = 0
        self.runs_ms: list[int] = []
        self.dwells_ms: list[int] = []
        self.last: tuple[int, Direction] | None = None
        """Station and direction of its last record since it left the yard."""
        self.track_at: Turnback | None = None
        """The terminal one of whose turn tracks it holds."""
        self.stay = 0
        """Counts its stays at terminals, so that a pull-in planned for one does not strike in another."""


class Railway:
    """Everything that the lines of a run use, made new for the run."""

    def __init__(self, network: Network, lines: tuple[str, ...]) -> None:
        self._network = network
        self._platforms: dict[int, Platform] = {}
        self._tracks: dict[tuple[int, int], Track] = {}
        self.turnbacks = {key: Turnback(terminal) for key, terminal in network.terminals.items() if key[0] in lines}
        self.routes = {
            name: self._route(pattern) for name, pattern in network.patterns.items() if pattern.line in lines
        }

    def _platform(self, stop_id: int) -> Platform:
        platform = self._platforms.get(stop_id)
        if platform is None:
            platform = self._platforms[stop_id] = Platform(stop_id)
        return platform

    def _track(self, hop: tuple[int, int]) -> Track:
        return self._tracks.setdefault(hop, Track(hop, self._network.edges[hop].travel_s))

    def _route(self, pattern: Pattern) -> Route:
        calls = pattern.calls
        legs = [
            Leg(call, self._platform(call.stop_id), self._track((call.stop_id, on.stop_id)), self._platform(on.stop_id))
            for call, on in itertools.pairwise(calls)
        ]
        legs.append(Leg(calls[-1], self._platform(calls[-1].stop_id), None, None))
        origin = self.turnbacks[pattern.line, calls[0].station_id]
        destination = self.turnbacks[pattern.line, calls[-1].station_id]
        travel_ms = np.array([leg.track.travel_ms if leg.track else 0 for leg in legs], np.int64)
        return Route(pattern, tuple(legs), origin, destination, travel_ms)
