"""Run the benchmarks: ``python -m benchmarks [--runs N] [--only WORD] [--json]``.

Each measurement is a process of its own; ours and the baselines take turns (A B C A B C), so that a slow minute of the
machine strikes all of them. A ratio is the median over the turns of ours against the fastest baseline of the same turn.
Whether a goal is met is said and never enforced: the exit code is 1 only where something could not be run at all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.cases import SCENARIOS, SIDES, Measured

ROOT = Path(__file__).parent.parent
RUNS = 3
COMMAND_RUNS = 7
FLAT = 1.05
"""A month's memory is flat if its peak is within so much of the peak after a week and a day."""


@dataclass(frozen=True)
class Case:
    """A row of the table. ``goal_*`` None: nothing is asked of it."""

    work: str
    title: str
    measure: str
    """``rate``: records a second of one core; ``peak``: MB; ``command``: seconds of the whole process."""
    goal: float | None = None
    goal_ratio: float | None = None
    command: tuple[str, ...] = ()
    runs: int | None = None


CASES = (
    Case("generate", "generate full_day, in batches", "rate", 3e6, 4),
    Case("generate_records", "generate, read record by record", "rate"),
    Case("fold", "generate + digest + board", "rate", 1.5e6, 3),
    Case("write", "generate + write .jsonl", "rate"),
    Case("read", "read .jsonl + digest", "rate"),
    Case("broker", "broker in memory, send + poll", "rate"),
    Case("memory_day", "peak memory, full_day", "peak", 100),
    Case("memory_month", "peak memory, a month", "peak", 100, runs=1),
    Case("help", "cta --help", "command", 0.2, command=("-m", "cta", "--help")),
    Case(
        "rush_hour",
        "cta replay rush_hour.json",
        "command",
        0.6,
        command=("-m", "cta", "replay", str(SCENARIOS / "rush_hour.json"), "--quiet"),
    ),
)

BARE_COMMANDS = {
    "python -c pass": ("-c", "pass"),
    "numpy, msgspec, click imported": ("-c", "import numpy, msgspec, click"),
}


class CouldNotRunError(Exception):
    """A measurement's process failed; the text is the end of its complaint."""


def run_side(work: str, side: str, folder: Path) -> Measured:
    """One side of a case in a process of its own."""
    finished = _python("-m", "benchmarks.cases", work, side, str(folder))
    measured: Measured = json.loads(finished)
    if measured["records"]:
        measured["rate"] = measured["records"] / measured["cpu_s"]
    return measured


def run_command(command: Sequence[str]) -> Measured:
    """A whole process: seconds on the clock, and of a processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = perf_counter()
    _python(*command)
    wall_s = perf_counter() - began_s
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall_s": wall_s, "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def _python(*arguments: str) -> str:
    finished = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode:
        complaint = finished.stderr.strip().splitlines() or [f"exit code {finished.returncode}"]
        raise CouldNotRunError(complaint[-1])
    return finished.stdout


def measure(case: Case, runs: int, folder: Path, tell: Callable[[str], None]) -> dict[str, list[Measured]]:
    """Every side's measurements, ours first, turn by turn."""
    sides: dict[str, Callable[[], Measured]]
    if case.measure == "command":
        commands = {"ours": case.command, **BARE_COMMANDS}
        sides = {name: partial(run_command, command) for name, command in commands.items()}
        sides["ours"]()  # compiled modules and the disk's cache are there for all later ones
    else:
        sides = {name: partial(run_side, case.work, name, folder) for name in SIDES[case.work]}
    measured: dict[str, list[Measured]] = {name: [] for name in sides}
    for turn in range(runs):
        for name, run in sides.items():
            tell(f"{case.title}: turn {turn + 1} of {runs}, {name}")
            measured[name].append(run())
    return measured


