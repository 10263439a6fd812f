"""The time-distance diagram of a line (Marey's): time runs to the right, stations stand one below the other as far apart
as trains take between them, and every train is a string. Strings that crowd are trains that bunch.

An arrival says when a train came, not when it left. A train is drawn standing until the hop's run time before its next
arrival, so that a string is flat where a train waits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Final, NamedTuple

import numpy as np

from cta.model.batch import Batch
from cta.model.errors import InputError
from cta.model.records import Alert, Arrival
from cta.model.time import MINUTE_MS, SECOND_MS, format_clock
from cta.model.topics import ALERTS, ARRIVALS
from cta.network.network import DWELL_S, Network
from cta.simulation.plan import Window
from cta.web.towards import towards


class Size(NamedTuple):
    """``width`` in units; ``unit_s``: seconds of run time a unit down; ``row``: the least between two stations."""

    width: int
    unit_s: float
    row: float
    ticks: int
    """The most rules of time."""


FILE: Final = Size(1280, 7.2, 13.5, 16)
"""A line of 80 minutes is some 670 units high."""
PAGE: Final = Size(760, 14.0, 12.5, 9)
"""Beside the map: read at its own size."""

LEFT: Final = 168
RIGHT: Final = 24
TOP: Final = 94
BOTTOM: Final = 34
TITLE_Y: Final = 34
SUB_Y: Final = 56
NOTE_ROW: Final = 18
CHARACTER: Final = 6.7
"""A bold letter's mean width at 12 px, of Helvetica and its like."""
TICKS_MIN: Final = (5, 10, 15, 30, 60, 120, 180)

STYLE: Final = """
svg { --paper: #fff; --ink: #1b2430; --quiet: #5b6675; --rule: #e6e9ee; --bad: #c1121f; background: var(--paper) }
@media (prefers-color-scheme: dark) { svg { --paper: #0e141b; --ink: #e8edf3; --quiet: #9aa7b5; --rule: #222c37; --bad: #ff6b6b } }
text { font: 12px "Helvetica Neue", Helvetica, Arial, sans-serif; fill: var(--quiet); font-variant-numeric: tabular-nums }
.title { font-size: 20px; font-weight: 700; fill: var(--ink) } .sub { font-size: 13px }
.rule { stroke: var(--rule) } .rule.strong { stroke: var(--quiet); stroke-opacity: .45 } .paper { fill: var(--paper) }
.string { fill: none; stroke: var(--line); stroke-width: 1.5; stroke-linejoin: round } .string.a { stroke-opacity: .3; stroke-width: 1.1 }
.string.broken { stroke: var(--bad); stroke-width: 2.6; stroke-opacity: 1 } .span { fill: var(--bad); fill-opacity: .09 }
.stood { stroke: var(--bad); stroke-width: 5; stroke-linecap: round } .note { fill: var(--bad); font-weight: 700; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
"""


@dataclass
class String:
    """A train's way: pieces of (time, station, direction), each a connected run of arrivals."""

    train_id: str
    pieces: list[list[tuple[int, int, str]]] = field(default_factory=lambda: [[]])
    broke: list[tuple[int, int]] = field(default_factory=list)
    """(time, station) of each breakdown."""


@dataclass
class Strings:
    """What the diagram of a line shows."""

    line: str
    trains: list[String]
    alerts: list[Alert]


def strings(network: Network, line: str, batches: Iterable[Batch]) -> Strings:
    """The line's trains and alerts in a stream where each train's arrivals are in order, at stations of the line.

    An alert of no line is the line's where its station is, or where it has none. Errors: InputError where no train of the
    line runs; it names the lines that there are.
    """
    stations = set(network.stations_of(line))
    trains: dict[str, String] = {}
    alerts: dict[str, Alert] = {}
    others: set[str] = set()
    for batch in batches:
        wanted = [content.topic is ARRIVALS or content.topic is ALERTS for content in batch.contents]
        for time_ms, content in batch[np.array(wanted, np.bool_)[batch.codes]]:
            value: Arrival | Alert = content.value
            if isinstance(value, Alert):
                if value.line == line or (value.line is None and value.station_id in (None, *stations)):
                    alerts[content.key.alert_id] = value
            elif value.line != line:
                others.add(value.line)
            elif value.station_id in stations:
                _add(trains.setdefault(value.train_id, String(value.train_id)), time_ms, value)
    if not trains:
        raise InputError(
            f"there is no train of the {network.lines[line].name}",
            remedy=f"there are trains of: {', '.join(sorted(others)) or 'no line'}",
        )
    return Strings(line, list(trains.values()), list(alerts.values()))


