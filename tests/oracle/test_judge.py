"""The oracle is no use if it finds nothing: each way of spoiling a recording must be found by the check that is for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oracle import history, judge
from tests.oracle.conftest import Record
from tests.oracle.history import ALERTS, ARRIVALS, RANKS, TURNSTILE, WEATHER

_SCENARIO = {
    "name": "to_be_spoiled",
    "seed": 3,
    "start": "2026-05-13T06:45:00-05:00",
    "duration": "PT45M",
    "lines": ["brown", "pink"],
    "faults": [
        {"kind": "closure", "station": "Quincy/Wells", "start": "07:00", "duration": "PT20M"},
        {
            "kind": "breakdown",
            "line": "brown",
            "station": "Sedgwick",
            "direction": "b",
            "start": "07:05",
            "duration": "PT5M",
        },
        {
            "kind": "slow_zone",
            "line": "pink",
            "from_station": "54th/Cermak",
            "to_station": "Pulaski (Pink)",
            "factor": 3,
            "start": "06:50",
            "duration": "PT40M",
        },
        {"kind": "surge", "station": "Polk", "factor": 3, "start": "06:50", "duration": "PT15M"},
    ],
}
_SLOW_FROM = 1778673000000
_CLOSED, _CLOSED_FROM, _CLOSED_TO = 40040, 1778673600000, 1778674800000

_Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def recording(record: Record, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three quarters of an hour in which much goes wrong, none of it with the recording."""
    scenario = tmp_path_factory.mktemp("scenarios") / "to_be_spoiled.json"
    scenario.write_text(json.dumps(_SCENARIO), encoding="utf-8")
    return record(scenario)


def test_a_sound_recording_has_no_violations(recording: Path) -> None:
    """What follows is found because it was spoiled, and not because the oracle complains of everything."""
    assert judge.judge(recording).violations == {}


# ------------------------------------------------------------------------------------------------ spoiled records


def _run(records: _Records) -> _Records:
    """The arrivals of one brown train that is not the broken-down one, in the middle of a run."""
    trains = {r["key"]["train_id"] for r in records if r["value"].get("train_status") == "broken_down"}
    other = next(
        r["key"]
        for r in records
        if r["value"].get("line") == "brown" and r["key"].get("train_id") not in {None, *trains}
    )
    return [r for r in records if r["key"] == other]


def _first(records: _Records, topic: str, **value: Any) -> dict[str, Any]:
    return next(r for r in records if r["topic"] == topic and value.items() <= r["value"].items())


def drops_an_arrival(records: _Records) -> None:
    records.remove(_run(records)[3])


def moves_a_train_two_stations(records: _Records) -> None:
    run = _run(records)
    run[3]["value"]["station_id"] = run[5]["value"]["station_id"]
    run[4]["value"]["prev_station_id"] = run[5]["value"]["station_id"]


def says_that_a_train_came_from_elsewhere(records: _Records) -> None:
    _run(records)[3]["value"]["prev_direction"] = "a" if _run(records)[3]["value"]["prev_direction"] == "b" else "b"


def takes_a_train_off_between_terminals(records: _Records) -> None:
    _run(records)[3]["value"]["train_status"] = "out_of_service"


def runs_a_hop_in_a_second(records: _Records) -> None:
    run = _run(records)
    run[3]["t"] = run[2]["t"] + 1000


def stops_at_a_closed_station(records: _Records) -> None:
    arrivals = (r for r in records if r["topic"] == ARRIVALS and _CLOSED_FROM <= r["t"] < _CLOSED_TO)
    next(arrivals)["value"]["station_id"] = _CLOSED


def brings_two_trains_to_one_platform(records: _Records) -> None:
    at_morgan = [r for r in records if r["value"].get("direction") == "b" and r["value"]["station_id"] == 41510]
    first, second, *_ = at_morgan
    second["t"] = first["t"] + 59_999


def runs_fast_through_a_slow_zone(records: _Records) -> None:
    slow = [r for r in records if r["value"].get("line") == "pink" and r["value"].get("prev_station_id") == 40580]
    late = next(r for r in slow if r["t"] > _SLOW_FROM + 300_000 and r["value"]["direction"] == "b")
    came = max(r["t"] for r in records if r["key"] == late["key"] and r["t"] < late["t"])
    late["t"] = came + 140_000


def loses_a_trip(records: _Records) -> None:
    begins = next(r for r in records if r["topic"] == ARRIVALS and r["value"]["prev_station_id"] is None)
    records[:] = [r for r in records if r["key"] != begins["key"]]


