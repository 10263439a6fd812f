"""World faults as the simulation meets them, and the alert that each becomes."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

from cta.model.batch import Content
from cta.model.records import Alert, AlertKey, Cause, Direction, Effect
from cta.model.time import MINUTE_MS, format_timestamp, local
from cta.model.topics import ALERTS
from cta.network.network import Network
from cta.simulation.plan import Breakdown, Closure, Fault, Plan, SlowZone, Window


class TrackFaults:
    """What can befall a train: closed stations, breakdowns to come, slow track. Looked up by place, then by time."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self.closed: dict[int, list[Window]] = defaultdict(list)
        self.breakdowns: dict[tuple[str, int, Direction], list[Breakdown]] = defaultdict(list)
        self.slow: dict[tuple[int, int], list[SlowZone]] = defaultdict(list)
        for fault in plan.faults:
            if isinstance(fault, Closure):
                self.closed[fault.station_id].append(fault.window)
            elif isinstance(fault, Breakdown):
                self.breakdowns[fault.line, fault.station_id, fault.direction].append(fault)
            elif isinstance(fault, SlowZone):
                for hop in hops_between(network, fault):
                    self.slow[hop].append(fault)

    def is_closed(self, station_id: int, time_ms: int) -> bool:
        return any(window.holds(time_ms) for window in self.closed.get(station_id, ()))

    def strike(self, line: str, station_id: int, direction: Direction, time_ms: int) -> Breakdown | None:
        """The breakdown that the train arriving now suffers; each strikes once."""
        due = self.breakdowns.get((line, station_id, direction), [])
        for fault in due:
            if fault.window.holds(time_ms):
                due.remove(fault)
                return fault
        return None

    def slowed_ms(self, hop: tuple[int, int], run_ms: int, time_ms: int) -> int:
        """The running time of a train that is ready for the hop now, held or not; slow zones over the same track multiply."""
        for zone in self.slow[hop]:
            if zone.window.holds(time_ms):
                run_ms = run_ms * round(zone.factor * 1000) // 1000
        return run_ms


def hops_between(network: Network, zone: SlowZone) -> set[tuple[int, int]]:
    """The edges of the line between the zone's two stations, both ways, on every branch that has both."""
    hops: set[tuple[int, int]] = set()
    for pattern in network.patterns.values():
        if pattern.line != zone.line:
            continue
        stations = [call.station_id for call in pattern.calls]
        ends = [i for i, station_id in enumerate(stations) if station_id in (zone.from_station_id, zone.to_station_id)]
        for first, last in itertools.pairwise(ends):
            if stations[first] != stations[last]:
                stops = [call.stop_id for call in pattern.calls[first : last + 1]]
                hops.update(itertools.pairwise(stops))
    return hops


def alerts(network: Network, plan: Plan) -> list[tuple[int, Content]]:
    """(time_ms, alert) of every fault but breakdowns, which the trains report when one strikes; in order.

    Surges at a station, and zones on a stretch, may begin at once: from the second on their ids end in a number.
    """
    records = []
    told: Counter[str] = Counter()
    for fault in plan.faults:
        if not isinstance(fault, Breakdown) and fault.window.end_ms > plan.window.start_ms:
            content = alert(network, fault)
            told[content.entity] += 1
            if told[content.entity] > 1:
                content = Content(ALERTS, AlertKey(f"{content.entity}-{told[content.entity]}"), content.value)
            records.append((max(fault.window.start_ms, plan.window.start_ms), content))
    return sorted(records, key=lambda record: (record[0], record[1].entity))


def alert(network: Network, fault: Fault, window: Window | None = None, train_id: str | None = None) -> Content:
    """A fault's alert; its id is a function of the fault alone. ``window``: when it holds, where not as planned."""
    window = window or fault.window
    until = _until(window)
    effect: Effect
    cause: Cause
    line: str | None = None
    station_id: int | None = None
    if isinstance(fault, SlowZone):
        kind, line = "slow_zone", fault.line
        ends = (network.stations[fault.from_station_id].name, network.stations[fault.to_station_id].name)
        place = f"{line}-{fault.from_station_id}-{fault.to_station_id}"
        effect, cause = "SIGNIFICANT_DELAYS", "CONSTRUCTION"
        text = f"{network.lines[line].name}: trains run slowly between {ends[0]} and {ends[1]} until {until}"
    else:
        station_id = fault.station_id
        station = network.stations[station_id].name
        place = str(station_id)
        if isinstance(fault, Breakdown):
            kind, line, place = "breakdown", fault.line, f"{fault.line}-{station_id}-{fault.direction}"
            minutes = window.duration_ms // MINUTE_MS
            effect, cause = "SIGNIFICANT_DELAYS", "TECHNICAL_PROBLEM"
            text = f"{network.lines[line].name}: train {train_id} stands at {station} for about {minutes} minutes"
        elif isinstance(fault, Closure):
            kind, effect, cause = "closure", "NO_SERVICE", "MAINTENANCE"
            text = f"{station} is closed and trains do not stop there until {until}"
        else:
            kind, effect, cause = "surge", "OTHER_EFFECT", "OTHER_CAUSE"
            text = f"{station} is busier than usual until {until}"
    alert_id = f"{kind}-{place}-{format_timestamp(fault.window.start_ms)}"
    value = Alert(effect, cause, line, station_id, train_id, window.start_ms, window.end_ms, text)
    return Content(ALERTS, AlertKey(alert_id), value)


def _until(window: Window) -> str:
    """``07:30``, or ``07:30 on 2026-05-14`` where that is not the day on which it began."""
    end = local(window.end_ms)
    return f"{end:%H:%M}" if end.date() == local(window.start_ms).date() else f"{end:%H:%M} on {end:%Y-%m-%d}"
