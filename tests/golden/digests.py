"""Every shipped scenario's digests against recordings/digests.json. ``--accept`` writes what came out.

Run as ``python tests/golden/digests.py [--accept] [NAME ...]``, or by ``nox -s golden``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from cta.commands.replay import replay
from cta.commands.target import open_run

ROOT: Final = Path(__file__).parents[2]
GOLDEN: Final = ROOT / "recordings" / "digests.json"

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
    if accept and differing:
        kept = {path.stem: golden[path.stem] for path in scenarios() if path.stem in golden}
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")
    sys.exit(1 if differing and not accept else 0)


if __name__ == "__main__":
    main()
