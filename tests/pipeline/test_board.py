"""The board: what the page shows, and the laws of a state that merges."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.broker.partition import partition
from cta.model.batch import Batch, Content
from cta.model.records import Alert, AlertKey, Arrival, StationTableRow, TrainKey, TrainStatus
from cta.model.topics import ALERTS, ARRIVALS, STATIONS, STATIONS_TABLE, TURNSTILE, WEATHER
from cta.network.load import chicago
from cta.pipeline.board import Board, Row
from cta.pipeline.stations import table_content
from tests.pipeline.streams import Record, batches, entry, streams, weather

ROWS = (
    StationTableRow(1, "Clark/Lake", 0, "red"),
    StationTableRow(2, "Jackson", 1, "red"),
    StationTableRow(1, "Clark/Lake", 0, "blue"),
)


def arrival(train: str, station_id: int, status: TrainStatus = "in_service", line: str = "red") -> Content:
    return Content(ARRIVALS, TrainKey(train), Arrival(station_id, train, "a", line, status, None, None))


def closure(alert_id: str, active_from: int, active_to: int | None, text: str = "Closed") -> Content:
    alert = Alert("NO_SERVICE", "MAINTENANCE", None, 2, None, active_from, active_to, text)
    return Content(ALERTS, AlertKey(alert_id), alert)


def board_of(*records: Record) -> Board:
    board = Board(ROWS)
    board.fold(Batch.of(records))
    return board


def trains_of(board: Board) -> list[tuple[str, int, str, list[str]]]:
    """Every cell that has trains: (line, station, direction, trains newest first)."""
    return [
        (line["line"], station["station_id"], direction, [train["train_id"] for train in station[direction]])
        for line in board.document()["lines"]
        for station in line["stations"]
        for direction in ("a", "b")
        if station[direction]
    ]


# What the page shows


def test_an_empty_board_has_its_stations_and_nothing_on_them() -> None:
    """Before the first record there is no time, no weather, and every cell is empty."""
    board = Board([StationTableRow(2, "Jackson", 1, "red")])
    jackson = {"station_id": 2, "name": "Jackson", "order": 1, "a": [], "b": [], "entries": 0}
    assert board.document() == {
        "time": None,
        "weather": None,
        "lines": [{"line": "red", "name": "red", "color": "", "stations": [jackson]}],
        "alerts": [],
    }


def test_the_document_is_the_page() -> None:
    """Trains stand in their cell, entries on each line of their station, the alert in force below; time is the last."""
    board = board_of(
        (1, arrival("RD1", 1)),
        (2, entry(1)),
        (2, entry(1)),
        weather(3, 41.5, "cloudy"),
        (3, closure("x", 3, 9)),
        (4, arrival("RD2", 1, "broken_down")),
    )
    rd1 = {"train_id": "RD1", "status": "in_service", "time": 1}
    rd2 = {"train_id": "RD2", "status": "broken_down", "time": 4}
    clark = {"station_id": 1, "name": "Clark/Lake", "order": 0, "a": [], "b": [], "entries": 2}
    jackson = {"station_id": 2, "name": "Jackson", "order": 1, "a": [], "b": [], "entries": 0}
    assert board.document() == {
        "time": 4,
        "weather": {"temperature": 41.5, "status": "cloudy", "time": 3},
        "lines": [
            {"line": "blue", "name": "blue", "color": "", "stations": [clark]},
            {"line": "red", "name": "red", "color": "", "stations": [{**clark, "a": [rd2, rd1]}, jackson]},
        ],
        "alerts": [
            {
                "alert_id": "x",
                "effect": "NO_SERVICE",
                "cause": "MAINTENANCE",
                "line": None,
                "station_id": 2,
                "train_id": None,
                "active_from": 3,
                "active_to": 9,
                "text": "Closed",
            }
        ],
    }


def test_a_train_is_only_where_it_arrived_last() -> None:
    """Its next arrival takes it out of the cell before."""
    assert trains_of(board_of((1, arrival("RD1", 1)), (2, arrival("RD1", 2)))) == [("red", 2, "a", ["RD1"])]


def test_a_train_out_of_service_leaves_the_page_for_good() -> None:
    """An arrival from before, delivered late, does not bring it back; one from after does."""
    gone = [(2, arrival("RD1", 2, "out_of_service")), (1, arrival("RD1", 1))]
    assert trains_of(board_of(*gone)) == []
    assert trains_of(board_of(*gone, (3, arrival("RD1", 1)))) == [("red", 1, "a", ["RD1"])]


def test_of_two_arrivals_at_one_moment_the_greater_content_stands() -> None:
    """Canonical bytes break the tie: station 2 is written after station 1, in either order of delivery."""
    first, second = (1, arrival("RD1", 1)), (1, arrival("RD1", 2))
    assert trains_of(board_of(first, second)) == trains_of(board_of(second, first)) == [("red", 2, "a", ["RD1"])]


def test_a_cell_lists_trains_newest_first() -> None:
    """By event time, not by delivery; trains of one moment by their ids."""
    board = board_of((2, arrival("RD3", 1)), (2, arrival("RD2", 1)), (5, arrival("RD4", 1)), (1, arrival("RD1", 1)))
    assert trains_of(board) == [("red", 1, "a", ["RD4", "RD2", "RD3", "RD1"])]


@pytest.mark.parametrize("at_ms, shown", [(2, []), (3, ["x"]), (8, ["x"]), (9, []), (None, ["x"])])
def test_an_alert_is_shown_while_it_is_in_force(at_ms: int | None, shown: list[str]) -> None:
    """From active_from on and before active_to, at the moment asked for or at the board's own time."""
    board = board_of((1, closure("x", 3, 9)), (5, entry(1)))
    assert [alert["alert_id"] for alert in board.document(at_ms)["alerts"]] == shown