def judge(case: Case, measured: dict[str, list[Measured]]) -> dict[str, Any]:
    """The row: medians, the ratio to the fastest baseline, and whether the goals are met."""
    field = {"rate": "rate", "peak": "peak_mb", "command": "wall_s"}[case.measure]
    medians = {name: median(each[field] for each in turns) for name, turns in measured.items() if field in turns[0]}
    ours = medians["ours"]
    row: dict[str, Any] = {"work": case.work, "title": case.title, "unit": field, **_note(case, measured)}
    row |= {"records": {name: turns[0].get("records") for name, turns in measured.items()}}
    row |= {"ours": ours, "baselines": {name: value for name, value in medians.items() if name != "ours"}}
    row |= {"goal": case.goal, "goal_ratio": case.goal_ratio, "ratio": None}
    met = [] if case.goal is None else [ours >= case.goal if case.measure == "rate" else ours <= case.goal]
    if case.measure == "rate":
        row["ratio"] = median(
            turn["ours"]["rate"] / max(each["rate"] for name, each in turn.items() if name != "ours")
            for turn in _turns(measured)
        )
        if case.goal_ratio is not None:
            met.append(row["ratio"] >= case.goal_ratio)
    if "growth" in row:
        met.append(row["growth"] <= FLAT)
    row["met"] = all(met) if met else None
    return row


def _turns(measured: dict[str, list[Measured]]) -> Iterator[dict[str, Measured]]:
    for turn in zip(*measured.values(), strict=True):
        yield dict(zip(measured, turn, strict=True))


def _note(case: Case, measured: dict[str, list[Measured]]) -> dict[str, Any]:
    ours = measured["ours"]
    if case.measure == "command":
        return {"cpu_s": median(each["cpu_s"] for each in ours), "least_s": min(each["wall_s"] for each in ours)}
    if "peaks_mb" in ours[0]:
        peaks_mb = ours[0]["peaks_mb"]
        return {"peaks_mb": peaks_mb, "growth": ours[0]["peak_mb"] / max(peaks_mb.values())}
    return {}


def machine() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }


def print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="cta benchmarks: medians; rates are a second of one core, commands on the clock")
    for name in ("work", "ours", "baseline", "ratio", "goal", "met"):
        table.add_column(name, justify="left" if name in ("work", "baseline") else "right")
    for row in rows:
        if "failed" in row:
            table.add_row(row["title"], "could not be run", row["failed"], "", "", "")
            continue
        unit = row["unit"]
        baselines = "\n".join(f"{_amount(value, unit)}  {name}" for name, value in row["baselines"].items())
        goals = [] if row["goal"] is None else [_amount(row["goal"], unit)]
        goals += [] if row["goal_ratio"] is None else [f"{row['goal_ratio']}x"]
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.1f}x"
        met = {True: "yes", False: "no", None: ""}[row["met"]]
        table.add_row(row["title"], _ours(row), baselines, ratio, ", ".join(goals), met)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _ours(row: dict[str, Any]) -> str:
    ours = _amount(row["ours"], row["unit"])
    if "cpu_s" in row:
        return f"{ours}\nleast {row['least_s']:.3f} s\nprocessor {row['cpu_s']:.3f} s"
    earlier = [f"\n{_amount(peak, row['unit'])} after day {days}" for days, peak in row.get("peaks_mb", {}).items()]
    return ours + "".join(earlier)


def _amount(value: float, unit: str) -> str:
    if unit == "rate":
        return f"{value / 1e6:.2f} M/s"
    return f"{value:.0f} MB" if unit == "peak_mb" else f"{value:.3f} s"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Speed and memory, as ratios.")
    parser.add_argument("--runs", type=int, metavar="N", help=f"turns a case ({RUNS}; commands {COMMAND_RUNS})")
    parser.add_argument("--only", metavar="WORD", default="", help=f"of {', '.join(case.work for case in CASES)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    where = machine()
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            if options.only not in case.work:
                continue
            runs = case.runs or options.runs or (COMMAND_RUNS if case.measure == "command" else RUNS)
            try:
                measured = measure(case, runs, Path(folder), lambda text: print(text, file=sys.stderr))
                rows.append(judge(case, measured))
            except CouldNotRunError as error:
                rows.append({"work": case.work, "title": case.title, "failed": str(error)})
    if options.json:
        print(json.dumps({"machine": where, "rows": rows}, indent=2))
    else:
        print_table(rows)
        print(
            f"Python {where['python']}, {where['system']}, {where['cores']} cores, load {where['load']:.1f} at the start"
        )
    return 1 if any("failed" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
