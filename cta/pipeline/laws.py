"""All that a stream of records can be held to, given the network and, where one is known, the plan that made it.

`laws` is the table; each law is a streaming fold that keeps what it must: a train's last record, a platform's last
arrival, the last reading.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.records import Arrival, Entry, StationKey
from cta.model.time import SECOND_MS, format_timestamp
from cta.model.topics import ARRIVALS, BY_NAME, RECORDED, TURNSTILE
from cta.network.network import Network
from cta.pipeline.invariants import Invariant, NoServiceAtClosedStations, PrevIsWhereItLastServed
from cta.pipeline.schedule import NextStopIsANeighbour, PlatformsKeepTrainsApart
from cta.pipeline.world_laws import AlertsAreKnown, WeatherOnTheHour
from cta.simulation.plan import Plan, Window


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
    """A record that is not explained stands where its topic and its key say."""
    number = content.key.station_id if isinstance(content.key, StationKey) else 0
    return BY_NAME.get(content.topic.name, content.topic).rank, number, content.entity


class OfContents(Invariant):
    """A law of contents alone: each is judged once a batch, however often it stands there."""

    @abstractmethod
    def wrong(self, content: Content) -> str | None:
        """What is wrong with it."""

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