def books_an_entry_to_another_line(records: _Records) -> None:
    entry = _first(records, TURNSTILE, line="pink")
    entry["value"]["line"] = "brown"


def lets_a_rider_in_between_seconds(records: _Records) -> None:
    _first(records, TURNSTILE)["t"] += 1


def lets_a_rider_in_where_no_train_of_the_run_goes(records: _Records) -> None:
    entry = _first(records, TURNSTILE)
    entry["key"] = {"station_id": 40890}
    entry["value"] = {"station_id": 40890, "station_name": "O'Hare", "line": "blue"}


def lets_a_rider_in_while_closed(records: _Records) -> None:
    _first(records, TURNSTILE, station_id=_CLOSED)["t"] = _CLOSED_TO - 1000


def doubles_the_entries_of_a_station(records: _Records) -> None:
    records += [r for r in records if r["topic"] == TURNSTILE and r["key"]["station_id"] == 40710]


def loses_a_sixth_of_an_hours_entries(records: _Records) -> None:
    hour = [r for r in records if r["topic"] == TURNSTILE and r["t"] >= _CLOSED_FROM]
    lost = {id(r) for r in hour[::6]}
    records[:] = [r for r in records if id(r) not in lost]


def reads_the_weather_an_hour_late(records: _Records) -> None:
    reading = _first(records, WEATHER)
    reading["t"] = reading["key"]["timestamp"] = reading["t"] + 3_600_000


def keys_the_weather_by_another_hour(records: _Records) -> None:
    _first(records, WEATHER)["key"]["timestamp"] -= 3_600_000


def reads_a_temperature_between_halves(records: _Records) -> None:
    _first(records, WEATHER)["value"]["temperature"] += 0.25


def loses_an_alert(records: _Records) -> None:
    records.remove(_first(records, ALERTS, station_id=_CLOSED))


def ends_an_alert_late(records: _Records) -> None:
    _first(records, ALERTS, station_id=_CLOSED)["value"]["active_to"] += 1


def repairs_the_broken_down_train(records: _Records) -> None:
    _first(records, ARRIVALS, train_status="broken_down")["value"]["train_status"] = "in_service"


def breaks_down_another_train(records: _Records) -> None:
    _run(records)[3]["value"]["train_status"] = "broken_down"


def lets_the_broken_down_train_go_early(records: _Records) -> None:
    broken = _first(records, ARRIVALS, train_status="broken_down")
    later = next(r for r in records if r["key"] == broken["key"] and r["t"] > broken["t"])
    later["t"] = broken["t"] + 299_000


def leaves_the_window(records: _Records) -> None:
    _first(records, TURNSTILE)["t"] += 45 * 60_000


def names_another_train_in_key_and_value(records: _Records) -> None:
    _run(records)[3]["value"]["train_id"] = "BR999"


