"""Stream faults of a plan: which records each may strike, when and how; and what cannot be.

They reach no simulation. What becomes of a record that one strikes is `cta.faults`' matter.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from cta.model import scenario as written
from cta.model.batch import Content
from cta.model.time import DAY_MS, format_timestamp
from cta.model.topics import ALERTS, ARRIVALS, BY_SHORT, TURNSTILE, Topic
from cta.model.wording import nearest
from cta.simulation.fleet import trains_of
from cta.simulation.references import References
from cta.simulation.world_faults import Window

LATEST_MS: Final = DAY_MS
"""How late a record may be: what is late is held in memory."""

SELECTORS: Final[dict[Topic, tuple[str, ...]]] = {
    ARRIVALS: ("line", "station", "train"),
    TURNSTILE: ("line", "station"),
    ALERTS: ("line", "station"),
}
"""What a fault can name of a topic's records; nothing of those of other topics."""


@dataclass(frozen=True)
class StreamFault:
    """Strikes a ``share`` of the topic's records in the window of event time; None: of any line, station, train."""

    topic: Topic
    line: str | None
    station_id: int | None
    train_id: str | None
    window: Window
    share: float

    @property
    def chance(self) -> str:
        """What its chance is keyed by, beside seed, entity and hour: a larger share strikes what a smaller one does, and more."""
        where = f"{self.topic.short}/{self.line}/{self.station_id}/{self.train_id}"
        return f"{type(self).__name__}/{where}/{self.window.start_ms}"

    def may_strike(self, content: Content) -> bool:
        """Whether it is about such records, at any time."""
        value = content.value
        return (
            content.topic is self.topic
            and (self.line is None or value.line == self.line)
            and (self.station_id is None or value.station_id == self.station_id)
            and (self.train_id is None or value.train_id == self.train_id)
        )


@dataclass(frozen=True)
class Duplicate(StreamFault):
    copies: int
    delay_ms: int


@dataclass(frozen=True)
class Delay(StreamFault):
    delay_ms: int


@dataclass(frozen=True)
class Reorder(StreamFault):
    within_ms: int


@dataclass(frozen=True)
class Drop(StreamFault):
    pass


@dataclass(frozen=True)
class Corrupt(StreamFault):
    pass


AnyStreamFault = Duplicate | Delay | Reorder | Drop | Corrupt


def makes_late(fault: AnyStreamFault) -> bool:
    """Whether records come later than their time."""
    return isinstance(fault, Delay | Reorder) or (isinstance(fault, Duplicate) and fault.delay_ms > 0)


def resolve_stream_faults(scenario: written.Scenario, references: References) -> tuple[AnyStreamFault, ...]:
    """The scenario's stream faults, in an order that is not the document's. Raises ScenarioError with the place in it."""
    faults = [
        _fault(f"$.stream_faults[{i}]", fault, scenario, references)
        for i, fault in enumerate(scenario.stream_faults or [])
    ]
    for (i, first), (j, second) in itertools.combinations(enumerate(faults), 2):
        if first == second:
            raise references.error(f"$.stream_faults[{j}]", f"is the same as $.stream_faults[{i}]", "keep one of them")
    return tuple(sorted(faults, key=lambda fault: (fault.window.start_ms, repr(fault))))


def _fault(
    path: str, fault: written.AnyStreamFault, scenario: written.Scenario, references: References
) -> AnyStreamFault:
    topic, line, station_id = _place(path, fault, references)
    train_id = None if fault.train is UNSET else _train(f"{path}.train", fault.train, line, scenario, references)
    which = (topic, line, station_id, train_id, _window(path, fault, references), fault.share)
    if isinstance(fault, written.Duplicate):
        delay_ms = 0 if fault.delay is UNSET else _late_ms(f"{path}.delay", fault.delay, references)
        return Duplicate(*which, fault.copies, delay_ms)
    if isinstance(fault, written.Delay):
        return Delay(*which, _late_ms(f"{path}.delay", fault.delay, references))
    if isinstance(fault, written.Reorder):
        return Reorder(*which, _late_ms(f"{path}.within", fault.within, references))
    return Drop(*which) if isinstance(fault, written.Drop) else Corrupt(*which)


def _place(path: str, fault: written.StreamFault, references: References) -> tuple[Topic, str | None, int | None]:
    """Topic, line and station. Errors: what no record of the topic names, or none of this run can be of."""
    topic = BY_SHORT[fault.topic]
    for key in ("line", "station", "train"):
        if getattr(fault, key) is not UNSET and key not in SELECTORS.get(topic, ()):
            topics = ", ".join(topic.short for topic, keys in SELECTORS.items() if key in keys)
            remedy = f"leave it out, or name another topic: {topics}"
            raise references.error(f"{path}.{key}", f"records of {topic.short} have no {key}", remedy)
    return topic, *references.records_of(path, topic, fault.line, fault.station)


def _train(path: str, train_id: str, line: str | None, scenario: written.Scenario, references: References) -> str:
    """A train of the line, or of any that runs."""
    lines = references.lines if line is None else (line,)
    trains = [train.train_id for name in lines for train in trains_of(references.network, name, scenario.service)]
    if train_id not in trains:
        raise references.error(path, f"no train {train_id!r} runs on {', '.join(lines)}", nearest(train_id, trains))
    return train_id


def _window(path: str, fault: written.StreamFault, references: References) -> Window:
    """When it strikes, within the run."""
    start_ms = references.start_ms if fault.start is UNSET else references.moment_ms(f"{path}.start", fault.start)
    if not references.start_ms <= start_ms < references.end_ms:
        what = f"{format_timestamp(start_ms)} is outside the run"
        raise references.error(f"{path}.start", what, f"choose a moment from {references.run()}")
    if fault.duration is UNSET:
        return Window(start_ms, references.end_ms)
    return Window(start_ms, start_ms + references.duration_ms(f"{path}.duration", fault.duration))


def _late_ms(path: str, text: str, references: References) -> int:
    late_ms = references.duration_ms(path, text)
    if late_ms > LATEST_MS:
        raise references.error(path, f"{text!r} is longer than a day", "choose a shorter one")
    return late_ms
