"""Chicago's network from the package's tables (their source and basis: docs/simulation.md)."""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from cta.model.records import Direction
from cta.model.time import OPERATING_DAY_START_S, DayType
from cta.network.network import (
    Call,
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

LINES = ("red", "blue", "brown", "green", "orange", "pink", "purple", "yellow")
RUN_PREFIX = {
    "red": "RD",
    "blue": "BL",
    "brown": "BR",
    "green": "GR",
    "orange": "OR",
    "pink": "PK",
    "purple": "PR",
    "yellow": "YL",
}
RIDERSHIP_TABLES = {"2019-10": "ridership_2019-10.csv", "2024-04": "ridership.csv"}

Row = dict[str, str]


def rows(table: str) -> list[Row]:
    """A packaged table's rows, in order."""
    text = (files("cta.network") / "data" / table).read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@lru_cache(maxsize=1)
def chicago() -> Network:
    """Chicago's "L": 8 lines, 144 stations, 302 platforms."""
    chains, through = _chains(rows("line_stops.csv"))
    platforms = _platforms()
    home = {int(row["station_id"]): row["line"] for row in rows("home_lines.csv")}
    return Network(
        lines={row["line"]: _line(row) for row in rows("lines.csv")},
        stations=_stations(home),
        platforms=platforms,
        edges={(edge.from_stop, edge.to_stop): edge for edge in map(_edge, rows("track_hops.csv"))},
        terminals={
            (terminal.line, terminal.station_id): terminal for terminal in map(_terminal, rows("terminals.csv"))
        },
        patterns=_patterns(chains, through, platforms),
        frequencies=tuple(map(_frequency, rows("departures.csv"))),
        chains=tuple(chains.values()),
        ridership={month: _ridership(table) for month, table in RIDERSHIP_TABLES.items()},
        hourly_curve=tuple(float(row["ref_ratio_normalised"]) for row in rows("hourly_curve.csv")),
        climate=tuple(map(_month, rows("climate.csv"))),
    )


def _line(row: Row) -> Line:
    parts = dict(part.split(":") for part in row["end_to_end_s"].split("+"))
    return Line(
        row["line"],
        row["name"],
        row["color"],
        row["text_color"],
        RUN_PREFIX[row["line"]],
        row["terminal_a"],
        row["terminal_b"],
        {part: int(seconds) for part, seconds in parts.items()},
    )


def _lines_of(row: Row) -> tuple[str, ...]:
    return tuple(
        line for line in LINES if row[line] == "TRUE" or (line == "purple" and row["purple_express"] == "TRUE")
    )


def _stations(home: dict[int, str]) -> dict[int, Station]:
    stations: dict[int, Station] = {}
    for row in rows("stations.csv"):
        station_id = int(row["station_id"])
        known = stations.get(station_id)
        lines = _lines_of(row)
        if known is not None:
            lines = tuple(line for line in LINES if line in known.lines or line in lines)
        stations[station_id] = Station(
            station_id,
            row["station_name"],
            row["station_descriptive_name"],
            lines,
            home[station_id],
            float(row["lat"]),
            float(row["lon"]),
        )
    return dict(sorted(stations.items()))


def _platforms() -> dict[int, Platform]:
    return {
        int(row["stop_id"]): Platform(
            int(row["stop_id"]), int(row["station_id"]), row["stop_name"], row["direction_id"], _lines_of(row)
        )
        for row in rows("stations.csv")
    }


def _edge(row: Row) -> Edge:
    return Edge(int(row["from_stop_id"]), int(row["to_stop_id"]), int(row["travel_s"]), tuple(row["lines"].split()))


def _terminal(row: Row) -> Terminal:
    return Terminal(
        row["line"], int(row["station_id"]), int(row["turn_tracks"]), int(row["min_turn_s"]), row["yard"] == "yes"
    )


ChainKey = tuple[str, str, str]


def _chains(stop_rows: list[Row]) -> tuple[dict[ChainKey, Chain], dict[ChainKey, int]]:
    stops: dict[ChainKey, list[int]] = {}
    through: dict[ChainKey, int] = {}
    for row in stop_rows:
        key = (row["line"], row["branch"], row["direction"])
        stops.setdefault(key, []).append(int(row["stop_id"]))
        if row["through_to_stop_id"]:
            through[key] = int(row["through_to_stop_id"])
    return {key: Chain(key[0], key[1], cast(Direction, key[2]), tuple(ids)) for key, ids in stops.items()}, through


def _patterns(
    chains: dict[ChainKey, Chain], through: dict[ChainKey, int], platforms: dict[int, Platform]
) -> dict[str, Pattern]:
    def calls(row: Row, direction: Direction) -> tuple[Call, ...]:
        chain = chains[row["line"], row["branch"], direction]
        ids = [platforms[stop].station_id for stop in chain.stops]
        first, last = (
            ids.index(int(row[f"first_station_{direction}"])),
            _rindex(ids, int(row[f"last_station_{direction}"])),
        )
        return tuple(
            Call(stop, station, direction)
            for stop, station in zip(chain.stops[first : last + 1], ids[first : last + 1], strict=True)
        )

    patterns: dict[str, Pattern] = {}
    for row in rows("services.csv"):
        service, line = row["service"], row["line"]
        if row["via_loop"] == "yes":
            out, back = calls(row, "b"), calls(row, "a")
            assert through[line, row["branch"], "b"] == back[0].stop_id
            legs: list[tuple[Direction, tuple[Call, ...]]] = [("b", out + back)]
        else:
            legs = [("b", calls(row, "b")), ("a", calls(row, "a"))]
        for direction, leg in legs:
            pattern = Pattern(service, line, direction, leg)
            patterns[pattern.name] = pattern
    return patterns


def _rindex(items: list[int], item: int) -> int:
    return len(items) - 1 - items[::-1].index(item)


def _frequency(row: Row) -> Frequency:
    hour = int(row["hour"])
    return Frequency(
        f"{row['service']}-{row['direction']}",
        cast(DayType, row["day_type"]),
        hour if hour * 3600 >= OPERATING_DAY_START_S else hour + 24,
        int(row["departures"]),
        int(row["first_offset_s"]),
        int(row["every_s"]),
    )


def _ridership(table: str) -> dict[int, Any]:
    return {
        int(row["station_id"]): {
            "weekday": float(row["avg_weekday"]),
            "saturday": float(row["avg_saturday"]),
            "sunday": float(row["avg_sunday_holiday"]),
        }
        for row in rows(table)
    }


def _month(row: Row) -> MonthClimate:
    return MonthClimate(
        float(row["mean_c"]),
        float(row["mean_min_c"]),
        float(row["mean_max_c"]),
        float(row["sd_daily_mean_c"]),
        float(row["lag1_corr_daily_mean"]),
        float(row["p_wet_day"]),
        float(row["p_wet_given_wet"]),
        float(row["p_wet_given_dry"]),
    )
