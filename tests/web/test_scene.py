from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cta.commands.target import Run, open_run
from cta.model.batch import Batch, Content
from cta.model.raw import foreign, raw
from cta.model.time import HOUR_MS, MINUTE_MS
from cta.model.topics import ARRIVALS
from cta.pipeline.board import Board
from cta.pipeline.stations import station_table
from cta.simulation.plan import Window
from cta.web.history import History, empty_scene
from cta.web.scene import BIN_MS, changed, changes, document_of

BLUE = open_run("scenarios/blue_line_breakdown.json")
HISTORY = History(BLUE)
MOMENTS = st.integers(BLUE.window.start_ms, BLUE.window.end_ms)


def pure_board(run: Run, until_ms: int) -> Board:
    """What the pipeline makes of the run's records before a moment, simulated anew."""
    board = Board(station_table(run.station_rows()).values(), run.network.lines)
    for batch in run.batches(Window(run.window.start_ms, until_ms)):
        board.fold(batch)
    return board


@given(MOMENTS)
def test_the_board_at_any_moment_is_the_pure_pipelines(moment_ms: int) -> None:
    """Time travel shows what a fold of the records before the moment shows at that moment."""
    assert HISTORY.board(moment_ms) == pure_board(BLUE, moment_ms).document(moment_ms)


@pytest.mark.parametrize("name", ["rush_hour", "snow_day", "loop_closure"])
def test_the_end_of_a_run_is_what_replay_ends_with(name: str) -> None:
    """The board at the run's end, through slots and back, and the digest of its records."""
    run = open_run(f"scenarios/{name}.json")
    end_ms = run.window.end_ms
    slots = History(run).slots(end_ms)
    assert document_of(slots) == pure_board(run, end_ms).document(end_ms)
    assert slots["digest"] == json.loads(Path("recordings/digests.json").read_text())[name]["digest"]


@given(st.lists(MOMENTS, min_size=2, max_size=5))
def test_changes_make_the_slots_after_of_the_slots_before(moments: list[int]) -> None:
    """Whatever two moments: the first one's slots with the changes applied are the second one's."""
    scenes = [HISTORY.slots(moment_ms) for moment_ms in moments]
    for before, after in pairwise(scenes):
        assert changed(before, changes(before, after)) == after


@given(MOMENTS)
def test_a_moment_changes_nothing_of_itself(moment_ms: int) -> None:
    """The changes from a moment to itself are none."""
    assert changes(HISTORY.slots(moment_ms), HISTORY.slots(moment_ms)) == {"set": {}, "unset": []}


@given(MOMENTS)
def test_flow_holds_the_entries_of_whole_bins(moment_ms: int) -> None:
    """The sparklines of all stations together are the entries of the bins that are over."""
    until_ms = moment_ms // BIN_MS * BIN_MS
    board = HISTORY.board(until_ms)
    entries = {station["station_id"]: station["entries"] for line in board["lines"] for station in line["stations"]}
    slots = HISTORY.slots(moment_ms)
    flow = {int(name[5:]): sum(bins) for name, bins in slots.items() if name.startswith("flow/")}
    assert flow == {station: n for station, n in entries.items() if n}


def test_a_record_that_no_schema_explains_is_counted_and_passed_over() -> None:
    """Bytes on a topic of ours are no arrival: the board stays as it is, the count says so."""
    scene, clean = empty_scene(BLUE), empty_scene(BLUE)
    poison = Content(foreign(ARRIVALS.name), raw(b"\xff\x00"), raw(b"<script>"))
    scene.fold(Batch.of([(BLUE.window.start_ms, poison)] * 3))
    assert (scene.board.document(), dict(scene.unread), scene.records()) == (
        clean.board.document(),
        {ARRIVALS.name: 3},
        {},
    )


def test_bins_of_long_ago_are_forgotten() -> None:
    """A day of entries keeps no more bins than a sparkline and its margin need."""
    scene = empty_scene(BLUE)
    entry = next(
        content for batch in BLUE.batches(BLUE.window) for _, content in batch if content.topic.short == "turnstile"
    )
    start_ms = BLUE.window.start_ms
    times = np.arange(start_ms, start_ms + 24 * HOUR_MS, MINUTE_MS)
    for time_ms in times.tolist():
        scene.fold(Batch.of([(time_ms, entry)]))
    assert scene.slots()[f"flow/{entry.key.station_id}"] == [5] * 24
