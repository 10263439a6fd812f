"""The oracle's judgement of a recording: `python tests/oracle/judge.py FILE.jsonl`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a script: find the package that this file is in
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.oracle import board, check_entries, check_file, check_timetable, check_trains, check_world
from tests.oracle.case import Check, case

CHECKS: dict[str, Check] = {
    "trailer": check_file.trailer,
    "stations": check_file.stations,
    "form": check_file.form,
    "order": check_file.order,
    "neighbours": check_trains.neighbours,
    "hops": check_trains.hops,
    "departures": check_timetable.departures,
    "platforms": check_trains.platforms,
    "trains at closed stations": check_trains.closed,
    "entries": check_entries.places,
    "entries at closed stations": check_entries.closed,
    "entry totals": check_entries.totals,
    "weather": check_world.weather,
    "alerts": check_world.alerts,
    "slow zones": check_world.slow_zones,
    "breakdowns": check_world.breakdowns,
}

_SHOWN = 10


@dataclass(frozen=True)
class Report:
    figures: dict[str, Any]
    """What the trailer should say: records (by topic), total, first_ms, last_ms, digest, sha256."""
    board: dict[str, Any]
    board_digest: str
    violations: dict[str, list[str]]
    """By check; checks that found nothing are left out."""

    def __str__(self) -> str:
        lines = [f"{name}: {figure}" for name, figure in self.figures.items()]
        lines.append(f"board digest: {self.board_digest}")
        for check in CHECKS:
            found = self.violations.get(check, [])
            lines.append(f"{check}: {len(found) or 'no'} violation{'s' * (len(found) != 1)}")
            lines += [f"  {violation}" for violation in found[:_SHOWN]]
        return "\n".join(lines)


def judge(path: Path) -> Report:
    """Read the recording at ``path`` and put it through every check."""
    given = case(path)
    page = board.document(given)
    found = {name: check(given) for name, check in CHECKS.items()}
    violations = {name: violations for name, violations in found.items() if violations}
    return Report(given.history.figures(), page, board.digest(page), violations)


if __name__ == "__main__":
    report = judge(Path(sys.argv[1]))
    print(report)  # noqa: T201 - it is a script
    sys.exit(1 if report.violations else 0)
