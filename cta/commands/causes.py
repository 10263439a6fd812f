"""Why two runs differ, as far as their scenarios, seeds, versions and windows tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from cta import __version__
from cta.commands.target import Run
from cta.model.time import format_timestamp
from cta.simulation.plan import Window

Kind = Literal["version", "seed", "fault", "stream fault", "scenario", "window", "missing"]

WITHOUT_INFLUENCE: Final = ("name", "description", "expect")
"""Fields of a scenario that reach no record."""
FAULTS: Final[dict[str, Kind]] = {"faults": "fault", "stream_faults": "stream fault"}
COMPARED_APART: Final = ("seed", *FAULTS)


@dataclass(frozen=True)
class Cause:
    """One thing in which the runs' origins differ. ``path``: of a scenario's field; None is "not there" on a side."""

    kind: Kind
    path: str | None
    a: Any
    b: Any


def causes(a: Run, b: Run) -> list[Cause]:
    """What the runs' origins differ in; nothing where that cannot explain a difference."""
    return [
        *_one("version", version(a), version(b)),
        *_one("seed", a.seed, b.seed),
        *_scenario(a, b),
        *_window(a, b),
        *_missing(a, b),
    ]


def version(run: Run) -> str:
    """The cta that made the records, or makes them now."""
    return __version__ if run.recording is None else run.recording.header.version


def common_window(a: Run, b: Run) -> Window | None:
    """The time that both runs cover; None where there is none."""
    window = Window(max(a.window.start_ms, b.window.start_ms), min(a.window.end_ms, b.window.end_ms))
    return window if window.duration_ms > 0 else None


def _one(kind: Kind, a: Any, b: Any, path: str | None = None) -> list[Cause]:
    return [] if a == b else [Cause(kind, path, a, b)]


def _scenario(a: Run, b: Run) -> Iterator[Cause]:
    if a.scenario is None or b.scenario is None:
        if a.scenario is not b.scenario:
            yield Cause("scenario", "$", *(None if run.scenario is None else run.scenario.name for run in (a, b)))
        return
    one, other = msgspec.to_builtins(a.scenario), msgspec.to_builtins(b.scenario)
    yield from _fields(one, other, "$", {*WITHOUT_INFLUENCE, *COMPARED_APART})
    for name, kind in FAULTS.items():
        faults_a, faults_b = one.get(name, []), other.get(name, [])
        yield from (Cause(kind, f"$.{name}", fault, None) for fault in _without(faults_a, faults_b))
        yield from (Cause(kind, f"$.{name}", None, fault) for fault in _without(faults_b, faults_a))


def _fields(a: dict[str, Any], b: dict[str, Any], path: str, skip: set[str]) -> Iterator[Cause]:
    for name in dict.fromkeys([*a, *b]):
        if name in skip:
            continue
        one, other = a.get(name), b.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _fields(one, other, f"{path}.{name}", set())
        elif one != other:
            yield Cause("scenario", f"{path}.{name}", one, other)


def _without(faults: list[Any], others: list[Any]) -> list[Any]:
    """The faults less the others, each taken away once."""
    left, alone = list(others), []
    for fault in faults:
        if fault in left:
            left.remove(fault)
        else:
            alone.append(fault)
    return alone


def _window(a: Run, b: Run) -> list[Cause]:
    """Windows that differ by more than their scenarios make them."""
    planned = [run.window if run.plan is None else run.plan.window for run in (a, b)]
    if a.window == b.window or [a.window, b.window] == planned:
        return []
    return [Cause("window", None, *(" to ".join(map(format_timestamp, _ends(run.window))) for run in (a, b)))]


def _missing(a: Run, b: Run) -> list[Cause]:
    """What only one of two recordings says of itself that it does not have."""
    one, other = (() if run.recording is None else run.recording.header.missing for run in (a, b))
    in_a = [Cause("missing", None, what, None) for what in one if what not in other]
    return [*in_a, *(Cause("missing", None, None, what) for what in other if what not in one)]


def _ends(window: Window) -> tuple[int, int]:
    return window.start_ms, window.end_ms
