from hypothesis import given
from hypothesis import strategies as st

from cta.streams.counting import State, decoded
from cta.streams.order import InOrder


@st.composite
def _lives(draw: st.DrawFn) -> list[tuple[int, int]]:
    """What a station's workers read of one partition: each life begins at or before where the state stands."""
    lives, reached = [], 0
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, reached))
        stop = draw(st.integers(start, start + 20))
        lives.append((start, stop))
        reached = max(reached, stop)
    return lives


@given(_lives())
def test_however_often_offsets_are_delivered_again_each_is_counted_once(lives: list[tuple[int, int]]) -> None:
    """A worker wakes up with a state and reads on from at or before it; the count is the number of offsets seen."""
    state = State()
    for start, stop in lives:
        state = decoded(state.encoded()).counted(0, range(start, stop))
    assert state.count == max((stop for start, stop in lives if stop > start), default=0)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5))))
def test_partitions_are_counted_apart(reads: list[tuple[int, int]]) -> None:
    """Offset 3 of one partition says nothing about offset 3 of another."""
    state, next_offset = State(), {0: 0, 1: 0, 2: 0}
    for partition, entries in reads:
        state = state.counted(partition, range(next_offset[partition], next_offset[partition] + entries))
        next_offset[partition] += entries
    assert state.count == sum(entries for _, entries in reads)


def test_the_state_is_one_json_document() -> None:
    """Count and offsets in one record of the changelog; nothing in it is a station that nobody has entered."""
    assert State().counted(2, [5, 7]).encoded() == b'{"count":2,"offsets":{"2":7}}'
    assert decoded(b'{"count":2,"offsets":{"2":7}}') == State(2, {2: 7})
    assert decoded(None) == State()


@given(
    log=st.lists(st.booleans(), min_size=1, max_size=40),
    jumps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
    committed=st.integers(0, 10),
)
def test_each_record_is_taken_once_and_in_order_wherever_the_consumer_jumps(
    log: list[bool], jumps: list[tuple[int, int]], committed: int
) -> None:
    """Jumps ahead are undone by going back, jumps back by passing over; offsets that the log hasn't are stepped over."""
    offsets = [offset for offset, is_there in enumerate(log) if is_there]
    order, taken = InOrder(committed), []
    position, jump_at = 0, dict(jumps)
    while any(offset >= min(position, order.expected) for offset in offsets):
        position = jump_at.pop(position, position)
        following = [offset for offset in offsets if offset >= position]
        if following:
            position = following[0] + 1
            if order.take(following[0]):
                taken.append(following[0])
        if order.is_waiting or not following:
            position = order.expected
    assert taken == [offset for offset in offsets if offset >= committed]


def test_what_was_under_way_when_the_consumer_was_sent_back_waits_for_its_turn() -> None:
    """5 is expected; 8, 9 and 10 come, then the consumer reads on from 5."""
    order = InOrder(5)
    assert [order.take(offset) for offset in (8, 9, 10)] == [False] * 3
    assert order.is_waiting
    assert [order.take(offset) for offset in (5, 6, 7, 8, 9)] == [True] * 5
    assert (order.expected, order.is_waiting) == (10, False)


def test_a_gap_of_the_logs_own_is_stepped_over() -> None:
    """Asked again from 5, the log still has nothing before 8: deleted, or a transaction's mark."""
    order = InOrder(5)
    assert [order.take(offset) for offset in (8, 8, 9)] == [False, True, True]


def test_a_consumer_that_did_not_go_back_is_waited_for() -> None:
    """It drops 5 to 9 for read and goes on with 10: nothing is taken until it has really gone back."""
    order = InOrder(5)
    assert [order.take(offset) for offset in (8, 10, 11)] == [False] * 3
    assert order.is_waiting
    assert order.take(5)


def test_gaps_are_usual_in_a_compacted_log_once_it_was_begun() -> None:
    """The first is looked at, for it may be a rebalance's; the others aren't."""
    order = InOrder(0, dense=False)
    assert [order.take(offset) for offset in (3, 3, 7, 9, 8)] == [False, True, True, True, False]
