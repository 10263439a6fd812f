"""The map's SVG: what does not move. Classes only, no style: the page's policy forbids inline style."""

from __future__ import annotations

from html import escape

from cta.network.network import Network
from cta.web.track_map import Frame, Point, TrackMap, loop, whole

Box = tuple[float, float, float, float]


def map_svg(network: Network) -> str:
    """All of the network; terminals bear their names."""
    chart = TrackMap(network, whole(network))
    names = {terminal.station_id for terminal in network.terminals.values()}
    return _svg(chart, "map", "Map of the lines", names, dot=2.7)


def loop_svg(network: Network) -> str:
    """The Loop, large enough to be read, every station with its name."""
    chart = TrackMap(network, loop())
    return _svg(chart, "loop", "The Loop", set(network.stations), dot=5)


def _svg(chart: TrackMap, name: str, title: str, named: set[int], *, dot: float) -> str:
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
        f'<g class="labels" aria-hidden="true">{"".join(labels)}</g><g class="trains"></g></svg>'
    )


def _d(points: list[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _labels(chart: TrackMap, points: dict[int, Point], dot: float) -> list[str]:
    """Names beside their stations, outward from the picture's middle, where they do not cover one another."""
    frame, taken, labels = chart.frame, [], []
    taken = [(x - dot, y - dot, x + dot, y + dot) for x, y in points.values()]
    size = 13 if frame.scale < 10_000 else 12
    for number, (x, y) in sorted(points.items(), key=lambda item: -len(chart.network.stations[item[0]].lines)):
        text = chart.network.stations[number].name
        width = len(text) * size * 0.56
        for side in ("start", "end"):
            gap = dot + 8 if side == "start" else -(dot + 8)
            left = x + gap if side == "start" else x + gap - width
            box = (left, y - size / 2, left + width, y + size / 2)
            if 0 <= box[0] and box[2] <= frame.width and not any(_meet(box, other) for other in taken):
                taken.append(box)
                labels.append(
                    f'<text x="{x + gap:.1f}" y="{y + size * 0.35:.1f}" text-anchor="{side}">{escape(text)}</text>'
                )
                break
    return labels


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