def test_an_alert_is_what_was_said_of_it_last() -> None:
    """A later record of the same id replaces it; alerts stand by the time they begin, an open one stays."""
    board = board_of(
        (2, closure("x", 2, None, "Closed until noon")), (1, closure("x", 1, 5)), (1, closure("y", 1, None))
    )
    alerts = board.document()["alerts"]
    assert [(alert["alert_id"], alert["text"]) for alert in alerts] == [("y", "Closed"), ("x", "Closed until noon")]


def test_a_station_row_of_the_stream_replaces_the_one_given() -> None:
    """The table may be corrected while the page runs."""
    board = board_of((0, table_content(StationTableRow(2, "Jackson/State", 0, "red"))))
    names = [station["name"] for line in board.document()["lines"] for station in line["stations"]]
    assert names == ["Clark/Lake", "Clark/Lake", "Jackson/State"]


def test_stations_of_the_same_order_stand_by_their_ids() -> None:
    """Two branches may count alike; whose row came first does not show."""
    rows = [StationTableRow(3, "Ashland", 7, "green"), StationTableRow(2, "Cottage Grove", 7, "green")]
    assert [row.station for row in Board(rows).rows()] == ["Cottage Grove", "Ashland"]


def test_records_that_the_page_does_not_show_are_passed_over() -> None:
    """Platform rows are the stations table's business."""
    platform = Content(STATIONS, {"stop_id": 30001}, {"stop_id": 30001, "station_id": 1})
    assert board_of((1, platform)).document() == Board(ROWS).document()


