"""Lag: its words, and a watch beside the run that costs nothing where nobody looks."""

from __future__ import annotations

from contextlib import closing
from threading import Event

import pytest

from cta.commands.lag import Lag, Unread
from cta.model.errors import ServiceError


@pytest.mark.parametrize(
    ("lag", "words"),
    [
        (Lag(), ""),
        (Lag(behind_s=0.26), "0.3 s behind the clock"),
        (
            Lag(1_234, 0.0, {"cta-stations": 56_789}),
            "1,234 unacknowledged, 0.0 s behind the clock, cta-stations 56,789 unread",
        ),
    ],
)
def test_lag_in_words(lag: Lag, words: str) -> None:
    assert str(lag) == words


def test_nobody_is_asked_where_nobody_looks() -> None:
    """Made and closed: no look. Asked once, it looks by itself, and what it saw is there without waiting."""
    looked = Event()

    def look() -> dict[str, int]:
        looked.set()
        return {"cta-stations": 7}

    with closing(Unread(look)):
        pass
    assert not looked.is_set()
    with closing(Unread(look)) as unread:
        assert unread.last() in ({}, {"cta-stations": 7})
        assert looked.wait(10)
        assert unread.now() == {"cta-stations": 7}


def test_a_cluster_that_is_away_leaves_what_was_seen_last() -> None:
    """The run has its own error for that."""
    answers = iter([{"cta-stations": 7}])

    def look() -> dict[str, int]:
        try:
            return next(answers)
        except StopIteration:
            raise ServiceError("away") from None

    with closing(Unread(look)) as unread:
        assert [unread.now(), unread.now()] == [{"cta-stations": 7}] * 2
