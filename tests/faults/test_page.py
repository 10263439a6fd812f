"""The page under repetition: late and repeated records change nothing on it but counts of entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hypothesis import example, given

from cta.faults.stream import faulty
from cta.model import scenario as written
from cta.model.batch import Batch
from cta.model.topics import TURNSTILE
from cta.pipeline.board import Board
from cta.recording.digest import Digest
from cta.simulation.run import simulate
from cta.testing.documents import Case
from cta.testing.stream_faults import unreliable_cases
from tests.faults.deliveries import HOUR, contents, plan_of, with_faults

LATE_AND_AGAIN = (written.Duplicate, written.Delay, written.Reorder)


def board_of(case: Case, batches: Iterable[Batch]) -> Board:
    board = Board.for_network(case.network, plan_of(case).lines)
    for batch in batches:
        board.fold(batch)
    return board


@given(unreliable_cases(kinds=LATE_AND_AGAIN))
@example(
    with_faults(
        written.Duplicate(topic="turnstile", share=0.2, copies=3, delay="PT2M"),
        written.Duplicate(topic="arrivals", share=0.5),
        written.Reorder(topic="arrivals", within="PT20M"),
    )
)
def test_repeated_and_late_records_show_on_the_page_as_entries_only_one_each(case: Case) -> None:
    """Trains, weather and alerts are those of the world; k more entries raise their station's count by exactly k."""
    calm = board_of(case, simulate(case.network, plan_of(case)))
    board = board_of(case, case.batches())
    more = Counter(
        content.key.station_id for _, content in contents(case.batches()) if content.topic is TURNSTILE
    ) - Counter(
        content.key.station_id
        for _, content in contents(simulate(case.network, plan_of(case)))
        if content.topic is TURNSTILE
    )
    expected = calm.document()
    for line in expected["lines"]:
        for station in line["stations"]:
            station["entries"] += more[station["station_id"]]
    assert board.document() == expected


@given(unreliable_cases(kinds=LATE_AND_AGAIN))
def test_entries_that_do_not_repeat_are_counted_as_ever(case: Case) -> None:
    """Where duplicates are of other topics the whole page is that of the world."""
    faults = [fault for fault in plan_of(case).stream_faults if fault.topic is not TURNSTILE]
    came = faulty(simulate(case.network, plan_of(case)), plan_of(case).seed, faults)
    assert board_of(case, came).digest() == board_of(case, simulate(case.network, plan_of(case))).digest()


def test_the_page_passes_over_what_it_cannot_read() -> None:
    """A corrupt entry is no entry, and counts to its topic in the digest."""
    case = with_faults(written.Corrupt(topic="turnstile", station="Clark/Lake"))
    digest = Digest()
    for batch in case.batches():
        digest.update(batch)
    assert board_of(case, case.batches()).entries(40380) == 0
    assert digest.counts[TURNSTILE.name] == sum(content.topic is TURNSTILE for _, content in contents(HOUR.batches()))
