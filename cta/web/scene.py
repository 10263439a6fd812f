"""What the page shows at a moment, as slots: names and JSON values that change one by one.

| slot | value |
|---|---|
| ``time`` | event time in milliseconds, null before the first record |
| ``layout`` | lines with their stations, in the page's order |
| ``LINE/STATION/DIRECTION`` | the cell's trains, newest first; only cells that have any |
| ``entries/STATION`` | entries so far; only stations that have any |
| ``flow/STATION`` | entries of each whole bin of `BIN_MS`, the last `BINS` of them |
| ``weather``, ``alerts`` | as the board's document has them |
| ``records`` | records by topic, those that could not be read, and those that were deleted before they were |
| ``digest`` | of all records so far |
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np

from cta.model.batch import Batch
from cta.model.time import MINUTE_MS
from cta.model.topics import BY_NAME, RECORDED, TURNSTILE, TURNSTILE_SUMMARY
from cta.pipeline.board import Board
from cta.recording.digest import Digest
from cta.web.trail import Trail

BIN_MS: Final = 5 * MINUTE_MS
BINS: Final = 24
"""Two hours of five minutes: what a sparkline has room for."""

Slots = dict[str, Any]


class Scene:
    """A board with what the page shows beside it.

    ``trail``: what trains over time are drawn from where there is no run behind the page.
    """

    def __init__(self, board: Board, *, trail: Trail | None = None) -> None:
        self.board = board
        self.trail = trail
        self.unread: Counter[str] = Counter()
        """Records that no schema explains, by topic: counted and passed over."""
        self.missed: Counter[str] = Counter()
        """Records that were deleted from a topic before they were read."""
        self._digest = Digest()
        self._records: Counter[str] = Counter()
        self._flow = _Flow()
        self._summary: dict[int, int] = {}

    def fold(self, batch: Batch) -> None:
        """Take in a batch of any topics, in any order between keys."""
        used = np.bincount(batch.codes, minlength=len(batch.contents))
        for code in np.flatnonzero(used).tolist():
            topic = batch.contents[code].topic
            counted = self._records if BY_NAME.get(topic.name) is topic else self.unread
            counted[topic.name] += int(used[code])
        self.board.fold(batch)
        self._flow.fold(batch)
        if self.trail is not None:
            self.trail.fold(batch)
        self._digest.update(batch[np.array([content.topic in RECORDED for content in batch.contents])[batch.codes]])

    def count(self, station_id: int, entries: int) -> None:
        """What TURNSTILE_SUMMARY says of a station. From its first value on the entries are its, not counted here."""
        self._records[TURNSTILE_SUMMARY.name] += 1
        self._summary[station_id] = entries

    def records(self) -> dict[str, int]:
        """Records by topic name, of those that could be read."""
        return dict(self._records)

    def slots(self, at_ms: int | None = None) -> Slots:
        """The moment; ``at_ms`` as in `Board.document`."""
        document = self.board.document(at_ms)
        slots = board_slots(document)
        if self._summary:
            slots = {name: value for name, value in slots.items() if not name.startswith("entries/")}
            slots |= {f"entries/{station}": n for station, n in self._summary.items() if n}
        if document["time"] is not None:
            slots |= {f"flow/{station}": bins for station, bins in self._flow.before(document["time"]).items()}
        slots["records"] = {
            "topics": {BY_NAME[name].short: n for name, n in sorted(self._records.items())},
            "total": self._records.total(),
            "unread": self.unread.total(),
            "missed": self.missed.total(),
        }
        slots["digest"] = self._digest.hexdigest()
        return slots


class _Flow:
    """Entries by station and bin of event time; as much as the last bins need, whatever the run's length."""

    def __init__(self) -> None:
        self._bins: dict[int, Counter[int]] = {}

    def fold(self, batch: Batch) -> None:
        station_of = np.array(
            [content.key.station_id if content.topic is TURNSTILE else -1 for content in batch.contents], np.int64
        )
        stations = station_of[batch.codes]
        entries = stations >= 0
        if not entries.any():
            return
        bins = batch.times[entries] // BIN_MS
        stations = stations[entries]
        for number in np.unique(bins).tolist():
            found, counts = np.unique(stations[bins == number], return_counts=True)
            self._bins.setdefault(number, Counter()).update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        for number in sorted(self._bins)[: -2 * BINS]:
            del self._bins[number]

    def before(self, time_ms: int) -> dict[int, list[int]]:
        """The whole bins before a moment, the oldest first, of every station that has entries in one of them."""
        last = time_ms // BIN_MS
        numbers = [number for number in range(last - BINS, last) if number >= min(self._bins, default=last)]
        stations = sorted({station for number in numbers for station in self._bins.get(number, ())})
        return {station: [self._bins.get(number, Counter())[station] for number in numbers] for station in stations}


def board_slots(document: dict[str, Any]) -> Slots:
    """The board's document in slots; `document_of` takes them back."""
    slots: Slots = {key: document[key] for key in ("time", "weather", "alerts")}
    slots["layout"] = [
        {
            **{key: line[key] for key in ("line", "name", "color")},
            "stations": [
                {key: station[key] for key in ("station_id", "name", "order")} for station in line["stations"]
            ],
        }
        for line in document["lines"]
    ]
    for line in document["lines"]:
        for station in line["stations"]:
            for direction in ("a", "b"):
                if station[direction]:
                    slots[f"{line['line']}/{station['station_id']}/{direction}"] = station[direction]
            if station["entries"]:
                slots[f"entries/{station['station_id']}"] = station["entries"]
    return slots


def document_of(slots: Slots) -> dict[str, Any]:
    """The board's document that the slots are of."""
    lines: list[dict[str, Any]] = [
        {
            **line,
            "stations": [
                {
                    **station,
                    "a": slots.get(f"{line['line']}/{station['station_id']}/a", []),
                    "b": slots.get(f"{line['line']}/{station['station_id']}/b", []),
                    "entries": slots.get(f"entries/{station['station_id']}", 0),
                }
                for station in line["stations"]
            ],
        }
        for line in slots["layout"]
    ]
    return {"time": slots["time"], "weather": slots["weather"], "lines": lines, "alerts": slots["alerts"]}


def changes(before: Slots, after: Slots) -> dict[str, Any]:
    """``{set, unset}``: what makes ``after`` of ``before``."""
    missing = object()  # None is a value
    return {
        "set": {name: value for name, value in after.items() if before.get(name, missing) != value},
        "unset": [name for name in before if name not in after],
    }


def changed(before: Slots, change: dict[str, Any]) -> Slots:
    """``before`` with a change applied."""
    gone, new = change["unset"], change["set"]
    return {name: value for name, value in before.items() if name not in gone} | dict(new)
