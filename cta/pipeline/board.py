"""The status page's state: what it shows, and how two halves of it become one.

Whatever the page shows of trains, weather, alerts and stations is the latest record of its slot: one a train, one for
the city's weather, one an alert, one a line and station. Latest is by (event time, canonical bytes of the content), a
total order, so the latest of two halves is the latest of both: folding and merging are associative, commutative and
idempotent, and no interleaving, partitioning or repetition of the stream shows in the page. Entries are the exception:
they have no id, each is counted where it is folded, and merging adds the counts of what must be disjoint parts.

A train that went out of service leaves the cells but keeps its slot: an earlier record that comes late must not bring
it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from cta.model.batch import HASH_BYTES, Batch, Content
from cta.model.records import Alert, Arrival, Direction, StationTableRow, Weather
from cta.model.topics import ALERTS, ARRIVALS, BY_NAME, STATIONS_TABLE, TURNSTILE, WEATHER
from cta.network.network import Line, Network
from cta.pipeline.stations import platform_rows, station_table, table_content
from cta.pipeline.turnstile_summary import TurnstileSummary

Latest = dict[str, tuple[int, Content]]
"""The latest record a slot: (event time in milliseconds, content)."""

_BEFORE_ALL_MS: Final = -1
"""The time of station rows given at the start: any record of the topic is later."""


class Row(NamedTuple):
    """A line of the page's table; trains newest first, as ``BL104, BL107 (broken down)``."""

    line: str
    color: str
    station: str
    direction_a: str
    direction_b: str
    entries: int


