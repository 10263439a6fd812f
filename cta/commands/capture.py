"""Capture: topics of a cluster, ours and others', into a recording.

To the end offsets: the topics are read twice, first for the times that the recording's header must name, and for
whether each partition is in the order of time. If all are, the recording is, too; else its records stand as they came.

Following: records are written as they come, until told to stop, to a recording beside the file; it becomes the file
when its end is known. A run that is killed leaves ``FILE.following...partial``, which `cta repair` saves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from cta.broker.avro import topic_of
from cta.broker.extent import Extent
from cta.broker.kafka import KafkaBroker
from cta.broker.merge import merged
from cta.commands.record import InterruptedRunError, check_output
from cta.commands.tables import last_values
from cta.model.batch import Batch
from cta.model.errors import BrokerError, InputError, RecordError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import BY_SHORT, RECORDED, STATIONS
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows, table_rows
from cta.recording.digest import Digest
from cta.recording.format import SUFFIX, ZST_SUFFIX, Header
from cta.recording.newfile import PARTIAL_SUFFIX
from cta.recording.reader import Recording
from cta.recording.writer import RecordingWriter
from cta.stack.registry import Registry

FOLLOW_POLL_S: Final = 0.2
FOLLOWING: Final = ".following"
LATEST_MS: Final = 253_402_214_400_000
"""The end of a window whose end is not known: the year 9999."""


@dataclass
class Survey:
    """What a first reading finds: the topics that records are of, their times, and whether these go back anywhere."""

    topics: set[str] = field(default_factory=set)
    first_ms: int | None = None
    last_ms: int | None = None
    ordered: bool = True

    @classmethod
    def of(cls, extent: Extent, broker: KafkaBroker) -> Survey:
        survey = cls()
        for place in extent.ends:
            before_ms = -1
            for batch in extent.partition(broker, place):
                before_ms = survey._see(batch, before_ms)
        return survey

    def _see(self, batch: Batch, before_ms: int) -> int:
        """Take in a partition's next batch; gives the time of its last record."""
        if not len(batch):
            return before_ms
        self.topics.update(content.topic.name for content in batch.contents)
        first_ms, last_ms = int(batch.times.min()), int(batch.times.max())
        self.first_ms = first_ms if self.first_ms is None else min(self.first_ms, first_ms)
        self.last_ms = last_ms if self.last_ms is None else max(self.last_ms, last_ms)
        self.ordered &= bool((np.diff(batch.times, prepend=before_ms) >= 0).all())
        return int(batch.times[-1])


