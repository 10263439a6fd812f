"""Laws of the railway, on generated networks and on Chicago's."""

import itertools
from collections import Counter

from msgspec.structs import replace

from cta.model.records import Arrival
from cta.model.scenario import Headways, Scenario
from cta.model.time import HOUR_MS, service_day_of, service_day_zero_ms
from cta.network.load import chicago
from cta.network.network import SEPARATION_S, Terminal
from cta.simulation.plan import Closure, SlowZone
from cta.simulation.trains import CLEAR_S
from cta.testing.documents import Case
from tests.simulation.watched import OUT_OF_SLOW, Watched, grouped, on_networks, watch

SEPARATION_MS = SEPARATION_S * 1000


@on_networks
def test_no_two_trains_share_a_platform(case: Case) -> None:
    """The next train arrives at a platform when the one before has left and drawn out, and never within 60 s of it."""
    seen = watch(case)
    for _, moves in grouped(seen.movements, lambda move: move.stop_id):
        moves.sort(key=lambda move: move.arrive_ms)
        for before, after in itertools.pairwise(moves):
            assert after.arrive_ms >= before.depart_ms + CLEAR_S * 1000
            assert after.arrive_ms >= before.arrive_ms + SEPARATION_MS


@on_networks
def test_trains_on_an_edge_are_separated_at_both_ends(case: Case) -> None:
    """Whatever their lines, two trains enter and leave a piece of track at least 60 s apart."""
    for _, hops in grouped(list(watch(case).hops()), lambda hop: hop[0]):
        entries = sorted(before.depart_ms for _, before, _ in hops)
        exits = sorted(after.arrive_ms for _, _, after in hops)
        for times in (entries, exits):
            assert all(later - earlier >= SEPARATION_MS for earlier, later in itertools.pairwise(times))


@on_networks
def test_trains_do_not_overtake_between_stations(case: Case) -> None:
    """Trains come out of a piece of track in the order in which they went in."""
    for _, hops in grouped(list(watch(case).hops()), lambda hop: hop[0]):
        hops.sort(key=lambda hop: hop[1].depart_ms)
        exits = [after.arrive_ms for _, _, after in hops]
        assert exits == sorted(exits)


@on_networks
def test_a_hop_takes_no_less_than_its_time(case: Case) -> None:
    """A run over an edge takes its travel time less 6 % at least."""
    seen = watch(case)
    for hop, before, after in seen.hops():
        run_ms = after.approach_ms - before.depart_ms
        assert run_ms >= seen.network.edges[hop].travel_s * 940


def test_a_slow_zone_slows_trains_both_ways_and_only_in_its_time() -> None:
    """Those that are ready to leave within it take six times as long; those before, and those that meet none of them, do not."""
    seen = watch(Case(chicago(), OUT_OF_SLOW))
    (zone,) = seen.plan.faults
    assert isinstance(zone, SlowZone)
    ends = {zone.from_station_id, zone.to_station_id}
    ways = 0
    for hop, runs in grouped(list(seen.hops()), lambda run: run[0]):
        if {seen.network.platforms[stop].station_id for stop in hop} != ends:
            continue
        usual_ms = seen.network.edges[hop].travel_s * 1000
        slow = [(before, after) for _, before, after in runs if zone.window.holds(before.ready_ms)]
        clear_ms = max(after.approach_ms for _, after in slow)
        late = [(before, after) for _, before, after in runs if before.depart_ms >= clear_ms]
        early = [(before, after) for _, before, after in runs if before.ready_ms < zone.window.start_ms]
        assert late
        assert all(after.approach_ms - before.depart_ms >= 6 * 0.94 * usual_ms for before, after in slow)
        assert all(after.approach_ms - before.depart_ms <= 1.06 * usual_ms for before, after in early + late)
        ways += 1
    assert ways == 2


@on_networks
def test_consecutive_arrivals_are_neighbours_on_the_service(case: Case) -> None:
    """With closed stations taken out, a train's next record is the next call of a pattern, a turn, or the yard."""
    seen = watch(case)
    closable = {fault.station_id for fault in seen.plan.faults if isinstance(fault, Closure)}
    allowed = {line: _successors(seen, line, closable) for line in seen.plan.lines}
    for _, records in grouped(seen.arrivals, lambda record: record[1].entity):
        for (_, before), (_, after) in itertools.pairwise(records):
            was, now = before.value, after.value
            if was.train_status != "out_of_service":
                assert ((was.station_id, was.direction), _place(now)) in allowed[now.line]


