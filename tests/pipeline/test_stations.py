"""Stations: platform rows as Connect gives them, and the table they make."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.model.batch import Content
from cta.model.errors import RecordError
from cta.model.records import StationTableKey, StationTableRow
from cta.model.topics import STATIONS_TABLE
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows, station_table, table_content, table_key, table_rows

HOWARD: dict[str, Any] = {
    "stop_id": 30173,
    "direction_id": "N",
    "stop_name": "Howard (Terminal arrival)",
    "station_name": "Howard",
    "station_descriptive_name": "Howard (Red, Purple & Yellow lines)",
    "station_id": 40900,
    "lat": 42.019063,
    "lon": -87.672892,
    "red": True,
    "red_order": 0,
    "blue": False,
    "blue_order": None,
    "yellow": True,
    "yellow_order": 2,
}


def test_a_platform_gives_a_row_for_each_line_it_serves() -> None:
    """Lines that are false give none, whatever their order says."""
    assert table_rows(HOWARD) == [
        StationTableRow(40900, "Howard", 0, "red"),
        StationTableRow(40900, "Howard", 2, "yellow"),
    ]


def test_a_platform_out_of_use_gives_no_row() -> None:
    """No line is true for it."""
    assert table_rows({**HOWARD, "red": False, "yellow": False}) == []


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("station_id", None, "station_id is None; it must be a whole number from 0"),
        ("station_id", "40900", "station_id is '40900'; it must be a whole number from 0"),
        ("station_name", "", "station_name is ''; it must be a text"),
        ("red", None, "red is None; it must be true or false"),
        ("red", 1, "red is 1; it must be true or false"),
        ("red_order", None, "red_order is None; it must be a whole number from 0"),
        ("red_order", True, "red_order is True; it must be a whole number from 0"),
        ("red_order", -1, "red_order is -1; it must be a whole number from 0"),
    ],
)
def test_a_bad_row_is_an_error_that_names_the_field(field: str, value: object, message: str) -> None:
    """One line: topic, stop, what stands there, what should."""
    with pytest.raises(RecordError) as caught:
        table_rows({**HOWARD, field: value})
    place, remedy = "org.chicago.cta.stations, stop 30173", "correct the row in the stations table"
    assert str(caught.value) == f"{place}: {message}; {remedy}"


@pytest.mark.parametrize("field", ["station_id", "station_name", "red"])
def test_a_missing_field_is_an_error_that_names_it(field: str) -> None:
    """A row without a stop id says so too."""
    row = {name: value for name, value in HOWARD.items() if name not in (field, "stop_id")}
    with pytest.raises(RecordError, match=f"^org.chicago.cta.stations, stop unknown: {field} is missing; "):
        table_rows(row)


def test_the_table_holds_the_last_value_a_key() -> None:
    """A platform row that was corrected replaces what it gave before."""
    renamed = {**HOWARD, "station_name": "Howard Street", "yellow": False}
    assert station_table([HOWARD, renamed]) == {
        "red:40900": StationTableRow(40900, "Howard Street", 0, "red"),
        "yellow:40900": StationTableRow(40900, "Howard", 2, "yellow"),
    }


def test_a_table_record_is_keyed_by_line_and_station() -> None:
    """So that a compacted topic keeps one row of each."""
    row = StationTableRow(40900, "Howard", 0, "red")
    assert table_content(row) == Content(STATIONS_TABLE, StationTableKey("red:40900"), row)


def test_chicagos_platform_rows_are_json_as_connect_gives_it() -> None:
    """A boolean and a nullable order a line; Howard is the Red Line's terminal a and the Yellow Line's terminal b."""
    rows = {row["stop_id"]: row for row in platform_rows(chicago())}
    assert len(rows) == 302
    assert json.loads(json.dumps(rows[30173])) == rows[30173]
    assert {field: rows[30173][field] for field in ("station_name", "red", "red_order", "blue", "blue_order")} == {
        "station_name": "Howard",
        "red": True,
        "red_order": 0,
        "blue": False,
        "blue_order": None,
    }


def test_chicagos_table_counts_every_line_from_its_terminal_a() -> None:
    """Each line's stations, once, in the order that the network gives them."""
    network = chicago()
    table = station_table(platform_rows(network)).values()
    by_line = {
        line: tuple(row.station_id for row in sorted(table, key=lambda row: row.order) if row.line == line)
        for line in network.lines
    }
    assert by_line == {line: network.stations_of(line) for line in network.lines}


@given(st.lists(st.sampled_from(platform_rows(chicago())), max_size=30), st.data())
def test_repeated_platform_rows_change_nothing(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever comes again, in whatever order, the table is that of the rows once."""
    again = data.draw(st.permutations(rows + rows))
    assert station_table(again) == station_table(rows)
    assert all(key == table_key(row) for key, row in station_table(rows).items())
