"""Every shipped scenario against recordings/: its digests, and an excerpt of its records. ``--accept`` writes what came out.

``digests.json`` holds the whole run's digest; ``NAME.jsonl`` a minute or two of its records, small enough to be read in
a review. Where an excerpt moved, the difference is shown record by record.

Run as ``python tests/golden/digests.py [--accept] [NAME ...]``, or by ``nox -s golden``.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import click

from cta.commands.diff import diff
from cta.commands.diff_report import report
from cta.commands.replay import replay
from cta.commands.target import Run, cut, open_run
from cta.recording.format import Header
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window

ROOT: Final = Path(__file__).parents[2]
GOLDEN: Final = ROOT / "recordings" / "digests.json"

EXCERPTS: Final = {
    "ball_game": ("21:45", "21:46"),
    "blue_line_breakdown": ("07:49", "07:54"),
    "classic": ("06:00", "06:02"),
    "clock_change_march": ("01:59", "03:01"),
    "clock_change_november": ("2026-11-01T01:59:00-05:00", "2026-11-01T01:01:00-06:00"),
    "full_day": ("03:00", "03:02"),
    "loop_closure": ("10:59", "11:01"),
    "rush_hour": ("08:00", "08:00:30"),
    "snow_day": ("07:39:30", "07:40:30"),
    "unreliable_turnstiles": ("07:29:45", "07:30:15"),
}
"""What of each scenario is kept in full: where something happens, or a few trains go by."""

Golden = dict[str, dict[str, Any]]
"""By scenario: seed, records by topic, digest, board_digest."""


def scenarios() -> list[Path]:
    """The scenarios that ship, by name."""
    return sorted((ROOT / "scenarios").glob("*.json"))


def accepted() -> Golden:
    """What stands in recordings/."""
    golden: Golden = json.loads(GOLDEN.read_text("utf-8")) if GOLDEN.exists() else {}
    return golden


def made(path: Path) -> dict[str, Any]:
    """What a scenario comes to now. ValueError where it does not meet its own expectations."""
    run = open_run(str(path))
    outcome = replay(run, run.window)
    failed = [result for result in outcome.expect if not result.ok]
    if failed:
        raise ValueError(f"{path.name}: {failed}")
    return {
        "seed": run.seed,
        "records": outcome.digest.counts,
        "digest": outcome.digest.hexdigest(),
        "board_digest": outcome.board.digest(),
    }


def excerpt(path: Path) -> tuple[Run, Window]:
    """The scenario's run and the part of it that is kept."""
    run = open_run(str(path))
    return run, cut(run, *EXCERPTS[path.stem])


def kept(path: Path) -> Path:
    """Where a scenario's excerpt stands."""
    return GOLDEN.parent / f"{path.stem}.jsonl"


def write_excerpt(path: Path, output: Path) -> None:
    """Make a scenario's excerpt anew. The stations are left out of it: they are the network's, and long."""
    run, window = excerpt(path)
    header = Header.of(
        scenario=run.scenario, seed=run.seed, start_ms=window.start_ms, end_ms=window.end_ms, order=run.order
    )
    with RecordingWriter(str(output), header) as writer:
        for batch in run.batches(window):
            writer.write(batch)


def moved(path: Path) -> str | None:
    """How a scenario's excerpt differs from the one that is kept; None where it does not."""
    if not kept(path).exists():
        return f"{kept(path).name} is not there"
    with tempfile.TemporaryDirectory() as folder:
        made_now = Path(folder) / kept(path).name
        write_excerpt(path, made_now)
        found = diff(("kept", "now"), open_run(str(kept(path))), open_run(str(made_now)))
        return "\n".join(line for line, _ in report(found, 100)) if found.exit_code else None


@click.command()
@click.option("--accept", is_flag=True, help="Write what came out.")
@click.argument("names", nargs=-1)
def main(accept: bool, names: tuple[str, ...]) -> None:
    """Replay the scenarios and compare; exit 1 where one differs and is not accepted."""
    golden, differing = accepted(), False
    for path in scenarios():
        if names and path.stem not in names:
            continue
        now = made(path)
        same = golden.get(path.stem) == now
        differing |= not same
        click.echo(f"{'same   ' if same else 'differs'} {now['digest']}  {path.stem}")
        golden[path.stem] = now
        difference = moved(path)
        if difference is not None:
            differing = True
            click.echo(difference)
            if accept:
                write_excerpt(path, kept(path))
    if accept and differing:
        whole = {path.stem: golden[path.stem] for path in scenarios() if path.stem in golden}
        GOLDEN.write_text(json.dumps(whole, indent=2) + "\n", "utf-8")
    sys.exit(1 if differing and not accept else 0)


if __name__ == "__main__":
    main()