def _add(string: String, time_ms: int, arrival: Arrival) -> None:
    string.pieces[-1].append((time_ms, arrival.station_id, arrival.direction))
    if arrival.train_status == "broken_down":
        string.broke.append((time_ms, arrival.station_id))
    elif arrival.train_status == "out_of_service":
        string.pieces.append([])


class _Note(NamedTuple):
    """An alert's text, and the band over the time that it is in force."""

    alert: Alert
    text: str
    x: float
    row: int
    left: float
    right: float


class _Chart:
    """Where a moment and a station stand."""

    def __init__(self, network: Network, line: str, window: Window, size: Size, alerts: Iterable[Alert]) -> None:
        self.window = window
        self.size = size
        self.order = network.stations_of(line)
        self.run_s = _run_times(network, line)
        self.notes = self._notes(alerts)
        self.top = TOP + NOTE_ROW * len({note.row for note in self.notes})
        self.y: dict[int, float] = {}
        y = float(self.top)
        for before, station in zip((None, *self.order), self.order, strict=False):
            if before is not None:
                y += max(size.row, (self.run_s.get((before, station), 120) + DWELL_S) / size.unit_s)
            self.y[station] = y
        self.height = y + BOTTOM

    def x(self, time_ms: int) -> float:
        share = (time_ms - self.window.start_ms) / self.window.duration_ms
        return LEFT + share * (self.size.width - LEFT - RIGHT)

    def _notes(self, alerts: Iterable[Alert]) -> list[_Note]:
        """The alerts in force, each text where its band begins, in the first row that has room for it."""
        notes, ends = [], list[float]()
        for alert in sorted(alerts, key=lambda alert: alert.active_from):
            start_ms = max(alert.active_from, self.window.start_ms)
            end_ms = self.window.end_ms if alert.active_to is None else min(alert.active_to, self.window.end_ms)
            if end_ms <= start_ms:
                continue
            text = _fitting(alert.text, self.size.width - 2 * RIGHT)
            x = min(self.x(start_ms), self.size.width - RIGHT - CHARACTER * len(text))
            row = next((row for row, end in enumerate(ends) if end <= x), len(ends))
            ends[row : row + 1] = [x + CHARACTER * (len(text) + 2)]
            notes.append(_Note(alert, text, x, row, self.x(start_ms), self.x(end_ms)))
        return notes

    def points(self, piece: list[tuple[int, int, str]]) -> list[list[tuple[float, float]]]:
        """A piece's lines: broken where a train jumps over stations of another branch."""
        lines: list[list[tuple[float, float]]] = [[]]
        for (time_ms, station, _), after in itertools.zip_longest(piece, piece[1:]):
            lines[-1].append((self.x(time_ms), self.y[station]))
            if after is None:
                continue
            if station != after[1] and (station, after[1]) not in self.run_s:
                lines.append([])
                continue
            left_ms = after[0] - self.run_s.get((station, after[1]), 0) * SECOND_MS
            lines[-1].append((self.x(max(time_ms, left_ms)), self.y[station]))
        return [line for line in lines if len(line) > 1]


def _fitting(text: str, width: float) -> str:
    """As much of a text as has room."""
    most = int(width / CHARACTER)
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def _run_times(network: Network, line: str) -> dict[tuple[int, int], int]:
    """Seconds from a station to the next, in either direction."""
    return {
        (one.station_id, other.station_id): network.edges[one.stop_id, other.stop_id].travel_s
        for pattern in network.patterns.values()
        if pattern.line == line
        for one, other in itertools.pairwise(pattern.calls)
    }


def diagram_svg(found: Strings, network: Network, window: Window, *, title: str = "", on_page: bool = False) -> str:
    """The diagram, with a style of its own; ``on_page``: smaller, and the page's style is for its classes."""
    line = network.lines[found.line]
    chart = _Chart(network, found.line, window, PAGE if on_page else FILE, found.alerts)
    width = chart.size.width
    style = "" if on_page else f"<style>{STYLE}{_line_style(line.color)}</style>"
    day = f"{format_clock(window.start_ms)[:5]} to {format_clock(window.end_ms)[:5]}"
    ways = f"strong: to {towards(network, line.line, 'b')}, faint: to {towards(network, line.line, 'a')}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {chart.height:.0f}" role="img" '
            f'data-left="{LEFT}" data-right="{width - RIGHT}" data-top="{chart.top}" data-bottom="{chart.height - BOTTOM:.0f}" '
            f'class="diagram line-{escape(line.line)}" aria-label="{escape(line.name)}, trains over time">',
            style,
            f'<rect class="paper" width="{width}" height="{chart.height:.0f}"/>',
            f'<text class="title" x="24" y="{TITLE_Y}">{escape(title or line.name)}</text>',
            f'<text class="sub" x="24" y="{SUB_Y}">{len(found.trains)} trains, {day}; {escape(ways)}</text>',
            *_rules(chart, network),
            *(_alert(chart, note) for note in chart.notes),
            *(_string(chart, string) for string in found.trains),
            *(_stood(chart, string) for string in found.trains if string.broke),
            "</svg>",
            "",
        ]
    )