def capture(
    settings: Settings,
    output: str,
    wanted: Sequence[str] = (),
    *,
    force: bool = False,
    stop: Callable[[float], bool] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Digest:
    """Write the topics, or those of a run in the settings' namespace, to ``output``, and return the records' digest.

    ``wanted``: a cluster's own names, or our short ones. ``stop``: follow the topics until it says so; it is asked
    after so many seconds, and ``say`` is told when all that was there is written. Errors: ServiceError, BrokerError for a topic that isn't there; OutputError as of
    `cta.commands.record`; InterruptedRunError.
    """
    check_output(output, force=force)
    schemas = Registry(settings.schema_registry_url)
    with KafkaBroker(settings, schemas, unreadable="raw", origins=True) as broker:
        names = _names(broker, settings, wanted)
        described = _Described(names, _station_rows(broker, settings, names))
        try:
            if stop is not None:
                return _follow(broker, described, output, stop, say)
            extent = Extent.of(broker, names)
            survey = Survey.of(extent, broker)
            batches = (
                merged([extent.partition(broker, place) for place in extent.ends])
                if survey.ordered
                else extent.batches(broker)
            )
            return _write(output, described.header(survey, ordered=survey.ordered), batches)
        except KeyboardInterrupt:
            raise InterruptedRunError(
                "interrupted", where=output, remedy=f"{output}{PARTIAL_SUFFIX}, if it is there, holds what came so far"
            ) from None


@dataclass(frozen=True)
class _Described:
    """What a capture's header says beside the times."""

    names: list[str]
    stations: Sequence[dict[str, Any]]

    def header(self, survey: Survey, *, ordered: bool) -> Header:
        start_ms = max(0, survey.first_ms or 0)
        return Header.of(
            scenario=None,
            seed=None,
            start_ms=start_ms,
            end_ms=max(start_ms, survey.last_ms or 0) + 1,
            stations=self.stations,
            # A name that only a namespace tells from ours stands for records that are none of ours; mostly there are none.
            others=[name for name in self.names if topic_of(name) is None or name in survey.topics],
            order="time" if ordered else "arrival",
        )


def _write(output: str, header: Header, batches: Iterable[Batch]) -> Digest:
    with RecordingWriter(output, header, leaves=True) as writer:
        for batch in batches:
            writer.write(batch)
    return writer.digest


def _follow(
    broker: KafkaBroker, described: _Described, output: str, stop: Callable[[float], bool], say: Callable[[str], None]
) -> Digest:
    """What is there and what comes, as it comes, until ``stop`` says so.

    Errors: ServiceError where the cluster goes away; what came until then is in the file all the same.
    """
    gone: list[ServiceError] = []

    def coming() -> Iterator[Batch]:
        try:
            yield from _coming(broker, described, stop, say)
        except ServiceError as error:
            gone.append(error)

    beside = Path(f"{output}{FOLLOWING}{ZST_SUFFIX if output.endswith(ZST_SUFFIX) else SUFFIX}")
    unknown = Survey(set(described.names), first_ms=0, last_ms=LATEST_MS - 1)
    followed = _write(str(beside), described.header(unknown, ordered=False), coming())
    try:
        known = Survey(set(followed.counts), followed.first_ms, followed.last_ms)
        _write(output, described.header(known, ordered=False), Recording.open(beside).batches())
    finally:
        beside.unlink()
    if gone:
        what = f"{gone[0].what}; the {followed.total:,} records that came before are in {output}"
        raise ServiceError(what, where=gone[0].where, remedy=gone[0].remedy)
    return followed


def _coming(
    broker: KafkaBroker, described: _Described, stop: Callable[[float], bool], say: Callable[[str], None]
) -> Iterator[Batch]:
    """The topics' records from their beginnings on, round upon round, each to the end offsets of its moment."""
    extent = Extent.of(broker, described.names)
    yield from extent.batches(broker)
    say(f"{extent.records:,} records were there; following, until Ctrl+C")
    stopped = False
    while not stopped:
        stopped = stop(FOLLOW_POLL_S)  # what is there by then is read all the same
        ends = {place: (end, broker.end_offset(*place)) for place, (_, end) in extent.ends.items()}
        extent = Extent(ends)
        yield from extent.batches(broker)


def _names(broker: KafkaBroker, settings: Settings, wanted: Sequence[str]) -> list[str]:
    """The topics on the cluster that are meant. Errors: BrokerError for one that isn't there."""
    there = broker.topics()
    ours = [settings.namespace + topic.name for topic in RECORDED]
    names = [settings.namespace + BY_SHORT[name].name if name in BY_SHORT else name for name in wanted] or ours
    missing = [name for name in names if name not in there]
    if missing:
        shown = ", ".join(name for name in there if not name.startswith("_")) or "none"
        raise BrokerError(
            f"no topic {', '.join(missing)}",
            where=f"Kafka at {settings.bootstrap_servers}",
            remedy=f"choose others with --topics, or name the --namespace; there are: {shown}",
        )
    _refuse_two_of_one(names)
    return list(dict.fromkeys(names))


def _refuse_two_of_one(names: Iterable[str]) -> None:
    """Errors: InputError where two namespaces' topics would become one topic of the recording."""
    holders: dict[str, str] = {}
    for name in names:
        topic = topic_of(name)
        if topic is not None and holders.setdefault(topic.name, name) != name:
            what = f"{holders[topic.name]} and {name} are one topic of two runs"
            raise InputError(what, where="--topics", remedy="capture one run a file")


def _station_rows(broker: KafkaBroker, settings: Settings, names: Iterable[str]) -> list[dict[str, Any]]:
    """The platforms' rows for the page of a captured run: as Connect has read them, or else the network's own."""
    if all(topic_of(name) is None for name in names):
        return []
    stations = settings.namespace + STATIONS.name
    if stations in broker.topics():
        rows = [row for value in last_values(broker, stations).values() if (row := _platform_row(value)) is not None]
        if rows:
            return sorted(rows, key=lambda row: int(row["stop_id"]))
    return platform_rows(chicago())


def _platform_row(value: bytes) -> dict[str, Any] | None:
    """A platform's row, if the value is one from which the stations table can be made."""
    try:
        row = msgspec.json.decode(value, type=dict[str, Any])
        table_rows(row)
    except (msgspec.DecodeError, RecordError):
        return None
    return row if type(row.get("stop_id")) is int else None
