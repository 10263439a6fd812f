"""All that a stream of records can be held to, given the network and, where one is known, the plan that made it.

`laws` is the table; each law is a streaming fold that keeps what it must: a train's last record, a platform's last
arrival, the last reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.records import Alert, Arrival, Entry, Weather
from cta.model.time import HOUR_MS, SECOND_MS, format_timestamp
from cta.model.topics import ALERTS, ARRIVALS, BY_NAME, RECORDED, TURNSTILE, WEATHER
from cta.network.network import Network
from cta.pipeline.invariants import Invariant, NoServiceAtClosedStations, PrevIsWhereItLastServed
from cta.pipeline.schedule import NextStopIsANeighbour, PlatformsKeepTrainsApart
from cta.simulation.faults import alert, alerts
from cta.simulation.plan import Breakdown, Plan, Window


def laws(
    network: Network, plan: Plan | None, window: Window, *, ordered: bool = True, whole: bool = True
) -> Mapping[str, Invariant]:
    """The laws by name. ``window``: what the stream is of. ``ordered``: it should be in the order of time.

    ``whole``: all records of the window are there. Else nothing is held against what is not: neither that a record is
    missing nor that a train is somewhere else than the one before it says.
    """
    table: dict[str, Invariant] = {"schema": EveryRecordIsExplained(), "window": InWindow(window)}
    if ordered:
        table |= {"order": TotalOrder(), "separation": PlatformsKeepTrainsApart(network)}
    if whole:
        table |= {
            "neighbours": NextStopIsANeighbour(network, plan),
            "prev": PrevIsWhereItLastServed(plan),
        }
    table |= {
        "trains": TrainsAreTheirLines(network, plan),
        "entries": EntriesAreOfTheirStation(network),
        "weather": WeatherOnTheHour(window, whole=whole),
        "alerts": AlertsAreKnown(network, plan, window, whole=whole),
    }
    if plan is not None:
        table["closures"] = NoServiceAtClosedStations(plan)
    return table


class InWindow(Invariant):
    """Every record lies in the window that the run is of."""

    def __init__(self, window: Window) -> None:
        self._window = window

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        outside = (batch.times < self._window.start_ms) | (batch.times >= self._window.end_ms)
        for row in np.flatnonzero(outside).tolist():
            yield row, f"{format_timestamp(int(batch.times[row]))} is outside the run"


class TotalOrder(Invariant):
    """Records stand in the order of time, then of topic, then of entity (stations by number, the rest as text)."""

    def __init__(self) -> None:
        self._last: tuple[int, tuple[int, int, str]] | None = None

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        if not len(batch):
            return
        batch = batch.compact()
        places = [_place(content) for content in batch.contents]
        ranks = {place: rank for rank, place in enumerate(sorted({*places, *([self._last[1]] if self._last else [])}))}
        column = np.array([ranks[place] for place in places], np.intp)[batch.codes]
        last_ms, last = (
            (int(batch.times[0]), int(column[0])) if self._last is None else (self._last[0], ranks[self._last[1]])
        )
        before_ms, before = np.concatenate(([last_ms], batch.times[:-1])), np.concatenate(([last], column[:-1]))
        self._last = int(batch.times[-1]), places[int(batch.codes[-1])]
        back = (batch.times < before_ms) | ((batch.times == before_ms) & (column < before))
        for row in np.flatnonzero(back).tolist():
            content = batch.contents[int(batch.codes[row])]
            yield row, f"{content.topic.short} {content.entity} belongs before the record that it follows"

    def lost(self) -> None:
        self._last = None


def _place(content: Content) -> tuple[int, int, str]:
    number = content.key.station_id if content.topic is TURNSTILE else 0
    return content.topic.rank, number, content.entity


class OfContents(Invariant):
    """A law of contents alone: each is judged once a batch, however often it stands there."""

    def wrong(self, content: Content) -> str | None:
        """What is wrong with it."""
        raise NotImplementedError

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        batch = batch.compact()
        found = [self.wrong(content) for content in batch.contents]
        if any(found):
            broken = np.array([what is not None for what in found], np.bool_)[batch.codes]
            for row in np.flatnonzero(broken).tolist():
                yield row, found[int(batch.codes[row])] or ""


class EveryRecordIsExplained(OfContents):
    """A record of one of our topics has the key and the value that the topic's schemas say, never a null or other bytes."""

    def wrong(self, content: Content) -> str | None:
        topic = BY_NAME.get(content.topic.name)
        if topic not in RECORDED or content.topic is topic:
            return None
        return f"key or value of this record of {topic.short} is null, or bytes that its schema does not explain"


class TrainsAreTheirLines(OfContents):
    """A train's record has its train's id as key, the line that the id begins with, and a line that runs."""

    def __init__(self, network: Network, plan: Plan | None) -> None:
        self._network = network
        self._lines = set(network.lines if plan is None else plan.lines)

    def wrong(self, content: Content) -> str | None:
        if content.topic is not ARRIVALS:
            return None
        arrival: Arrival = content.value
        if content.key.train_id != arrival.train_id:
            return f"key {content.key.train_id} holds a record of {arrival.train_id}"
        if arrival.line not in self._lines:
            return f"{arrival.train_id} runs on {arrival.line!r}, which is not a line of the run"
        if not arrival.train_id.startswith(self._network.lines[arrival.line].run_prefix):
            return f"{arrival.train_id} is no train of the {arrival.line} line"
        return None


