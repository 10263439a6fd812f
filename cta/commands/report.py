"""A replay's outcome in words, as JSON, and its board as a table."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from cta.commands.console import results
from cta.commands.replay import Outcome
from cta.model.time import format_clock, format_timestamp, local
from cta.model.topics import BY_NAME, TURNSTILE
from cta.pipeline.board import Board
from cta.simulation.plan import Window

LABEL_WIDTH: Final = 13


def as_json(outcome: Outcome) -> str:
    """The object that ``cta replay --json`` prints, on one line. ``expect`` is empty where nothing was judged."""
    return msgspec.json.encode(
        {
            "scenario": outcome.run.name,
            "seed": outcome.run.seed,
            "records": outcome.digest.counts,
            "total": outcome.digest.total,
            "digest": outcome.digest.hexdigest(),
            "board_digest": outcome.board.digest(),
            "board_from_ms": outcome.run.window.start_ms,
            "wall_s": round(outcome.wall_s, 3),
            **_kafka_object(outcome),
            "expect": [
                {"name": result.name, "ok": result.ok, "expected": result.expected, "actual": result.actual}
                for result in outcome.expect
            ],
        }
    ).decode()


def _kafka_object(outcome: Outcome) -> dict[str, Any]:
    """How the records came into Kafka; nothing of a run in memory."""
    if outcome.via is None:
        return {}
    return {
        "kafka": {
            "via": outcome.via,
            "records_per_s": round(_rate(outcome)),
            "lag": msgspec.to_builtins(outcome.lag),
            "repeated": dict(outcome.repeated),
        }
    }


def _rate(outcome: Outcome) -> float:
    return outcome.digest.total / outcome.wall_s if outcome.wall_s else 0.0


def summary(outcome: Outcome) -> str:
    """What a person wants to know of a run, a line a matter."""
    digest, tally = outcome.digest, outcome.tally
    seed = "" if outcome.run.seed is None else f", seed {outcome.run.seed}"
    lines = [("scenario", f"{outcome.run.name}{seed}, {stretch(outcome.window)}")]
    counts = [f"{n:>9,}  {BY_NAME[topic].short}" for topic, n in digest.counts.items()]
    lines += [
        *under("records", [*counts, f"{digest.total:>9,}  in all"]),
        ("trains run", f"{len(tally.trains):,}"),
        ("entries", f"{digest.counts[TURNSTILE.name]:,}"),
        ("weather", _weather(outcome)),
        *under("alerts", list(tally.alerts.values()) or ["none"]),
        ("digest", digest.hexdigest()),
        ("board digest", outcome.board.digest() + _board_of(outcome)),
        ("wall time", f"{outcome.wall_s:.2f} s, {_rate(outcome):,.0f} records/s"),
        *_kafka(outcome),
        *_expectations(outcome),
    ]
    return "\n".join(f"{label:<{LABEL_WIDTH}} {text}".rstrip() for label, text in lines)


def _kafka(outcome: Outcome) -> list[tuple[str, str]]:
    """How far the cluster's readers are, and what may be there twice; nothing of a run in memory."""
    if outcome.via is None:
        return []
    repeated = [f"{n:,} of {topic} may be there more than once" for topic, n in outcome.repeated.items() if n]
    return [("lag", str(outcome.lag)), *under("repeated", repeated or ["none"])]


def stretch(window: Window) -> str:
    """``2026-05-13T07:00:00-05:00 to 09:00:00``; the end in full where it is on another day, or by another clock."""
    start, end = local(window.start_ms), local(window.end_ms)
    same = (start.date(), start.utcoffset()) == (end.date(), end.utcoffset())
    return f"{format_timestamp(window.start_ms)} to {(format_clock if same else format_timestamp)(window.end_ms)}"


def _board_of(outcome: Outcome) -> str:
    """What the board is of, where it is of more than the records counted."""
    start_ms = outcome.run.window.start_ms
    return "" if outcome.window.start_ms == start_ms else f"  (of all records from {format_timestamp(start_ms)} on)"


def under(label: str, texts: list[str]) -> list[tuple[str, str]]:
    """The label beside the first of its texts."""
    return [(label if i == 0 else "", text) for i, text in enumerate(texts)]


def _weather(outcome: Outcome) -> str:
    weather = outcome.tally.weather
    if weather is None:
        return "none read"
    last, low, high = weather
    return f"{last.temperature:g} F, {last.status.replace('_', ' ')} (low {low:g} F, high {high:g} F)"


def _expectations(outcome: Outcome) -> list[tuple[str, str]]:
    if outcome.not_judged is not None:
        return [("expect", f"not judged: {outcome.not_judged}")]
    lines = [f"ok      {result.name}" if result.ok else f"FAILED  {result}" for result in outcome.expect]
    return under("expect", lines or ["nothing"])


def complaints(outcome: Outcome) -> list[str]:
    """What to say on stderr where the summary is not printed: failed expectations, and why none were judged."""
    lines = [f"expectation failed: {result}" for result in outcome.expect if not result.ok]
    return lines if outcome.not_judged is None else [f"expectations not judged: {outcome.not_judged}"]


def print_board(board: Board, *, stderr: bool = False) -> None:
    """The status page's table, as wide as the terminal; lines in their colour where it has colours."""
    from rich.table import Table
    from rich.text import Text

    document = board.document()
    weather = document["weather"]
    title = "" if weather is None else f"{weather['temperature']:g} F, {weather['status'].replace('_', ' ')}"
    table = Table("line", "station", "direction a", "direction b", title=title, title_justify="right")
    table.add_column("entries", justify="right")
    for row in board.rows():
        name = Text(row.line, style=f"#{row.color.lstrip('#')}" if row.color else "")
        table.add_row(name, row.station, row.direction_a, row.direction_b, f"{row.entries:,}")
    results(stderr=stderr).print(table)
