"""What a delivery keeps of a run: what is not due yet, and nothing of before it begins."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

from cta.faults.stream import delivered, faulty
from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.model.records import Weather, WeatherKey
from cta.model.time import HOUR_MS
from cta.model.topics import TURNSTILE, WEATHER
from cta.simulation.plan import Window
from cta.simulation.run import simulate
from cta.simulation.stream_faults import Delay
from tests.faults.deliveries import HOUR, plan_of, with_faults


def test_hours_before_a_part_of_a_run_are_not_simulated() -> None:
    """Of the two that the run touches: chance asks for the hour in which the part begins, and for none before it."""
    case = with_faults(written.Drop(topic="turnstile", share=0.3))
    plan = plan_of(case)
    eight_ms = plan.window.end_ms // HOUR_MS * HOUR_MS
    assert len(list(delivered(case.network, plan))) == 2
    assert len(list(delivered(case.network, plan, from_ms=eight_ms + 1))) == 1


def test_nothing_is_held_longer_than_it_is_late() -> None:
    """Minute by minute: what is due comes with the batch that reaches its time, and nothing that is held along with it."""
    plan = plan_of(with_faults(written.Delay(topic="turnstile", delay="PT90S")))
    whole = Batch.joined(list(simulate(HOUR.network, plan)))
    whole = whole[whole.ranks() == TURNSTILE.rank]
    minutes = whole.times // 60_000
    pieces = [whole[minutes == minute].compact() for minute in sorted(set(minutes.tolist()))]
    held = 0
    for piece, came in zip(pieces, faulty(pieces, plan.seed, plan.stream_faults), strict=False):
        held += len(piece) - len(came)
        assert held == ((whole.times > piece.times[-1] - 90_000) & (whole.times <= piece.times[-1])).sum()
        assert len(came.contents) == len(set(came.codes.tolist()))


class Watched(Content):
    """A content of which one can tell whether somebody still has it."""

    __slots__ = ("__weakref__",)


def test_what_has_come_is_let_go() -> None:
    """So memory is that of the delay, however long the run: of two hours, and of the hour that comes to them."""
    made: list[weakref.ref[Watched]] = []

    def readings() -> Iterator[Batch]:
        for at in range(0, 24 * HOUR_MS, HOUR_MS):
            content = Watched(WEATHER, WeatherKey(at), Weather(54.5, "sunny"))
            made.append(weakref.ref(content))
            yield Batch.of([(at, content)])

    fault = Delay(WEATHER, None, None, None, Window(0, 24 * HOUR_MS), 1.0, 2 * HOUR_MS)
    alive = [sum(each() is not None for each in made) for _ in faulty(readings(), 7, [fault])]
    assert max(alive) == 3