def _place(arrival: Arrival) -> tuple[int, str]:
    place = (arrival.station_id, arrival.direction)
    return ("yard", *place) if arrival.train_status == "out_of_service" else place  # type: ignore[return-value]


def _successors(seen: Watched, line: str, closable: set[int]) -> set[tuple[object, object]]:
    """Every (place, next place) that the line's patterns and terminals allow, any closable station open or closed."""
    pairs: set[tuple[object, object]] = set()
    patterns = [pattern for pattern in seen.network.patterns.values() if pattern.line == line]
    for pattern in patterns:
        calls = [(call.station_id, call.direction) for call in pattern.calls]
        for start, end in itertools.combinations(range(len(calls)), 2):
            if all(station_id in closable for station_id, _ in calls[start + 1 : end]):
                pairs.add((calls[start], calls[end]))
        pairs.add((calls[-1], ("yard", *calls[-1])))
        pairs.update(
            (calls[-1], (other.calls[0].station_id, other.calls[0].direction))
            for other in patterns
            if other.calls[0].station_id == calls[-1][0]
        )
    return pairs


@on_networks
def test_prev_names_where_the_train_last_served(case: Case) -> None:
    """prev_station_id and prev_direction are the record's before, and null on the first out of the yard."""
    for _, records in grouped(watch(case).arrivals, lambda record: record[1].entity):
        for (_, before), (_, after) in itertools.pairwise(records):
            was, now = before.value, after.value
            last = (None, None) if was.train_status == "out_of_service" else (was.station_id, was.direction)
            assert (now.prev_station_id, now.prev_direction) == last


@on_networks
def test_a_train_has_one_record_at_a_time(case: Case) -> None:
    """Its records' times rise: which of them is the last is never left to their bytes."""
    for _, records in grouped(watch(case).arrivals, lambda record: record[1].entity):
        assert all(before < after for (before, _), (after, _) in itertools.pairwise(records))


@on_networks
def test_in_service_and_yard_are_the_fleet(case: Case) -> None:
    """A train is in the yard once or in service; what the records say last of a train in the yard is that it pulled in."""
    seen = watch(case)
    last = {content.entity: content.value for _, content in seen.arrivals}
    for line, fleet in seen.trains.fleet.items():
        in_yard = seen.trains.in_yard(line)
        assert len(in_yard) == len(set(in_yard))
        assert set(in_yard) <= set(fleet)
        assert {train_id for train_id, arrival in last.items() if arrival.line == line} <= set(fleet)
        assert all(last[train_id].train_status == "out_of_service" for train_id in in_yard if train_id in last)


@on_networks
def test_no_train_is_lost_on_its_way(case: Case) -> None:
    """Half a day later each train that is out has moved within six hours, or it stands at a terminal.

    Where there is no yard it may stand at the arrival platform, or before it, until a departure frees a track.
    """
    seen = watch(case)
    end_ms = seen.plan.window.end_ms + 12 * HOUR_MS
    seen.trains.until(end_ms)
    last = {move.train_id: move for move in seen.movements}
    for line, fleet in seen.trains.fleet.items():
        for train_id in set(fleet) - set(seen.trains.in_yard(line)):
            move = last[train_id]
            calls = seen.network.patterns[move.pattern].calls
            yard = seen.network.terminals[line, calls[-1].station_id].yard
            waits = not yard and move.call == len(calls) - 2
            assert move.last or waits or move.arrive_ms > end_ms - 6 * HOUR_MS


@on_networks
def test_every_train_at_headways_sets_out(case: Case) -> None:
    """Whether or not terminal a has a yard, none is left over when the last of them was due."""
    headways = Headways(trains=4, headway="PT10M")
    seen = watch(Case(case.network, replace(case.scenario, service=headways, duration="PT1H", faults=[])))
    assert {line: seen.trains.in_yard(line) for line in seen.plan.lines} == {line: [] for line in seen.plan.lines}


@on_networks
def test_no_record_at_a_closed_station(case: Case) -> None:
    """A closed station is passed without a record."""
    seen = watch(case)
    for fault in seen.plan.faults:
        if isinstance(fault, Closure):
            assert not [
                content
                for time_ms, content in seen.arrivals
                if content.value.station_id == fault.station_id and fault.window.holds(time_ms)
            ]


