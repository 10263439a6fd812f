"""The laws of the weather and of the alerts: of what befalls the railway from outside."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cta.model.batch import Batch, Content
from cta.model.records import Alert, Arrival, Weather
from cta.model.time import HOUR_MS, format_timestamp
from cta.model.topics import ALERTS, ARRIVALS, WEATHER
from cta.network.network import Network
from cta.pipeline.invariants import Invariant
from cta.simulation.faults import alert, alerts
from cta.simulation.plan import Breakdown, Plan, Window


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
        self._start_ms = window.start_ms if plan is None else plan.window.start_ms
        if plan is not None:
            due = [(time_ms, content) for time_ms, content in alerts(network, plan) if window.holds(time_ms)]
            self._due = {(time_ms, content.fragment): content for time_ms, content in due}
            self._breakdowns = tuple(fault for fault in plan.faults if isinstance(fault, Breakdown))
        self._broken: dict[tuple[str, int], Arrival] = {}
        """By train and moment, the records of breakdowns whose alerts have not come."""
        self._whole = whole

    def find(self, batch: Batch) -> Iterator[tuple[int, str]]:
        wanted = [
            content.topic is ALERTS or (content.topic is ARRIVALS and content.value.train_status == "broken_down")
            for content in batch.contents
        ]
        rows = np.flatnonzero(np.array(wanted, np.bool_)[batch.codes])
        for row, (time_ms, content) in zip(rows.tolist(), batch[rows], strict=True):
            if content.topic is ARRIVALS:
                self._broken[content.value.train_id, time_ms] = content.value
                continue
            what = self._wrong(time_ms, content)
            if what is not None:
                yield row, f"alert {content.key.alert_id}: {what}"

    def finish(self) -> Iterator[str]:
        if not self._whole:
            return
        for (time_ms, _), content in self._due.items():
            yield f"no alert {content.key.alert_id} at {format_timestamp(time_ms)}"
        for train_id, time_ms in self._broken:
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
            self._broken.pop((value.train_id or "", time_ms), None)
            return None
        if self._due.pop((time_ms, content.fragment), None) is not None:
            return None
        if value.train_id is None or not self._of_a_breakdown(time_ms, content):
            return "the scenario has no such fault at this moment"
        if value.active_from < self._start_ms:  # and so was its record
            return None
        arrival = self._broken.pop((value.train_id, time_ms), None)
        if arrival is None:
            return None if not self._whole else f"{value.train_id} has not broken down at this moment"
        if (arrival.line, arrival.station_id) != (value.line, value.station_id):
            return f"{value.train_id} did not break down there"
        return None

    def _of_a_breakdown(self, time_ms: int, content: Content) -> bool:
        """Whether one of the plan's breakdowns, striking now or before the run and told now, is just this alert's."""
        began_ms: int = content.value.active_from
        for fault in self._breakdowns:
            stands = Window(began_ms, began_ms + fault.window.duration_ms)
            told = alert(self._network, fault, stands, content.value.train_id)
            if fault.window.holds(began_ms) and told.fragment == content.fragment:
                return time_ms == max(began_ms, self._start_ms)
        return False