def test_the_json_is_canonical_and_the_digest_is_of_it() -> None:
    """Keys sorted, no spaces, UTF-8; blake2b-128."""
    board = board_of((1, arrival("RD1", 1)), weather(2, 41.5))
    canonical = json.dumps(board.document(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert board.to_json() == canonical
    assert board.digest() == blake2b(canonical, digest_size=16).hexdigest()


def test_rows_are_the_pages_table() -> None:
    """A row a line and station; a train's status is named unless it is in service."""
    board = board_of((1, arrival("RD1", 1)), (4, arrival("RD2", 1, "broken_down")), (4, entry(1)))
    assert board.rows() == [
        Row("blue", "", "Clark/Lake", "", "", 1),
        Row("red", "", "Clark/Lake", "RD2 (broken down), RD1", "", 1),
        Row("red", "", "Jackson", "", "", 0),
    ]


def test_chicagos_page_has_every_station_once_a_line() -> None:
    """Lines in the network's order, named and coloured; stations from terminal a on."""
    lines = Board.for_network(chicago()).document()["lines"]
    assert [(line["name"], line["color"], len(line["stations"])) for line in lines] == [
        ("Red Line", "#C60C30", 33),
        ("Blue Line", "#00A1DE", 33),
        ("Brown Line", "#62361B", 27),
        ("Green Line", "#009B3A", 31),
        ("Orange Line", "#F9461C", 16),
        ("Pink Line", "#E27EA6", 22),
        ("Purple Line", "#522398", 26),
        ("Yellow Line", "#F9E300", 3),
    ]
    assert [station["name"] for station in lines[7]["stations"]] == ["Dempster-Skokie", "Oakton-Skokie", "Howard"]


def test_a_page_of_some_lines_has_only_these() -> None:
    """In the network's order, whatever the order they were named in."""
    lines = Board.for_network(chicago(), ["yellow", "red"]).document()["lines"]
    assert [line["line"] for line in lines] == ["red", "yellow"]


# Laws


def state(board: Board) -> dict[str, Any]:
    """What a board shows, and what it could: alerts at every moment, entries at stations that it has no row of."""
    alerts = [board.document(at_ms)["alerts"] for at_ms in range(7)]
    entries = [board.entries(station_id) for station_id in (1, 2, 3)]
    return {"page": board.document(), "alerts": alerts, "entries": entries}


@given(streams)
def test_the_board_is_the_latest_record_of_each_slot(records: list[Record]) -> None:
    """Said plainly, by sorting the whole stream: the last of each train, of the weather; entries by station."""
    document = board_of(*records).document()
    in_order = sorted(records, key=lambda record: (record[0], record[1].fragment))
    last = {content.entity: (t, content.value) for t, content in in_order if content.topic is ARRIVALS}
    on_the_page = {(line, row["station_id"]) for line, row in _station_rows(document)}
    assert {
        (line, row["station_id"], direction, train["train_id"], train["status"], train["time"])
        for line, row in _station_rows(document)
        for direction in ("a", "b")
        for train in row[direction]
    } == {
        (value.line, value.station_id, value.direction, train, value.train_status, t)
        for train, (t, value) in last.items()
        if value.train_status != "out_of_service" and (value.line, value.station_id) in on_the_page
    }
    readings = [(t, content.value) for t, content in in_order if content.topic is WEATHER]
    assert document["weather"] == (
        {"temperature": readings[-1][1].temperature, "status": readings[-1][1].status, "time": readings[-1][0]}
        if readings
        else None
    )
    entered = Counter(content.key.station_id for _, content in records if content.topic is TURNSTILE)
    assert all(row["entries"] == entered[row["station_id"]] for _, row in _station_rows(document))
    timed = [t for t, content in records if content.topic is not STATIONS_TABLE]
    assert document["time"] == max(timed, default=None)


@given(streams, st.integers(1, 4), st.data())
def test_the_board_is_the_same_from_any_interleaving_with_repetitions(
    records: list[Record], partitions: int, data: st.DataObject
) -> None:
    """Partitions keep their own order and nothing else; all but entries may come again, anywhere."""
    logs: dict[tuple[str, int], list[Record]] = {}
    for time_ms, content in records:
        place = (content.topic.name, partition(content.entity, partitions))
        logs.setdefault(place, []).append((time_ms, content))
    turns = data.draw(st.permutations([place for place, log in logs.items() for _ in log]))
    delivered = [logs[place].pop(0) for place in turns]
    again = [record for record in delivered if record[1].topic is not TURNSTILE]
    if again:
        for record in data.draw(st.lists(st.sampled_from(again), max_size=6)):
            delivered.insert(data.draw(st.integers(0, len(delivered))), record)

    assert state(board_of(*delivered)) == state(board_of(*records))


@given(streams, st.sampled_from([1, 2, 3]), st.integers(0, 5), st.integers(0, 50))
def test_k_repeated_entries_add_exactly_k(records: list[Record], station_id: int, time_ms: int, k: int) -> None:
    """Each is counted, at its station and at no other."""
    before, after = board_of(*records), board_of(*records, *[(time_ms, entry(station_id))] * k)
    assert [after.entries(station) - before.entries(station) for station in (1, 2, 3)] == [
        k if station == station_id else 0 for station in (1, 2, 3)
    ]


@given(streams, st.lists(st.integers(0, 25), max_size=4))
def test_batches_of_any_size_make_the_same_board(records: list[Record], cuts: list[int]) -> None:
    """Where a stream is cut into batches does not show; nor do contents that stand twice or are not used."""
    whole = Batch.of(records)
    doubled = Batch(whole.times, whole.codes + len(whole.contents) * (np.arange(len(whole)) % 2), [*whole.contents] * 2)
    board = Board(ROWS)
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    for start, stop in itertools.pairwise(bounds):
        board.fold(doubled[start:stop])
    assert state(board) == state(board_of(*records))


@given(batches, batches)
def test_merging_is_commutative(left: Batch, right: Batch) -> None:
    """Which half comes first does not show."""
    a, b = _folded(left), _folded(right)
    assert state(a.merge(b)) == state(b.merge(a))


@given(batches, batches, batches)
def test_merging_is_associative(first: Batch, second: Batch, third: Batch) -> None:
    """How the parts are grouped does not show."""
    a, b, c = _folded(first), _folded(second), _folded(third)
    assert state(a.merge(b).merge(c)) == state(a.merge(b.merge(c)))


@given(streams)
def test_merging_is_idempotent_in_everything_but_counts(records: list[Record]) -> None:
    """A board merged with itself is itself, with each entry counted twice."""
    board = board_of(*records)
    again = board_of(*records, *[record for record in records if record[1].topic is TURNSTILE])
    assert state(board.merge(board)) == state(again)


@given(batches, batches)
def test_merging_folded_halves_is_folding_the_whole(left: Batch, right: Batch) -> None:
    """A stream may be split among boards in any way; merging leaves both as they were."""
    a, b = _folded(left), _folded(right)
    before = (state(a), state(b))
    assert state(a.merge(b)) == state(board_of(*left, *right))
    assert (state(a), state(b)) == before


def _folded(batch: Batch) -> Board:
    board = Board(ROWS)
    board.fold(batch)
    return board


def _station_rows(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(line["line"], row) for line in document["lines"] for row in line["stations"]]