class Board:
    """The page's state, for the stations in ``stations`` and those that the stream adds.

    ``lines`` gives the page its lines' names, colours and order. Boards that are merged are of the same lines.
    """

    def __init__(
        self, stations: Iterable[StationTableRow] = (), lines: Mapping[str, Line] = MappingProxyType({})
    ) -> None:
        self._lines = lines
        self._latest: dict[str, Latest] = {topic.name: {} for topic in (ARRIVALS, WEATHER, ALERTS, STATIONS_TABLE)}
        self._summary = TurnstileSummary()
        self._last_entry_ms: int | None = None
        for row in stations:
            self._put(_BEFORE_ALL_MS, table_content(row))

    @classmethod
    def for_network(cls, network: Network, lines: Iterable[str] | None = None) -> Board:
        """An empty page of a network, or of some of its lines."""
        shown = set(network.lines if lines is None else lines)
        rows = station_table(platform_rows(network)).values()
        return cls((row for row in rows if row.line in shown), network.lines)

    def fold(self, batch: Batch) -> None:
        """Take in a batch; records of topics that the page does not show are passed over."""
        self._summary.fold(batch)
        is_entry = np.array([content.topic is TURNSTILE for content in batch.contents], np.bool_)[batch.codes]
        if is_entry.any():
            self._last_entry_ms = _latest_ms([self._last_entry_ms, int(batch.times[is_entry].max())])
        for time_ms, content in batch[~is_entry]:
            self._put(time_ms, content)

    def _put(self, time_ms: int, content: Content) -> None:
        latest = self._latest.get(content.topic.name)
        if latest is None or content.topic is not BY_NAME[content.topic.name]:  # a tombstone, or bytes without a schema
            return
        slot = content.key.id if content.topic is STATIONS_TABLE else content.entity
        held = latest.get(slot)
        if held is None or time_ms > held[0] or (time_ms == held[0] and content.fragment > held[1].fragment):
            latest[slot] = (time_ms, content)

    def merge(self, other: Board) -> Board:
        """A board of all that either has seen; entries are added, so the two must not have folded the same ones."""
        merged = Board(lines=self._lines)
        for board in (self, other):
            for latest in board._latest.values():
                for time_ms, content in latest.values():
                    merged._put(time_ms, content)
            merged._summary.counts.update(board._summary.counts)
        merged._last_entry_ms = _latest_ms([self._last_entry_ms, other._last_entry_ms])
        return merged

    @property
    def time_ms(self) -> int | None:
        """The event time of the latest record seen; None before the first. Station rows have no event time."""
        timed = [time_ms for topic in (ARRIVALS, WEATHER, ALERTS) for time_ms, _ in self._latest[topic.name].values()]
        return _latest_ms([self._last_entry_ms, *timed])

    def entries(self, station_id: int) -> int:
        """The station's entries so far, over all its lines."""
        return self._summary.counts[station_id]

    def document(self, at_ms: int | None = None) -> dict[str, Any]:
        """The page's state as JSON: ``{time, weather, lines, alerts}``, times in epoch milliseconds.

        ``at_ms`` is the moment at which an alert is active or not: the board's own time unless it is given. Lines stand
        in the network's order, stations in the line's, trains newest first. A station's entries are shown whole on each
        of its lines.
        """
        now_ms = self.time_ms if at_ms is None else at_ms
        cells = self._cells()
        return {
            "time": now_ms,
            "weather": self._weather(),
            "lines": [
                self._line(line, [self._station(row, cells) for row in rows]) for line, rows in self._stations().items()
            ],
            "alerts": self._active_alerts(now_ms),
        }

    def to_json(self) -> bytes:
        """The document in canonical JSON: keys sorted, no spaces."""
        return msgspec.json.encode(self.document(), order="sorted")

    def digest(self) -> str:
        """blake2b-128 of `to_json`, in hexadecimal."""
        return blake2b(self.to_json(), digest_size=HASH_BYTES).hexdigest()

    def rows(self) -> list[Row]:
        """The page's table, for a terminal: a row a line and station."""
        return [
            Row(
                line["name"],
                line["color"],
                station["name"],
                _cell_text(station["a"]),
                _cell_text(station["b"]),
                station["entries"],
            )
            for line in self.document()["lines"]
            for station in line["stations"]
        ]

    def _stations(self) -> dict[str, list[StationTableRow]]:
        """Station rows by line: lines in the page's order (any it does not know after them), rows along the line."""
        table = [content.value for _, content in self._latest[STATIONS_TABLE.name].values()]
        known = list(self._lines)
        by_line: dict[str, list[StationTableRow]] = {line: [] for line in known + sorted({row.line for row in table})}
        for row in sorted(table, key=lambda row: (row.order, row.station_id)):
            by_line[row.line].append(row)
        return {line: rows for line, rows in by_line.items() if rows}

    def _cells(self) -> dict[tuple[str, int, Direction], list[dict[str, Any]]]:
        """Trains by (line, station, direction), newest first; trains of the same moment by train id."""
        cells: dict[tuple[str, int, Direction], list[dict[str, Any]]] = {}
        trains = sorted(self._latest[ARRIVALS.name].items(), key=lambda item: (-item[1][0], item[0]))
        for train_id, (time_ms, content) in trains:
            arrival: Arrival = content.value
            if arrival.train_status != "out_of_service":
                cell = cells.setdefault((arrival.line, arrival.station_id, arrival.direction), [])
                cell.append({"train_id": train_id, "status": arrival.train_status, "time": time_ms})
        return cells

    def _line(self, line: str, stations: list[dict[str, Any]]) -> dict[str, Any]:
        known = self._lines.get(line)
        name, color = (known.name, known.color) if known else (line, "")
        return {"line": line, "name": name, "color": color, "stations": stations}

    def _station(
        self, row: StationTableRow, cells: Mapping[tuple[str, int, Direction], list[dict[str, Any]]]
    ) -> dict[str, Any]:
        return {
            "station_id": row.station_id,
            "name": row.station_name,
            "order": row.order,
            "a": cells.get((row.line, row.station_id, "a"), []),
            "b": cells.get((row.line, row.station_id, "b"), []),
            "entries": self.entries(row.station_id),
        }

    def _weather(self) -> dict[str, Any] | None:
        for time_ms, content in self._latest[WEATHER.name].values():
            weather: Weather = content.value
            return {"temperature": weather.temperature, "status": weather.status, "time": time_ms}
        return None

    def _active_alerts(self, now_ms: int | None) -> list[dict[str, Any]]:
        """The alerts in force at the moment, from ``active_from`` to before ``active_to``; oldest first, then by id."""
        alerts = [(alert_id, content.value) for alert_id, (_, content) in self._latest[ALERTS.name].items()]
        active = [(alert_id, alert) for alert_id, alert in alerts if now_ms is not None and _is_active(alert, now_ms)]
        active.sort(key=lambda item: (item[1].active_from, item[0]))
        return [{"alert_id": alert_id, **msgspec.structs.asdict(alert)} for alert_id, alert in active]


def _is_active(alert: Alert, now_ms: int) -> bool:
    return alert.active_from <= now_ms and (alert.active_to is None or now_ms < alert.active_to)


def _latest_ms(times: Iterable[int | None]) -> int | None:
    return max((time_ms for time_ms in times if time_ms is not None), default=None)


def _cell_text(trains: list[dict[str, Any]]) -> str:
    return ", ".join(
        train["train_id"] if train["status"] == "in_service" else f"{train['train_id']} ({_words(train['status'])})"
        for train in trains
    )


def _words(status: str) -> str:
    return status.replace("_", " ")
