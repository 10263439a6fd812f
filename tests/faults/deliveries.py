"""What laws of delivery are told with: an hour of Chicago's, and streams as lists of records."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from cta.faults.stream import faulty
from cta.model import scenario as written
from cta.model.batch import Batch, Content
from cta.network.load import chicago
from cta.simulation.plan import Plan, resolve
from cta.simulation.run import simulate
from cta.simulation.stream_faults import AnyStreamFault
from cta.testing.documents import Case

Record = tuple[int, bytes]
"""Time and canonical content: quickly compared."""

HOUR = Case(
    chicago(), written.Scenario(name="hour", seed=7, start="2026-05-13T07:20:00-05:00", duration="PT1H", lines=["blue"])
)
"""Some 20,000 records of Chicago's over the turn of an hour."""


def with_faults(*faults: written.AnyStreamFault) -> Case:
    return Case(HOUR.network, replace(HOUR.scenario, stream_faults=list(faults)))


def plan_of(case: Case) -> Plan:
    return resolve(case.scenario, case.network)


def records(batches: Iterable[Batch]) -> list[Record]:
    return [(time_ms, content.fragment) for batch in batches for time_ms, content in batch]


def contents(batches: Iterable[Batch]) -> list[tuple[int, Content]]:
    return [record for batch in batches for record in batch]


def sent(case: Case) -> list[Record]:
    """What the world sends, whatever comes of it."""
    return records(simulate(case.network, plan_of(case)))


def struck_by(case: Case, faults: Iterable[AnyStreamFault]) -> list[Record]:
    return records(faulty(simulate(case.network, plan_of(case)), plan_of(case).seed, faults))


def is_part_of(part: list[Record], whole: list[Record]) -> bool:
    """Whether the part is the whole with records left out."""
    rest = iter(whole)
    return all(record in rest for record in part)
