"""The table for the page's template: what the board's document says, in the words and marks that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cta.model.time import format_clock
from cta.network.network import Line, Network
from cta.web.towards import towards

EFFECTS = {
    "NO_SERVICE": "No service",
    "REDUCED_SERVICE": "Reduced service",
    "SIGNIFICANT_DELAYS": "Significant delays",
    "ADDITIONAL_SERVICE": "Additional service",
    "OTHER_EFFECT": "Notice",
}


class Train(NamedTuple):
    train_id: str
    status: str
    """In words."""
    broken: bool


class StationRow(NamedTuple):
    station_id: int
    name: str
    cells: tuple[tuple[str, str, list[Train]], ...]
    """(direction, slot's name, trains)."""
    entries: str
    alerts: list[str]


class LineTable(NamedTuple):
    line: str
    name: str
    towards: Mapping[str, str]
    """Where each direction leads to; empty where nobody knows."""
    stations: list[StationRow]


class AlertLine(NamedTuple):
    line: str
    heading: str
    text: str
    span: str
    """When it is in force, on Chicago's clocks."""


def tables(document: Mapping[str, Any], network: Network, only: str | None = None) -> list[LineTable]:
    """The lines to show, or the one asked for."""
    return [
        LineTable(
            shown["line"],
            shown["name"],
            {"a": towards(network, shown["line"], "a"), "b": towards(network, shown["line"], "b")},
            [_row(shown["line"], station, document["alerts"]) for station in shown["stations"]],
        )
        for shown in document["lines"]
        if only in (None, shown["line"])
    ]


def _row(line: str, station: Mapping[str, Any], alerts: list[dict[str, Any]]) -> StationRow:
    here = [
        alert["text"]
        for alert in alerts
        if alert["station_id"] == station["station_id"] and alert["line"] in (None, line)
    ]
    cells = tuple(
        (direction, f"{line}/{station['station_id']}/{direction}", [_train(train) for train in station[direction]])
        for direction in ("a", "b")
    )
    return StationRow(station["station_id"], station["name"], cells, f"{station['entries']:,}", here)


def _train(train: Mapping[str, Any]) -> Train:
    status = train["status"]
    return Train(train["train_id"], status.replace("_", " "), status == "broken_down")


def alert_lines(document: Mapping[str, Any], only: str | None = None) -> list[AlertLine]:
    """The alerts in force, in words, the newest first: all, or a line's own and those of no line at its stations."""
    stations = {None} | {
        station["station_id"] for line in document["lines"] if line["line"] == only for station in line["stations"]
    }
    return [
        AlertLine(
            alert["line"] or "",
            EFFECTS.get(alert["effect"], alert["effect"]),
            alert["text"],
            _span(alert["active_from"], alert["active_to"]),
        )
        for alert in sorted(document["alerts"], key=lambda alert: -alert["active_from"])
        if only in (None, alert["line"]) or (alert["line"] is None and alert["station_id"] in stations)
    ]


def _span(from_ms: int, to_ms: int | None) -> str:
    since = format_clock(from_ms)[:5]
    return f"since {since}" if to_ms is None else f"{since} to {format_clock(to_ms)[:5]}"


def weather_words(weather: Mapping[str, Any] | None) -> str:
    """``44.5 °F, partly cloudy``; empty before the first reading."""
    return "" if weather is None else f"{weather['temperature']:g} °F, {weather['status'].replace('_', ' ')}"


def colors_css(lines: Mapping[str, Line]) -> str:
    """Custom properties by line: its colour, and black or white on it, whichever is read better."""
    rules = [
        f".line-{line.line} {{ --line: {line.color}; --on-line: {_readable_on(line.color)}; }}"
        for line in lines.values()
    ]
    return "\n".join([*rules, ""])


def _readable_on(color: str) -> str:
    light = luminance(color)
    return "#000" if (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) else "#fff"


def luminance(color: str) -> float:
    """Relative luminance of ``#RRGGBB`` (WCAG 2.2), from 0 to 1."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
