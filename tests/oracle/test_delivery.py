"""Each way in which a delivery can be more than its stream faults allow must be found."""

from __future__ import annotations

import pytest

from tests.oracle.check_delivery import delivery
from tests.oracle.history import History, content_of

_FAULTS = [
    {"kind": "duplicate", "topic": "turnstile", "copies": 2, "delay": "PT10S"},
    {"kind": "delay", "topic": "turnstile", "delay": "PT1M30S"},
]
_CONTENTS = [
    content_of(f'"topic":"org.chicago.cta.{topic}.v1","key":{key},"value":{{}}'.encode())
    for topic, key in (("turnstile", '{"station_id":1}'), ("weather", '{"timestamp":0}'))
]


def _history(*records: tuple[int, int]) -> History:
    found = History(header={"scenario": {"stream_faults": _FAULTS}}, contents=_CONTENTS)
    for time_ms, code in records:
        found.times_ms.append(time_ms)
        found.codes.append(code)
    return found


_SENT = _history((0, 0), (50_000, 1), (100_000, 0))


@pytest.mark.parametrize(
    ("came", "violations"),
    [
        ([(0, 0), (50_000, 1), (100_000, 0)], 0),
        ([(50_000, 1), (100_000, 0), (0, 0), (0, 0), (0, 0)], 0),
        ([(0, 0), (50_000, 1)], 1),
        ([(0, 0), (50_000, 1), (100_000, 0), (100_000, 0), (100_000, 0), (100_000, 0)], 1),
        ([(0, 0), (50_000, 1), (50_000, 1), (100_000, 0)], 1),
        ([(0, 0), (1, 0), (50_000, 1), (100_000, 0)], 1),
        ([(0, 0), (100_000, 0), (50_000, 1)], 1),
    ],
    ids=["as sent", "late and thrice", "lost", "four times", "of another topic", "never sent", "out of order"],
)
def test_a_delivery_is_what_its_faults_allow(came: list[tuple[int, int]], violations: int) -> None:
    """No less and no more."""
    assert len(delivery(_history(*came), _SENT)) == violations
