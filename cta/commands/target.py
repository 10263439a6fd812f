"""What a command runs: a scenario that is simulated, or a recording that is read. Both are a `Run`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cta.faults.stream import delivered
from cta.model import scenario as scenarios
from cta.model.batch import Batch
from cta.model.errors import InputError
from cta.model.scenario import Scenario
from cta.model.time import format_timestamp, parse_moment
from cta.model.topics import RECORDED
from cta.network.load import chicago
from cta.network.network import Network
from cta.pipeline.stations import platform_rows
from cta.recording.format import Order
from cta.recording.reader import Recording, is_recording
from cta.simulation.plan import Plan, Window, resolve


@dataclass(frozen=True)
class Run:
    """A stream of records in order, and what it is of."""

    path: Path
    """The scenario's or the recording's file."""
    name: str
    seed: int | None
    """None for a recording that no scenario made."""
    window: Window
    """What there is of it; a recording may hold a part of its scenario's run."""
    network: Network
    scenario: Scenario | None
    plan: Plan | None
    recording: Recording | None
    """Where the records are read from; simulated where it is None."""

    def batches(self, window: Window) -> Iterator[Batch]:
        """The records in ``window``, a part of the run's own."""
        if self.recording is not None:
            return self.recording.batches(from_ms=window.start_ms, until_ms=window.end_ms)
        assert self.plan is not None
        return delivered(self.network, self.plan, from_ms=window.start_ms, until_ms=window.end_ms)

    @property
    def order(self) -> Order:
        """Whether times may go back: as the recording says, or as the plan's stream faults will have it."""
        if self.recording is not None:
            return self.recording.header.order
        return "time" if self.plan is None or self.plan.in_order else "arrival"

    def station_rows(self) -> Sequence[Mapping[str, Any]]:
        """The platform rows as they stand before the first record."""
        return self.recording.header.stations if self.recording is not None else platform_rows(self.network)


def open_run(target: str, *, seed: int | None = None) -> Run:
    """The run of a scenario's or a recording's file. ``seed`` in place of a scenario's own.

    Errors: ScenarioError, RecordingError, and InputError for no name, or a recording with another seed.
    """
    if not target:
        what, remedy = "no file has an empty name", "name a scenario's or a recording's file"
        raise InputError(what, where="TARGET", remedy=remedy)
    if is_recording(target):
        if seed is not None:
            raise InputError(
                "a recording has the seed that it was made with",
                where=f"{target}: --seed",
                remedy="leave it out, or replay the scenario",
            )
        return _recorded(target)
    return _simulated(target, seed)


def open_to_replay(target: str, *, seed: int | None = None) -> Run:
    """As `open_run`. InputError also for records of other topics than a run's, of which nothing can be made."""
    run = open_run(target, seed=seed)
    counts = {} if run.recording is None else run.recording.trailer.records
    ours = {topic.name for topic in RECORDED}
    others = [name for name, records in counts.items() if records and name not in ours]
    if others:
        what = f"holds records of {', '.join(others)}, which no run has"
        raise InputError(what, where=target, remedy="cta cat, check and diff take it")
    return run


def _simulated(target: str, seed: int | None) -> Run:
    network = chicago()
    scenario = scenarios.load(target)
    plan = resolve(scenario, network, source=target)
    if seed is not None:
        plan = dataclasses.replace(plan, seed=seed)
    return Run(Path(target), plan.name, plan.seed, plan.window, network, scenario, plan, None)


def _recorded(target: str) -> Run:
    network = chicago()
    recording = Recording.open(target)
    header = recording.header
    window = Window(header.start_ms, header.end_ms)
    if header.scenario is None:
        return Run(recording.path, recording.path.stem, header.seed, window, network, None, None, recording)
    source = f"{target} line 1"
    scenario = scenarios.parse(msgspec.json.encode(header.scenario), source)
    plan = resolve(scenario, network, source=source)
    if header.seed is not None:
        plan = dataclasses.replace(plan, seed=header.seed)
    return Run(recording.path, plan.name, header.seed, window, network, scenario, plan, recording)


def cut(run: Run, from_: str | None, until: str | None) -> Window:
    """The part of the run between two moments: timestamps, or times of day, the first one within the run.

    Errors: InputError for a moment that is none or lies outside the run, and for an end that is not after the start.
    """
    return part(run.window, from_, until)


def part_of(recording: Recording, from_: str | None, until: str | None) -> Window:
    """As `cut`, of a recording."""
    return part(Window(recording.header.start_ms, recording.header.end_ms), from_, until)


def part(window: Window, from_: str | None, until: str | None) -> Window:
    """As `cut`, of a window."""
    start_ms, end_ms = window.start_ms, window.end_ms
    from_ms = start_ms if from_ is None else _moment("--from", from_, start_ms)
    # An end at the start's own time of day is the next day's: nobody asks for no time at all.
    until_ms = end_ms if until is None else _moment("--until", until, start_ms + 1)
    for option, time_ms, inside in (
        ("--from", from_ms, start_ms <= from_ms < end_ms),
        ("--until", until_ms, start_ms < until_ms <= end_ms),
    ):
        if not inside:
            raise InputError(
                f"{format_timestamp(time_ms)} is outside the run",
                where=option,
                remedy=f"it goes from {format_timestamp(start_ms)} to {format_timestamp(end_ms)}",
            )
    if from_ms >= until_ms:
        raise InputError(
            f"{format_timestamp(until_ms)} is not after --from",
            where="--until",
            remedy=f"choose a moment after {format_timestamp(from_ms)}",
        )
    return Window(from_ms, until_ms)


def _moment(option: str, text: str, after_ms: int) -> int:
    try:
        return parse_moment(text, after_ms)
    except InputError as error:
        raise InputError(error.what, where=option, remedy=error.remedy) from None
