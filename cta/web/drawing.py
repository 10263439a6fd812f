"""The map's SVG: what does not move. Classes only, no style: the page's policy forbids inline style."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from html import escape
from textwrap import wrap
from typing import Final

from cta.network.network import Network
from cta.web.track_map import LOOP, Point, TrackMap, loop, whole

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

INSET_SCALE: Final = 10_000
"""Units a degree above which a picture is of a few blocks: names then stand in two lines."""

CHARACTER: Final = 0.54
"""A letter's mean width in its size, of Helvetica and its like."""

NAME_MAX: Final = 18
"""Letters of a name in one line of the inset."""

GAP: Final = 5.0
SPOT: Final = 4.0


def map_svg(network: Network) -> str:
    """All of the network; terminals bear their names."""
    chart = TrackMap(network, whole(network))
    names = {terminal.station_id for terminal in network.terminals.values()}
    (left, top), (right, bottom) = (chart.frame.point(LOOP[i], LOOP[j]) for i, j in ((1, 0), (3, 2)))
    window = f'<rect class="window" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="6"/>'
    return _svg(chart, "map", "Map of the lines", names, dot=2.7, beside=window)


def loop_svg(network: Network) -> str:
    """The Loop, large enough to be read, every station with its name."""
    chart = TrackMap(network, loop())
    title = f'<text class="title" x="{chart.frame.width - 14:.0f}" y="28" text-anchor="end">The Loop</text>'
    return _svg(chart, "loop", "The Loop", set(network.stations), dot=5, beside=title)


def _svg(chart: TrackMap, name: str, title: str, named: set[int], *, dot: float, beside: str = "") -> str:
    frame = chart.frame
    seen = {number: point for number, point in chart.points.items() if frame.holds(point)}
    pieces = [
        f'<g class="line line-{escape(line)}" data-line="{escape(line)}"><path d="{" ".join(map(_d, paths))}"/></g>'
        for line, paths in chart.paths().items()
    ]
    dots = [
        f'<circle class="stop" data-station="{number}" cx="{x:.1f}" cy="{y:.1f}" r="{dot}">'
        f"<title>{escape(chart.network.stations[number].descriptive_name)}</title></circle>"
        for number, (x, y) in seen.items()
    ]
    labels = _labels(chart, {number: seen[number] for number in named if number in seen}, dot)
    return (
        f'<svg id="{name}" class="chart" viewBox="0 0 {frame.width:.0f} {frame.height:.0f}" role="img" aria-label="{title}">'
        f'<g class="tracks">{"".join(pieces)}</g><g class="stops">{"".join(dots)}</g>'
        f'<g class="labels" aria-hidden="true">{beside}{"".join(labels)}</g><g class="trains"></g></svg>'
    )


def _d(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _labels(chart: TrackMap, points: dict[int, Point], dot: float) -> list[str]:
    """Names beside their stations, where they cover no other name and as little track as can be, and outwards.

    On the large map, where most stations bear none, a name that would stand along a track is left out.
    """
    inset = chart.frame.scale > INSET_SCALE
    size = 15 if inset else 20
    tracks = [spot for paths in chart.paths().values() for path in paths for spot in _spots(path)]
    taken = [(x - dot, y - dot, x + dot, y + dot) for x, y in points.values()]
    labels = []
    for number, point in sorted(points.items(), key=lambda item: -len(chart.network.stations[item[0]].lines)):
        name, lines = chart.network.stations[number].name, len(chart.network.stations[number].lines)
        beside = max(dot, (lines - 1) / 2 * chart.frame.gap) + GAP
        words = _in_lines(name) if inset else [name]
        free = [
            (sum(_within(spot, box) for spot in tracks), _inward(chart, point, place), place, box)
            for place in range(4)
            if (box := _box(chart, point, words, size, beside, place)) and not any(_meet(box, other) for other in taken)
        ]
        if not free:
            continue
        covered, _, place, box = min(free)
        along = covered * SPOT > max(map(len, words)) * size * CHARACTER / 2
        if inset or not along:
            taken.append(box)
            labels.append(_label(box, words, size, ("start", "end", "middle", "middle")[place]))
    return labels


def _in_lines(name: str) -> list[str]:
    """A name as the inset has it: a line to each side of a slash, and none longer than `NAME_MAX`."""
    return [line for side in name.replace("/", "/\n").split("\n") for line in wrap(side, NAME_MAX)]


def _inward(chart: TrackMap, point: Point, place: int) -> float:
    """How far a name at this place would stand towards the middle: of two free places the outer one is the better."""
    x, y = point[0] - chart.frame.width / 2, point[1] - chart.frame.height / 2
    return (-x, x, y, -y)[place]


def _box(chart: TrackMap, point: Point, words: list[str], size: int, gap: float, place: int) -> Box | None:
    """Where a name would stand, right, left, above or below its station, beside its tracks; None outside the frame."""
    width, height = max(map(len, words)) * size * CHARACTER, len(words) * size * 1.05
    x, y = point
    left = (x + gap, x - gap - width, x - width / 2, x - width / 2)[place]
    top = (y - height / 2, y - height / 2, y - gap - height, y + gap)[place]
    inside = left >= 0 and top >= 0 and left + width <= chart.frame.width and top + height <= chart.frame.height
    return (left, top, left + width, top + height) if inside else None


def _label(box: Box, words: list[str], size: int, anchor: str) -> str:
    x = {"start": box[0], "end": box[2], "middle": (box[0] + box[2]) / 2}[anchor]
    lines = "".join(
        f'<tspan x="{x:.1f}" y="{box[1] + size * (0.85 + 1.05 * i):.1f}">{escape(word)}</tspan>'
        for i, word in enumerate(words)
    )
    return f'<text text-anchor="{anchor}">{lines}</text>'


def _spots(path: list[Point]) -> Iterator[Point]:
    """Points along a path, close enough together that a name cannot stand between them."""
    for (ax, ay), (bx, by) in itertools.pairwise(path):
        steps = max(1, int(math.hypot(bx - ax, by - ay) / SPOT))
        yield from ((ax + (bx - ax) * i / steps, ay + (by - ay) * i / steps) for i in range(steps + 1))


def _within(spot: Point, box: Box) -> bool:
    return box[0] <= spot[0] <= box[2] and box[1] <= spot[1] <= box[3]


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
