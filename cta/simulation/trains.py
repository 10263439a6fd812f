"""Trains: an event-driven simulation of who is where, exact to the millisecond.

The rules. A train leaves a terminal when its departure is due and a train is there for it. It runs edge by edge and
stops for its dwell at each platform. Over any edge and at any platform two trains are at least `SEPARATION_S` apart
and keep their order, whatever their lines; a platform holds one train, and the next arrives `CLEAR_S` after that one
has left. A train is held at its platform until the platform ahead will be free when it gets there, as far as is known
when it arrives; one that was let go too early waits before the platform, in order. At its last call it turns: it takes
a turn track, is ready after the terminal's minimum turn, and pulls in to the yard when no track is free or after
`IDLE_TURN_S`; where there is no yard it stands at the platform until a track is free.

The theory. What a train does at a platform (arrive, stop, leave, reach the next) is settled in one step when it reaches
the platform: everything that the step depends on (when the platform and the edge are free) was settled by trains that
reached them before, and nothing later can change it. So one heap event a call is enough, and since every number is
finite there is no deadlock, whatever the Loop does. Only where a train must wait for something unsettled, a turn track,
is its platform's freedom `UNKNOWN` and the trains behind it queue. Events are ordered by (time, kind, serial); kinds
keep ties apart so that what one line does at an instant never depends on the presence of a line it does not touch.

The run begins at the start of the operating day that holds the scenario's start, warmed up with the last departures of
the day before (`WARM_UP_S`), so trains stand where they would at that hour. With headways in place of a timetable it
begins at the scenario's start with every train in the yard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from heapq import heappop, heappush, heapreplace
from typing import Final

from cta.model.batch import Content
from cta.model.records import Arrival, Direction, TrainStatus
from cta.model.scenario import Headways
from cta.model.time import operating_day_start_ms, service_day_of
from cta.model.topics import ARRIVALS
from cta.network.network import DWELL_S, SEPARATION_S, Network
from cta.simulation.departures import at_headways, shuttle, timetabled
from cta.simulation.faults import TrackFaults, alert
from cta.simulation.fleet import set_out, trains_of
from cta.simulation.movement import Movement
from cta.simulation.plan import Plan, Window
from cta.simulation.railway import UNKNOWN, Leg, Railway, Train, Trip, Turnback

CLEAR_S: Final = 20
"""A train has drawn out of its platform so long after it began to move. Ours."""

IDLE_TURN_S: Final = 1200
"""A train that nobody needs pulls in to the yard after so long (data README)."""

YARD_S: Final = 60
"""A train that pulls in can be sent out again after so long: never in the instant of its last record. Ours."""

WARM_UP_S: Final = 2 * 3600
"""Longer than any trip (Purple Express, 94 minutes), so that all trains under way are there."""

_SEPARATION_MS: Final = SEPARATION_S * 1000
_CLEAR_MS: Final = CLEAR_S * 1000
_DWELL_MS: Final = DWELL_S * 1000

# Kinds of events, in the order in which they happen at one instant. Serials count within a kind.
_DAY, _TRACK_FREE, _TURN, _READY, _PULL_IN, _ADMIT, _APPROACH, _DUE = (kind << 48 for kind in range(8))
_KIND: Final = 7 << 48


class Trains:
    """The trains of a plan from its operating day's start on, a window at a time.

    ``watch`` is called with every `Movement`; it costs speed and is for tests and `cta network --fidelity`.
    """

    def __init__(self, network: Network, plan: Plan, watch: Callable[[Movement], None] | None = None) -> None:
        self._network = network
        self._plan = plan
        self._watch = watch
        self._standing: dict[Train, tuple[int, int, int]] = {}
        self._faults = TrackFaults(network, plan)
        self._railway = Railway(network, plan.lines)
        self._yards: dict[str, list[tuple[str, Train]]] = {}
        self.fleet: dict[str, tuple[str, ...]] = {}
        """The ids of each line's trains."""
        self._trains: list[Train] = []
        for line in plan.lines:
            trains = trains_of(network, line, plan.service)
            self.fleet[line] = tuple(train.train_id for train in trains)
            self._trains += trains
            self._yards[line] = [(train.train_id, train) for train in trains]
        self._heap: list[tuple[int, int, Train | partial[None]]] = []
        self._serial = 0
        self._out: list[tuple[int, str, Content]] = []
        self._alerts: list[tuple[int, str, Content]] = []
        self._contents: dict[tuple[str, TrainStatus, int, Direction, tuple[int, Direction] | None], Content] = {}
        self._mark_legs()
        self._begin()

    def _mark_legs(self) -> None:
        faults = self._faults
        for route in self._railway.routes.values():
            for leg in route.legs:
                call = leg.call
                leg.watched = call.station_id in faults.closed or (
                    (route.pattern.line, call.station_id, call.direction) in faults.breakdowns
                )
                if leg.track:
                    leg.track.slow = leg.track.hop in faults.slow

    def until(self, time_ms: int) -> tuple[list[tuple[int, Content]], list[tuple[int, Content]]]:
        """The arrivals, and the breakdowns' alerts, before ``time_ms`` and not given yet; each in order.

        Arrivals before the plan's window are lived through and not given.
        """
        self._run(time_ms)
        return self._settled(self._out, time_ms), self._settled(self._alerts, time_ms)

    def _settled(self, records: list[tuple[int, str, Content]], time_ms: int) -> list[tuple[int, Content]]:
        start_ms = self._plan.window.start_ms
        records.sort()
        n = next((i for i, record in enumerate(records) if record[0] >= time_ms), len(records))
        settled = [(at_ms, content) for at_ms, _, content in records[:n] if at_ms >= start_ms]
        del records[:n]
        return settled

    def in_yard(self, line: str) -> list[str]:
        """The ids of the line's trains in its yard, as of the last `until`."""
        return sorted(train_id for train_id, _ in self._yards[line])

    def turning(self) -> list[tuple[int, int, int]]:
        """(turn tracks taken, trains that hold one, tracks there are) a terminal, as of the last `until`."""
        leaving = [
            what.keywords["turnback"]
            for _, order, what in self._heap
            if isinstance(what, partial) and order & _KIND == _TRACK_FREE
        ]
        holding = [train.track_at for train in self._trains if train.track_at] + leaving
        return [
            (turnback.used, sum(held is turnback for held in holding), turnback.terminal.tracks)
            for turnback in self._railway.turnbacks.values()
        ]

    # The kernel: one event a call.

    def _run(self, until_ms: int) -> None:
        heap = self._heap
        while heap and heap[0][0] < until_ms:
            time_ms, _, what = heap[0]
            if not isinstance(what, Train):
                heappop(heap)
                what(time_ms)
                continue
            train = what
            index = train.index
            leg = train.legs[index]
            platform = leg.platform
            arrive_ms = platform.free_ms
            if arrive_ms == UNKNOWN:
                heappop(heap)
                platform.queue.append(train)
                continue
            if arrive_ms < time_ms:
                arrive_ms = time_ms
            platform.arrived_ms = arrive_ms
            ready_ms = arrive_ms + train.dwells_ms[index]
            if leg.watched:
                ready_ms = self._call_under_faults(train, leg, arrive_ms, ready_ms)
            else:
                self._serve(arrive_ms, train, leg)
            track = leg.track
            if track is None:
                heappop(heap)
                platform.free_ms = UNKNOWN
                self._push(ready_ms, _TURN, partial(self._turn, train=train))
                if self._watch:
                    self._standing[train] = time_ms, arrive_ms, ready_ms
                continue
            run_ms = train.runs_ms[index]
            if track.slow:
                run_ms = self._faults.slowed_ms(track.hop, run_ms, ready_ms)
            leave_ms = ready_ms if ready_ms > track.entry_ms else track.entry_ms
            ahead_ms = leg.ahead.free_ms  # type: ignore[union-attr]
            if ahead_ms != UNKNOWN and ahead_ms - run_ms > leave_ms:
                leave_ms = ahead_ms - run_ms
            track.entry_ms = leave_ms + _SEPARATION_MS
            reach_ms = leave_ms + run_ms
            if reach_ms < track.exit_ms:
                reach_ms = track.exit_ms
            track.exit_ms = reach_ms
            free_ms = leave_ms + _CLEAR_MS
            apart_ms = arrive_ms + _SEPARATION_MS
            platform.free_ms = free_ms if free_ms > apart_ms else apart_ms
            train.index = index + 1
            self._serial += 1
            if self._watch:
                self._tell(train, index, time_ms, arrive_ms, ready_ms, leave_ms)
            heapreplace(heap, (reach_ms, _APPROACH + self._serial, train))
            if train.track_at is not None:
                self._push(arrive_ms, _TRACK_FREE, partial(self._track_free, turnback=train.track_at))
                train.track_at = None

    def _push(self, time_ms: int, kind: int, what: Train | partial[None]) -> None:
        self._serial += 1
        heappush(self._heap, (time_ms, kind + self._serial, what))

    def _tell(self, train: Train, call: int, approach_ms: int, arrive_ms: int, ready_ms: int, depart_ms: int) -> None:
        assert train.route is not None
        assert self._watch is not None
        pattern, leg = train.route.pattern.name, train.legs[call]
        self._watch(
            Movement(
                train.train_id,
                train.line,
                pattern,
                call,
                leg.call.stop_id,
                approach_ms,
                arrive_ms,
                ready_ms,
                depart_ms,
                leg.track is None,
            )
        )

    def _serve(self, time_ms: int, train: Train, leg: Leg) -> None:
        """The usual record. A train comes to a leg from the same place again and again: by far the most are known there."""
        known = leg.contents.get(train.train_id)
        if known is not None and known[0] is train.last:
            train.last = leg.place
            self._out.append((time_ms, train.train_id, known[1]))
            return
        last = train.last
        self._record(time_ms, train, "in_service", leg)
        leg.contents[train.train_id] = (last, self._out[-1][2])

    def _record(self, time_ms: int, train: Train, status: TrainStatus, leg: Leg) -> None:
        call = leg.call
        key = (train.train_id, status, call.station_id, call.direction, train.last)
        content = self._contents.get(key)
        if content is None:
            station_id, direction = train.last or (None, None)
            value = Arrival(call.station_id, train.train_id, call.direction, train.line, status, station_id, direction)
            content = self._contents[key] = Content(ARRIVALS, train.key, value)
        train.last = leg.place
        self._out.append((time_ms, train.train_id, content))

    def _call_under_faults(self, train: Train, leg: Leg, arrive_ms: int, ready_ms: int) -> int:
        """When the train can leave a platform where a fault may strike; its record, if it stops."""
        call = leg.call
        if self._faults.is_closed(call.station_id, arrive_ms):
            return arrive_ms
        fault = self._faults.strike(train.line, call.station_id, call.direction, arrive_ms)
        if fault is None:
            self._record(arrive_ms, train, "in_service", leg)
            return ready_ms
        self._record(arrive_ms, train, "broken_down", leg)
        stands = Window(arrive_ms, arrive_ms + fault.window.duration_ms)
        told_ms = max(arrive_ms, self._plan.window.start_ms)  # one that began before the run is told at its start
        if stands.end_ms > told_ms:
            content = alert(self._network, fault, stands, train.train_id)
            self._alerts.append((told_ms, content.entity, content))
        return stands.end_ms

    # Terminals.

    def _turn(self, time_ms: int, train: Train) -> None:
        assert train.route is not None
        turnback = train.route.destination
        if turnback.used < turnback.terminal.tracks:
            self._take_track(time_ms, train, turnback)
        elif self._pulls_in(turnback):
            self._clear_platform(time_ms, train)
            self._pull_in(time_ms, train, turnback)
        else:
            turnback.waiting.append(train)

    def _pulls_in(self, turnback: Turnback) -> bool:
        return turnback.terminal.yard and not isinstance(self._plan.service, Headways)

    def _take_track(self, time_ms: int, train: Train, turnback: Turnback) -> None:
        turnback.used += 1
        train.track_at = turnback
        train.stay += 1
        self._clear_platform(time_ms, train)
        min_turn_ms = turnback.terminal.min_turn_s * 1000
        self._push(time_ms + min_turn_ms, _READY, partial(self._ready, train=train, turnback=turnback))
        if self._pulls_in(turnback):
            idle_ms = max(IDLE_TURN_S * 1000, min_turn_ms)
            pull_in = partial(self._idle, train=train, turnback=turnback, stay=train.stay)
            self._push(time_ms + idle_ms, _PULL_IN, pull_in)

    def _clear_platform(self, time_ms: int, train: Train) -> None:
        if self._watch:
            self._tell(train, len(train.legs) - 1, *self._standing.pop(train), time_ms)
        platform = train.legs[-1].platform
        platform.free_ms = max(time_ms + _CLEAR_MS, platform.arrived_ms + _SEPARATION_MS)
        for waiting in platform.queue:
            self._push(time_ms, _ADMIT, waiting)
        platform.queue.clear()

    def _ready(self, time_ms: int, train: Train, turnback: Turnback) -> None:
        turnback.ready.append(train)
        if isinstance(self._plan.service, Headways):
            turnback.due.append(Trip(shuttle(self._railway, turnback), time_ms))
        self._dispatch(time_ms, turnback)

    def _idle(self, time_ms: int, train: Train, turnback: Turnback, stay: int) -> None:
        if train.stay == stay and train in turnback.ready:
            turnback.ready.remove(train)
            train.track_at = None
            self._pull_in(time_ms, train, turnback)
            self._track_free(time_ms, turnback)

    def _pull_in(self, time_ms: int, train: Train, turnback: Turnback) -> None:
        self._record(time_ms, train, "out_of_service", train.legs[-1])
        train.last = None
        self._push(time_ms + YARD_S * 1000, _READY, partial(self._in_yard, train=train))

    def _in_yard(self, time_ms: int, train: Train) -> None:
        heappush(self._yards[train.line], (train.train_id, train))
        for other in self._railway.turnbacks.values():
            if other.terminal.line == train.line and other.terminal.yard:
                self._dispatch(time_ms, other)

    def _track_free(self, time_ms: int, turnback: Turnback) -> None:
        turnback.used -= 1
        if turnback.waiting:
            self._take_track(time_ms, turnback.waiting.popleft(), turnback)

    # Departures.

    def _begin(self) -> None:
        plan = self._plan
        if isinstance(plan.service, Headways):
            for line in plan.lines:
                self._push_next(line, at_headways(self._railway, line, plan.service, plan.window.start_ms))
            return
        day = service_day_of(plan.window.start_ms)
        warm_ms = operating_day_start_ms(day) - WARM_UP_S * 1000
        for line in plan.lines:
            yesterdays = timetabled(self._network, self._railway, line, day - timedelta(days=1))
            self._push_next(line, (trip for trip in yesterdays if trip.scheduled_ms >= warm_ms))
        self._push(operating_day_start_ms(day) - _DWELL_MS, _DAY, partial(self._new_day, day=day))

    def _new_day(self, time_ms: int, day: date) -> None:
        for line in self._plan.lines:
            self._push_next(line, timetabled(self._network, self._railway, line, day))
        tomorrow = day + timedelta(days=1)
        self._push(operating_day_start_ms(tomorrow) - _DWELL_MS, _DAY, partial(self._new_day, day=tomorrow))

    def _push_next(self, line: str, trips: Iterator[Trip]) -> None:
        """The line's next departure falls due a dwell before it is scheduled: the train stands at the platform first."""
        trip = next(trips, None)
        if trip is not None:
            self._push(trip.scheduled_ms - _DWELL_MS, _DUE, partial(self._due, line=line, trip=trip, later=trips))

    def _due(self, time_ms: int, line: str, trip: Trip, later: Iterator[Trip]) -> None:
        trip.route.origin.due.append(trip)
        self._dispatch(time_ms, trip.route.origin)
        self._push_next(line, later)

    def _dispatch(self, time_ms: int, turnback: Turnback) -> None:
        """Send out what is due: the longest-waiting ready train, else one from the yard, else it waits for either.

        At headways all trains come out of the yard at first, and at terminal a, whether it has one or not.
        """
        terminal = turnback.terminal
        yard_there = terminal.yard or isinstance(self._plan.service, Headways)
        while turnback.due:
            if turnback.ready:
                train = turnback.ready.popleft()
            elif yard_there and self._yards[terminal.line]:
                train = heappop(self._yards[terminal.line])[1]
            else:
                return
            set_out(train, turnback.due.popleft(), self._plan.seed)
            self._push(time_ms, _APPROACH, train)
