"""Check: a recording's bytes, and a run's records held to every law that is known of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from cta.commands.console import progress_bar
from cta.commands.target import Run, open_run
from cta.model import scenario as scenarios
from cta.model.errors import ScenarioError
from cta.network.load import chicago
from cta.pipeline.invariants import Invariant
from cta.pipeline.laws import laws
from cta.recording.digest import Digest
from cta.recording.format import Header
from cta.recording.reader import is_recording
from cta.recording.scan import Flaw, Lines, Scan
from cta.simulation.plan import Plan, Window, resolve

KEPT: Final = 5
"""Violations of a law that are kept where not all are asked for."""


@dataclass(frozen=True)
class Violation:
    line: int
    """In the recording; of a scenario, in the recording that it would make."""
    law: str
    what: str


@dataclass
class Verdict:
    """What came of a check. ``violations``: of each law at most `KEPT`, or all; ``broken`` counts all."""

    name: str
    laws: list[str]
    """Those that were judged."""
    digest: Digest
    broken: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What to know of the verdict: what could not be judged, and why."""

    def add(self, violation: Violation, *, keep: bool) -> None:
        self.broken[violation.law] += 1
        self.first_lines.setdefault(violation.law, violation.line)
        if keep or self.broken[violation.law] <= KEPT:
            self.violations.append(violation)

    @property
    def exit_code(self) -> int:
        return 1 if self.broken else 0


def check(target: str, *, keep_all: bool = False) -> Verdict:
    """Check a recording's or a scenario's file, under a bar where somebody watches.

    Errors: RecordingError for a recording without a header that this cta reads; ScenarioError.
    """
    return _of_recording(target, keep_all) if is_recording(target) else _of_scenario(target, keep_all)


def _of_scenario(target: str, keep_all: bool) -> Verdict:
    run = open_run(target)
    judged = laws(run.network, run.plan, run.window, ordered=run.order == "time")
    verdict = Verdict(target, list(judged), Digest(), notes=_stream_faults(run.plan))
    return _judge(verdict, run.window, judged, _simulated(run, verdict.digest), keep_all)


def _of_recording(target: str, keep_all: bool) -> Verdict:
    scan = Scan(target)
    header = scan.header
    plan, wrong = _plan(header, target)
    window = Window(header.start_ms, header.end_ms)
    judged = laws(chicago(), plan, window, ordered=header.order == "time", whole=not header.missing)
    verdict = Verdict(target, ["bytes", *judged], scan.digest, notes=_stream_faults(plan))
    if wrong is not None:
        verdict.add(Violation(1, "schema", wrong), keep=keep_all)
    if plan is None:
        verdict.notes.append("without a scenario, closures and the reasons of alerts are not judged")
    verdict.notes += [
        f"not the whole run, so nothing that is missing is a violation: {what}" for what in header.missing
    ]
    return _judge(verdict, window, judged, scan.parts(), keep_all)


def _plan(header: Header, target: str) -> tuple[Plan | None, str | None]:
    """The plan of the header's scenario, if it has one; or what is wrong with that."""
    if header.scenario is None:
        return None, None
    try:
        scenario = scenarios.parse(msgspec.json.encode(header.scenario), "its scenario")
        return resolve(scenario, chicago(), source="its scenario"), None
    except ScenarioError as error:
        return None, str(error)


def _stream_faults(plan: Plan | None) -> list[str]:
    if plan is None or not plan.stream_faults:
        return []
    return ["the scenario has stream faults: what they did to its records is judged with the rest"]


def _simulated(run: Run, digest: Digest) -> Iterator[Lines]:
    line = 2
    for batch in run.batches(run.window):
        digest.update(batch)
        yield Lines(line, batch)
        line += len(batch)


def _judge(
    verdict: Verdict, window: Window, judged: Mapping[str, Invariant], parts: Iterable[Lines | Flaw], keep_all: bool
) -> Verdict:
    line = 2
    with progress_bar(window) as progress:
        for part in parts:
            for violation in _violations(judged, part):
                verdict.add(violation, keep=keep_all)
            line = part.line + (len(part.batch) if isinstance(part, Lines) else 0)
            progress(verdict.digest.last_ms or window.start_ms, verdict.digest.total)
    for name, law in judged.items():
        for what in law.finish():
            verdict.add(Violation(line, name, what), keep=keep_all)
    verdict.violations.sort(key=lambda violation: violation.line)
    return verdict


def _violations(judged: Mapping[str, Invariant], part: Lines | Flaw) -> Iterator[Violation]:
    if isinstance(part, Flaw):
        yield Violation(part.line, part.kind, part.what)
        if part.loses:
            for law in judged.values():
                law.lost()
        return
    for name, law in judged.items():
        for row, what in law.find(part.batch):
            yield Violation(part.line + row, name, what)