def turns_two_fields_round(records: _Records) -> None:
    value = _first(records, WEATHER)["value"]
    value["temperature"] = value.pop("temperature")


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (drops_an_arrival, "neighbours"),
        (moves_a_train_two_stations, "neighbours"),
        (says_that_a_train_came_from_elsewhere, "neighbours"),
        (takes_a_train_off_between_terminals, "neighbours"),
        (runs_a_hop_in_a_second, "hops"),
        (stops_at_a_closed_station, "trains at closed stations"),
        (brings_two_trains_to_one_platform, "platforms"),
        (runs_fast_through_a_slow_zone, "slow zones"),
        (loses_a_trip, "departures"),
        (books_an_entry_to_another_line, "entries"),
        (lets_a_rider_in_between_seconds, "entries"),
        (lets_a_rider_in_where_no_train_of_the_run_goes, "entries"),
        (lets_a_rider_in_while_closed, "entries at closed stations"),
        (doubles_the_entries_of_a_station, "entry totals"),
        (loses_a_sixth_of_an_hours_entries, "entry totals"),
        (reads_the_weather_an_hour_late, "weather"),
        (keys_the_weather_by_another_hour, "weather"),
        (reads_a_temperature_between_halves, "weather"),
        (loses_an_alert, "alerts"),
        (ends_an_alert_late, "alerts"),
        (repairs_the_broken_down_train, "breakdowns"),
        (breaks_down_another_train, "breakdowns"),
        (lets_the_broken_down_train_go_early, "breakdowns"),
        (leaves_the_window, "order"),
        (names_another_train_in_key_and_value, "form"),
        (turns_two_fields_round, "form"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_a_spoiled_record_is_found(
    recording: Path, tmp_path: Path, spoil: Callable[[_Records], None], check: str
) -> None:
    """The file is sealed anew, its figures and order right, so that only what the records say can give it away."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    records = [json.loads(line) for line in lines]
    spoil(records)
    records.sort(key=_place)
    spoiled = _sealed(tmp_path, header, [_compact(r) for r in records])
    found = judge.judge(spoiled).violations
    assert check in found
    assert "trailer" not in found


# --------------------------------------------------------------------------------------------------- spoiled bytes


def test_a_wrong_station_row_is_found(recording: Path, tmp_path: Path) -> None:
    """The header's rows are held to the network's table: one name is enough."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    renamed = header.replace(b'"station_name":"Polk"', b'"station_name":"Pork"')
    assert judge.judge(_sealed(tmp_path, renamed, lines)).violations.keys() == {"stations"}


def test_swapped_lines_are_found(recording: Path, tmp_path: Path) -> None:
    """Two records that stand far apart, each in the other's place."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    lines[100], lines[200] = lines[200], lines[100]
    found = judge.judge(_sealed(tmp_path, header, lines)).violations
    assert found["order"]


def test_a_space_is_found(recording: Path, tmp_path: Path) -> None:
    """JSON that says the same in other bytes is another content, and no canonical one."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    lines[100] = lines[100].replace(b'"value":', b'"value": ')
    assert judge.judge(_sealed(tmp_path, header, lines)).violations.keys() == {"form"}


@pytest.mark.parametrize("name", ["records", "total", "first_ms", "last_ms", "digest", "sha256"])
def test_a_wrong_figure_in_the_trailer_is_found(recording: Path, tmp_path: Path, name: str) -> None:
    """The trailer's figures are recomputed, each of them: one digit is enough."""
    *lines, last = recording.read_bytes().splitlines(keepends=True)
    said = json.loads(last)
    right = said["end"][name]
    said["end"][name] = {
        dict: lambda: right | {WEATHER: right[WEATHER] + 1},
        int: lambda: right + 1,
        str: lambda: right[:-1] + ("0" if right[-1] != "0" else "1"),
    }[type(right)]()
    spoiled = tmp_path / "spoiled.jsonl"
    spoiled.write_bytes(b"".join(lines) + _compact(said))
    report = judge.judge(spoiled)
    assert report.violations == {"trailer": [f"trailer: {name} is {said['end'][name]}, of the lines {right}"]}


def test_a_lost_entry_changes_the_board_and_the_digest(recording: Path, tmp_path: Path) -> None:
    """What no check can see, since riders come by chance, the figures do."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    lines.remove(next(line for line in lines if TURNSTILE.encode() in line))
    sound, spoiled = judge.judge(recording), judge.judge(_sealed(tmp_path, header, lines))
    assert spoiled.violations == {}
    assert spoiled.figures["digest"] != sound.figures["digest"]
    assert spoiled.board_digest != sound.board_digest


def test_the_script_prints_what_it_found_and_fails(recording: Path, tmp_path: Path) -> None:
    """`python tests/oracle/judge.py FILE`: 0 for a sound recording, 1 for a spoiled one, with the line."""
    header, *lines, _ = recording.read_bytes().splitlines(keepends=True)
    lines[100] = lines[100].replace(b'"value":', b'"value": ')
    sound, spoiled = _script(recording), _script(_sealed(tmp_path, header, lines))
    assert (sound.returncode, spoiled.returncode) == (0, 1)
    assert "form: 1 violation\n  line 102: not in canonical form" in spoiled.stdout


def test_the_figures_of_the_documented_example(tmp_path: Path) -> None:
    """docs/recording-format.md holds a whole recording: its counts, times, digest and SHA-256 are what is found."""
    page = (Path(__file__).parents[2] / "docs" / "recording-format.md").read_text(encoding="utf-8")
    example = tmp_path / "example.jsonl"
    example.write_text(page.partition("```jsonl\n")[2].partition("```")[0], encoding="utf-8")
    read = history.read(example)
    assert read.figures() == read.trailer


def _place(record: dict[str, Any]) -> tuple[int, int, str]:
    return record["t"], RANKS[record["topic"]], str(next(iter(record["key"].values())))


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _sealed(folder: Path, header: bytes, lines: list[bytes]) -> Path:
    """A recording of these lines, with the trailer that they call for."""
    path = folder / "spoiled.jsonl"
    path.write_bytes(header + b"".join(lines))
    end = {"end": history.read(path).figures()}
    path.write_bytes(header + b"".join(lines) + _compact(end))
    return path


def _script(recording: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(Path(judge.__file__)), str(recording)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
