"""Time travel in a stream whose records come late."""

from __future__ import annotations

from cta.commands.target import open_run
from cta.pipeline.board import Board
from cta.web.history import History
from tests.conftest import ROOT


def test_a_moment_is_of_all_that_happened_before_it_wherever_it_stands() -> None:
    """By event time, as everywhere: what came late is there, what happened later is not."""
    run = open_run(str(ROOT / "scenarios" / "unreliable_turnstiles.json"))
    history, at_ms = History(run), run.window.start_ms + 2_100_000  # 07:35, while Clark/Lake is cut off
    board = Board.for_network(run.network)
    for batch in run.batches(run.window):
        board.fold(batch[batch.times < at_ms])
    assert history.board(at_ms) == board.document(at_ms)
