"""How the services of a generated network lie over its stations, before anything has a time or a name.

Stations are counted from 0. A `Route` is the way of one service; the routes of a layout meet in the ways that matter to
a simulation of trains: a short turn, a branch, a stretch or a Loop that two lines share. Each shape takes ``fresh``
station numbers and uses all of them, so a layout has no station without a train.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cta.testing.drawing import strategies as st

MOST_STATIONS = 12
LINES = ("red", "blue", "green")


@dataclass(frozen=True, slots=True)
class Route:
    """A service's stations from terminal a on; with a ``loop``, its trips go once around that and back along the trunk."""

    line: str
    service: str
    trunk: tuple[int, ...]
    loop: tuple[int, ...] = ()

    @property
    def ends(self) -> tuple[int, ...]:
        """The stations where its trains turn."""
        return self.trunk[:1] if self.loop else (self.trunk[0], self.trunk[-1])


Routes = list[Route]


@st.composite
def layouts(draw: st.DrawFn) -> Routes:
    """One to three lines over 2 to 12 stations; the simplest is one line between two stations."""
    lines = LINES[: draw(st.integers(1, len(LINES)))]
    most_fresh = MOST_STATIONS // len(lines)
    routes: Routes = []
    stations = 0
    for line in lines:
        can_do_without = any(len(route.trunk) > 1 for route in routes)
        fresh = range(stations, stations + draw(st.integers(0 if can_do_without else 2, most_fresh)))
        routes += draw(st.one_of(*_shapes(line, fresh), *_meetings(line, fresh, routes)))
        stations = fresh.stop
    return routes


def _shapes(line: str, fresh: Sequence[int]) -> list[st.SearchStrategy[Routes]]:
    """The shapes that a line can have on its own, the plainest first."""
    shapes = []
    if len(fresh) >= 2:
        shapes += [_plain(line, fresh)]
    if len(fresh) >= 3:  # a Loop of two stations would be simpler than a plain line, and what examples shrink to
        shapes += [_looping(line, fresh), _turning_short(line, fresh), _branched(line, fresh)]
    return shapes


def _meetings(line: str, fresh: Sequence[int], others: Routes) -> list[st.SearchStrategy[Routes]]:
    """The ways that a line can share the track of an earlier one."""
    meetings = [_sharing_stretch(line, fresh, other) for other in others if len(other.trunk) >= 2]
    if fresh:
        meetings += [_sharing_loop(line, fresh, other) for other in others if other.loop]
    return meetings


def _plain(line: str, fresh: Sequence[int]) -> st.SearchStrategy[Routes]:
    return st.just([Route(line, line, tuple(fresh))])


def _looping(line: str, fresh: Sequence[int]) -> st.SearchStrategy[Routes]:
    """A trunk with a Loop at its end, as Brown or Orange."""
    return st.integers(1, len(fresh) - 1).map(lambda n: [Route(line, line, tuple(fresh[:n]), tuple(fresh[n:]))])


def _turning_short(line: str, fresh: Sequence[int]) -> st.SearchStrategy[Routes]:
    """A second service turns in mid-line, as Blue's at UIC-Halsted."""
    return st.integers(2, len(fresh) - 1).map(
        lambda n: [Route(line, line, tuple(fresh)), Route(line, f"{line}-short", tuple(fresh[:n]))]
    )


@st.composite
def _branched(draw: st.DrawFn, line: str, fresh: Sequence[int]) -> Routes:
    """Two services share a trunk and part, as Green's."""
    fork = draw(st.integers(1, len(fresh) - 2))
    second = draw(st.integers(fork + 1, len(fresh) - 1))
    trunk = tuple(fresh[:fork])
    return [
        Route(line, f"{line}-main", trunk + tuple(fresh[fork:second])),
        Route(line, f"{line}-branch", trunk + tuple(fresh[second:])),
    ]


@st.composite
def _sharing_stretch(draw: st.DrawFn, line: str, fresh: Sequence[int], other: Route) -> Routes:
    """The line's own stations, then two or more of the other's, then its own again, as Red and Purple or Brown."""
    first = draw(st.integers(0, len(other.trunk) - 2))
    last = draw(st.integers(first + 1, len(other.trunk) - 1))
    before = draw(st.integers(0, len(fresh)))
    return [Route(line, line, (*fresh[:before], *other.trunk[first : last + 1], *fresh[before:]))]


def _sharing_loop(line: str, fresh: Sequence[int], other: Route) -> st.SearchStrategy[Routes]:
    """A trunk of its own to the other's Loop, as Orange and Pink."""
    return st.just([Route(line, line, tuple(fresh), other.loop)])