@on_networks
def test_a_closed_station_is_passed_without_a_stop(case: Case) -> None:
    """A train that comes to a closed platform could leave at once."""
    seen = watch(case)
    closures = [fault for fault in seen.plan.faults if isinstance(fault, Closure)]
    for move in seen.movements:
        station_id = seen.network.platforms[move.stop_id].station_id
        if any(fault.station_id == station_id and fault.window.holds(move.arrive_ms) for fault in closures):
            assert move.ready_ms == move.arrive_ms


@on_networks
def test_a_terminal_never_holds_more_trains_than_tracks(case: Case) -> None:
    """A turn track is taken by a train, the one waiting for a platform included, or free; there are so many."""
    assert all(used == trains <= tracks for used, trains, tracks in watch(case).trains.turning())


@on_networks
def test_a_train_pulls_in_at_once_or_after_twenty_minutes(case: Case) -> None:
    """At once where no turn track is free; else when nobody has needed it for so long, or for the least turn where that is longer."""
    seen = watch(case)
    left_ms = {(move.train_id, move.depart_ms) for move in seen.movements if move.last}
    for at_ms, content in seen.arrivals:
        arrival = content.value
        if arrival.train_status == "out_of_service":
            least_s = seen.network.terminals[arrival.line, arrival.station_id].min_turn_s
            waited_ms = max(20 * 60, least_s) * 1000
            assert {(arrival.train_id, at_ms), (arrival.train_id, at_ms - waited_ms)} & left_ms


@on_networks
def test_trains_turn_in_the_order_in_which_they_came(case: Case) -> None:
    """After the terminal's least turn at the soonest, and none before one that was there earlier and turned too."""
    seen = watch(case)
    ends = {(move.train_id, move.arrive_ms): move for move in seen.movements if move.last}
    starts = {(move.train_id, move.arrive_ms): move for move in seen.movements if move.call == 0}
    turns: list[tuple[Terminal, int, int]] = []
    for train_id, records in grouped(seen.arrivals, lambda record: record[1].entity):
        for (before_ms, content), (after_ms, _) in itertools.pairwise(records):
            end, start = ends.get((train_id, before_ms)), starts.get((train_id, after_ms))
            if end and start and content.value.train_status != "out_of_service":
                terminal = seen.network.terminals[content.value.line, content.value.station_id]
                assert start.approach_ms - end.depart_ms >= terminal.min_turn_s * 1000
                turns.append((terminal, end.depart_ms, start.approach_ms))
    for _, of_terminal in grouped(turns, lambda turn: turn[0]):
        started = [start_ms for _, _, start_ms in sorted(of_terminal, key=lambda turn: turn[1])]
        assert started == sorted(started)


def test_every_departure_of_the_timetable_is_made() -> None:
    """On a weekday without faults each departure of the table leaves, once, and none more than a turn's wait late."""
    scenario = Scenario(name="weekday", seed=1, start="2026-05-13T03:00:00-05:00", duration="PT23H")
    seen = watch(Case(chicago(), scenario))
    start_ms, end_ms = seen.plan.window.start_ms, seen.plan.window.end_ms
    zero_ms = service_day_zero_ms(service_day_of(start_ms))
    due_ms = [(pattern.name, zero_ms + time_s * 1000 - 20_000) for time_s, pattern in chicago().timetable["weekday"]]
    scheduled = Counter(name for name, at_ms in due_ms if at_ms < end_ms - 3_600_000)
    left = Counter(
        move.pattern
        for move in seen.movements
        if move.call == 0 and start_ms - 20_000 <= move.approach_ms < end_ms - 3_600_000
    )
    assert left == scheduled


def test_the_run_begins_with_the_trains_of_the_night_under_way() -> None:
    """Each departure of the two hours before the operating day is made, though no record of it is the run's."""
    seen = watch(Case(chicago(), Scenario(name="night", seed=1, start="2026-05-13T03:00:00-05:00", duration="PT10M")))
    start_ms = seen.plan.window.start_ms
    zero_ms = service_day_zero_ms(service_day_of(start_ms - 1))
    due_ms = [(pattern.name, zero_ms + time_s * 1000 - 20_000) for time_s, pattern in chicago().timetable["weekday"]]
    scheduled = Counter(name for name, at_ms in due_ms if start_ms - 2 * HOUR_MS <= at_ms < start_ms - 20_000)
    left = Counter(move.pattern for move in seen.movements if move.call == 0 and move.approach_ms < start_ms - 20_000)
    assert left == scheduled
    assert all(seen.plan.window.holds(time_ms) for time_ms, _ in seen.arrivals)
