"""A check in words, the verdict first, and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from cta.commands.check import Verdict

if TYPE_CHECKING:
    from rich.console import Console


def as_json(verdict: Verdict) -> str:
    """The object that ``cta check --json`` prints, on one line, with every violation."""
    return msgspec.json.encode(
        {
            "target": verdict.name,
            "ok": not verdict.broken,
            "records": verdict.digest.total,
            "digest": verdict.digest.hexdigest(),
            "laws": {law: verdict.broken[law] for law in verdict.laws},
            "violations": [
                {"line": violation.line, "law": violation.law, "what": violation.what}
                for violation in verdict.violations
            ],
            "notes": verdict.notes,
        }
    ).decode()


def print_report(verdict: Verdict, console: Console) -> None:
    from rich.text import Text

    for line, style in report(verdict, console.width):
        console.print(Text(line, style), soft_wrap=True)


def report(verdict: Verdict, width: int) -> Iterator[tuple[str, str]]:
    """Lines and the style of each: the verdict, the laws that are broken, the violations by line."""
    total = verdict.broken.total()
    if not total:
        yield f"nothing wrong in {verdict.digest.total:,} records", "bold"
        judged = f"judged: {', '.join(verdict.laws)}"
        yield from ((line, "") for line in textwrap.wrap(judged, width, subsequent_indent=" " * 8))
    else:
        yield f"{_count(total, 'violation')} in {verdict.digest.total:,} records", "bold"
        for law, broken in sorted(verdict.broken.items(), key=lambda item: verdict.first_lines[item[0]]):
            yield f"{broken:>9,}  {law:<11} first at line {verdict.first_lines[law]:,}", ""
    for note in verdict.notes:
        yield f"note: {note}", ""
    yield f"digest {verdict.digest.hexdigest()}", ""
    if total:
        yield "", ""
        for violation in verdict.violations:
            yield f"{verdict.name}:{violation.line}: {violation.law}: {violation.what}", ""
        if more := total - len(verdict.violations):
            yield f"and {more:,} more: --all lists them", "dim"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