class EntriesAreOfTheirStation(OfContents):
    """An entry is at a station that there is, with its name and its home line, at a whole second."""

    def __init__(self, network: Network) -> None:
        self._stations = network.stations

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        wrong = dict(super().find(batch))
        uneven = (batch.times % SECOND_MS != 0) & (batch.ranks() == TURNSTILE.rank)
        for row in np.flatnonzero(uneven).tolist():
            wrong.setdefault(row, "an entry is not at a whole second")
        yield from sorted(wrong.items())

    def wrong(self, content: Content) -> str | None:
        if content.topic is not TURNSTILE:
            return None
        entry: Entry = content.value
        station = self._stations.get(entry.station_id)
        if content.key.station_id != entry.station_id:
            return f"key {content.key.station_id} holds an entry at {entry.station_id}"
        if station is None:
            return f"there is no station {entry.station_id}"
        if entry.station_name != station.name:
            return f"station {entry.station_id} is {station.name}, not {entry.station_name!r}"
        if entry.line != station.home_line:
            return f"{station.name} ({entry.station_id}) books its entries to {station.home_line}, not {entry.line!r}"
        return None


class WeatherOnTheHour(Invariant):
    """There is one reading an hour of the window, on the hour, keyed by its time, in halves of a degree."""

    def __init__(self, window: Window, *, whole: bool = True) -> None:
        self._next_ms: int | None = -(-window.start_ms // HOUR_MS) * HOUR_MS if whole else None
        """When the next reading is due; None: after a loss, so that any may be."""
        self._end_ms = window.end_ms
        self._whole = whole

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        rows = np.flatnonzero(batch.ranks() == WEATHER.rank)
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            what = self._wrong(time_ms, content)
            if what is not None:
                yield row, what

    def finish(self) -> Iterator[str]:
        if self._whole and self._next_ms is not None and self._next_ms < self._end_ms:
            yield f"no reading at {format_timestamp(self._next_ms)}"

    def lost(self) -> None:
        self._next_ms = None

    def _wrong(self, time_ms: int, content: Content) -> str | None:
        reading: Weather = content.value
        if time_ms % HOUR_MS:
            return f"a reading at {format_timestamp(time_ms)} is not on the hour"
        due_ms, self._next_ms = self._next_ms, time_ms + HOUR_MS
        if content.key.timestamp != time_ms:
            return f"key {content.key.timestamp} holds the reading of {time_ms}"
        if due_ms is not None and time_ms > due_ms and self._whole:
            return f"no reading at {format_timestamp(due_ms)}"
        if due_ms is not None and time_ms < due_ms:
            self._next_ms = due_ms
            return f"a second reading of {format_timestamp(time_ms)}"
        if not (reading.temperature * 2).is_integer():
            return f"{reading.temperature} F is not in halves of a degree"
        return None


class AlertsAreKnown(Invariant):
    """An alert is that of a fault of the plan, when the plan has it; a train that breaks down has one at that moment.

    Without a plan, an alert names lines and stations that there are.
    """

    def __init__(self, network: Network, plan: Plan | None, window: Window, *, whole: bool = True) -> None:
        self._network = network
        self._due: dict[tuple[int, bytes], Content] = {}
        self._breakdowns: tuple[Breakdown, ...] = ()
        self._planned = plan is not None
        if plan is not None:
            due = [(time_ms, content) for time_ms, content in alerts(network, plan) if window.holds(time_ms)]
            self._due = {(time_ms, content.fragment): content for time_ms, content in due}
            self._breakdowns = tuple(fault for fault in plan.faults if isinstance(fault, Breakdown))
        self._broken: dict[str, tuple[int, Arrival]] = {}
        """Trains broken down, when, and their records, whose alerts have not come."""
        self._whole = whole

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        wanted = [
            content.topic is ALERTS or (content.topic is ARRIVALS and content.value.train_status == "broken_down")
            for content in batch.contents
        ]
        rows = np.flatnonzero(np.array(wanted, np.bool_)[batch.codes])
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            if content.topic is ARRIVALS:
                self._broken[content.value.train_id] = time_ms, content.value
                continue
            what = self._wrong(time_ms, content)
            if what is not None:
                yield row, f"alert {content.key.alert_id}: {what}"

    def finish(self) -> Iterator[str]:
        if not self._whole:
            return
        for (time_ms, _), content in self._due.items():
            yield f"no alert {content.key.alert_id} at {format_timestamp(time_ms)}"
        for train_id, (time_ms, _) in self._broken.items():
            yield f"no alert of the breakdown of {train_id} at {format_timestamp(time_ms)}"

    def lost(self) -> None:
        self._whole = False

    def _wrong(self, time_ms: int, content: Content) -> str | None:
        value: Alert = content.value
        if value.line is not None and value.line not in self._network.lines:
            return f"there is no line {value.line!r}"
        if value.station_id is not None and value.station_id not in self._network.stations:
            return f"there is no station {value.station_id}"
        if not self._planned:
            self._broken.pop(value.train_id or "", None)
            return None
        if self._due.pop((time_ms, content.fragment), None) is not None:
            return None
        if value.train_id is None or not self._of_a_breakdown(time_ms, content):
            return "the scenario has no such fault at this moment"
        broken_ms, arrival = self._broken.pop(value.train_id, (None, None))
        if arrival is None:
            return None if not self._whole else f"{value.train_id} has not broken down"
        if broken_ms != time_ms or (arrival.line, arrival.station_id) != (value.line, value.station_id):
            return f"{value.train_id} did not break down there at this moment"
        return None

    def _of_a_breakdown(self, time_ms: int, content: Content) -> bool:
        """Whether one of the plan's breakdowns, striking now, is told by just this alert."""
        for fault in self._breakdowns:
            stands = Window(time_ms, time_ms + fault.window.duration_ms)
            told = alert(self._network, fault, stands, content.value.train_id)
            if fault.window.holds(time_ms) and told.fragment == content.fragment:
                return True
        return False
