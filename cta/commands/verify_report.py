"""A verdict on a live system in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cta.commands import diff_report
from cta.commands.report import LABEL_WIDTH, under
from cta.commands.tables import Table
from cta.commands.verify import Verdict
from cta.model.topics import STATIONS_TABLE, TURNSTILE_SUMMARY, short_name

if TYPE_CHECKING:
    from rich.console import Console

DIFFERENCES_SHOWN: Final = 3
"""Of each table."""
LABELS: Final = {STATIONS_TABLE: "stations", TURNSTILE_SUMMARY: "summary"}


def as_json(verdict: Verdict) -> str:
    """The object that ``cta verify --json`` prints, on one line. ``records``: as ``cta diff --json``, B is the system.

    ``order``: the partitions that are not as the producer filled them, where the records are the run's.
    """
    page = verdict.page
    return msgspec.json.encode(
        {
            "same": verdict.same,
            "where": verdict.where,
            "records": diff_report.document(verdict.diff),
            "order": msgspec.to_builtins(verdict.order),
            "tables": {table.topic.short: _table(table) for table in verdict.tables},
            "page": page and {"url": page.url, "same": page.difference is None, "difference": page.difference},
        }
    ).decode()


def _table(table: Table) -> dict[str, Any]:
    return {"rows": table.rows, "same": None if table.rows is None else not table.differences,
            "differences": [msgspec.to_builtins(each) for each in table.differences]}  # fmt: skip


def print_report(verdict: Verdict, console: Console) -> None:
    """The verdict, what was compared, and whatever differs."""
    from rich.text import Text

    for line, style in report(verdict, console.width):
        console.print(Text(line.rstrip(), style), soft_wrap=True)


def report(verdict: Verdict, width: int) -> Iterator[tuple[str, str]]:
    """Lines, and the style of each."""
    yield diff_report.verdict(verdict.diff) if verdict.diff.comparison.different else _verdict(verdict), "bold"
    yield from ((f"{label:<{LABEL_WIDTH}} {text}", "") for label, text in _lines(verdict))
    yield from diff_report.divergence(verdict.diff, width)


def _verdict(verdict: Verdict) -> str:
    if verdict.same:
        return "the same"
    tables = [table.topic.short for table in verdict.tables if not verdict.good(table)]
    page = [] if verdict.page is None or verdict.page.difference is None else ["the page"]
    order = ["the order inside partitions"] if verdict.order else []
    return f"different: {', '.join([*order, *tables, *page])}; the records are the same"


def _lines(verdict: Verdict) -> Iterator[tuple[str, str]]:
    run, comparison = verdict.diff.a, verdict.diff.comparison
    yield "run", verdict.diff.names[0] if run.seed is None else f"{verdict.diff.names[0]}, seed {run.seed}"
    yield "system", verdict.where
    counts = [f"{n:>9,}  {short_name(topic)}" for topic, n in comparison.b.counts.items()]
    yield from under("records", [*counts, f"{comparison.b.total:>9,}  in all"])
    yield "digest", comparison.b.hexdigest() + ("  (the run's own)" if not comparison.different else "")
    if comparison.different:
        yield "", f"{comparison.a.hexdigest()}  is the run's, of {comparison.a.total:,} records"
    elif verdict.order:
        more = len(verdict.order) - DIFFERENCES_SHOWN
        shown = [str(each) for each in verdict.order[:DIFFERENCES_SHOWN]]
        yield from under("order", [*shown, *([f"and {more:,} more (--json has all)"] if more > 0 else [])])
    for table in verdict.tables:
        yield from under(LABELS[table.topic], _told(table))
    if verdict.page is not None:
        yield "page", f"{verdict.page.url}: {verdict.page.difference or 'the same'}"


def _told(table: Table) -> list[str]:
    if table.rows is None:
        return ["empty: nobody fills it"]
    if not table.differences:
        return [f"{table.rows:,} rows, the same"]
    more = len(table.differences) - DIFFERENCES_SHOWN
    shown = [str(each) for each in table.differences[:DIFFERENCES_SHOWN]]
    return [
        f"{len(table.differences):,} keys differ, of {table.rows:,} rows",
        *shown,
        *([f"and {more:,} more (--json has all)"] if more > 0 else []),
    ]