def _line_style(color: str) -> str:
    """The line's colour, on dark paper as the page lightens it (page.css)."""
    dark = f"@media (prefers-color-scheme: dark) {{ svg {{ --line: color-mix(in oklab, {color} 72%, white) }} }}"
    return f"svg {{ --line: {color} }}\n{dark}\n"


def _rules(chart: _Chart, network: Network) -> Iterable[str]:
    """A rule a station with its name, and rules of time with the clock."""
    end = chart.size.width - RIGHT
    for station in chart.order:
        y = chart.y[station]
        yield f'<path class="rule" d="M{LEFT} {y:.1f}H{end}"/>'
        name = escape(_fitting(network.stations[station].name, LEFT))  # its letters are not bold, and less wide
        yield f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{name}</text>'
    minutes = chart.window.duration_ms / MINUTE_MS
    tick_min = next((tick for tick in TICKS_MIN if minutes / tick <= chart.size.ticks), TICKS_MIN[-1])
    tick_ms = tick_min * MINUTE_MS
    first = -(-chart.window.start_ms // tick_ms) * tick_ms
    for time_ms in range(first, chart.window.end_ms + 1, tick_ms):
        x = chart.x(time_ms)
        yield f'<path class="rule strong" d="M{x:.1f} {chart.top - 8}V{chart.height - BOTTOM + 8:.1f}"/>'
        for y in (chart.top - 14, chart.height - 10):
            yield f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle">{format_clock(time_ms)[:5]}</text>'


def _alert(chart: _Chart, note: _Note) -> str:
    height = chart.height - chart.top - BOTTOM
    return (
        f"<g><title>{escape(note.alert.text)}</title>"
        f'<rect class="span" x="{note.left:.1f}" y="{chart.top}" width="{note.right - note.left:.1f}" height="{height:.1f}"/>'
        f'<text class="note" x="{note.x:.1f}" y="{SUB_Y + NOTE_ROW * (note.row + 1)}">{escape(note.text)}</text></g>'
    )


def _string(chart: _Chart, string: String) -> str:
    kind = "string broken" if string.broke else "string"
    drawn = []
    for piece in string.pieces:
        for direction, leg in itertools.groupby(_legs(piece), key=lambda hop: hop[0]):
            for points in chart.points([stop for _, stop in leg]):
                d = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
                drawn.append(f'<path class="{kind} {direction}" d="M{d}"/>')
    if not drawn:
        return ""
    return f"<g><title>{escape(string.train_id)}</title>{''.join(drawn)}</g>"


def _legs(piece: list[tuple[int, int, str]]) -> list[tuple[str, tuple[int, int, str]]]:
    """Each stop with the direction that it is drawn in; where a train turns, the stop stands in both."""
    legs: list[tuple[str, tuple[int, int, str]]] = []
    for stop in piece:
        if legs and legs[-1][0] != stop[2]:
            legs.append((legs[-1][0], stop))
        legs.append((stop[2], stop))
    return legs


def _stood(chart: _Chart, string: String) -> str:
    """Where a broken train stood, and its name."""
    drawn = []
    stops = [stop for piece in string.pieces for stop in piece]
    for time_ms, station in string.broke:
        after = next((stop for stop in stops if stop[0] > time_ms), None)
        run_ms = chart.run_s.get((station, after[1]), 0) * SECOND_MS if after else 0
        left_ms = max(time_ms, after[0] - run_ms) if after else chart.window.end_ms
        x, y = chart.x(time_ms), chart.y[station]
        drawn.append(f'<path class="stood" d="M{x:.1f} {y:.1f}H{chart.x(left_ms):.1f}"/>')
        drawn.append(
            f'<text class="note" x="{x - 8:.1f}" y="{y + 18:.1f}" text-anchor="end">{escape(string.train_id)}</text>'
        )
    return "".join(drawn)
