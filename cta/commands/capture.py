"""Capture: topics of a cluster, ours and others', into a recording.

To the end offsets: the topics are read twice, first for the times that the recording's header must name, and for
whether each partition is in the order of time. If all are, the recording is, too; else its records stand as they came.
Following is `cta.commands.follow`.

With a group, a capture goes on where the group's last one ended, and acknowledges what it read when its file is whole;
captures of one group at the same time share the partitions. So together they hold every record once; after a crash,
what the crashed one had is held by another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from cta.broker.avro import topic_of
from cta.broker.extent import Extent
from cta.broker.kafka import KafkaBroker
from cta.broker.kafka_client import Connection
from cta.broker.kafka_member import KafkaMember
from cta.broker.merge import merged
from cta.broker.share import Share, Whole
from cta.commands.captured import Described, Survey, write
from cta.commands.follow import Kept, beside, follow
from cta.commands.record import InterruptedRunError, check_output
from cta.commands.tables import last_values
from cta.model.errors import BrokerError, InputError, RecordError, ServiceError
from cta.model.settings import Settings
from cta.model.topics import BY_SHORT, RECORDED, STATIONS
from cta.network.load import chicago
from cta.pipeline.stations import platform_rows, table_rows
from cta.recording.digest import Digest
from cta.recording.newfile import NewFile
from cta.stack.registry import Registry


def capture(
    settings: Settings,
    output: str,
    wanted: Sequence[str] = (),
    *,
    group: str | None = None,
    force: bool = False,
    stop: Callable[[float], bool] | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Digest:
    """Write the topics, or those of a run in the settings' namespace, to ``output``, and return the records' digest.

    ``wanted``: a cluster's own names, or our short ones. ``group``: only what no capture of that group has written yet.
    ``stop``: follow the topics until it says so; it is asked after so many seconds, and ``say`` is told when all that
    was there is written. Errors: ServiceError, BrokerError for a topic that isn't there or a group that gives nothing;
    OutputError as of `cta.commands.record`; InterruptedRunError.
    """
    check_output(output, force=force)
    if group == "":
        raise InputError("no group has this name", where="--group", remedy="choose a name for what was captured so far")
    schemas = Registry(settings.schema_registry_url)
    with KafkaBroker(settings, schemas, unreadable="raw", origins=True) as broker:
        names = _names(broker, settings, wanted)
        described = Described(names, _station_rows(broker, settings, names))
        kept = Kept()
        try:
            with _share(broker, settings, names, group, kept) as share:
                digest = (
                    _write_whole(broker, share, described, output)
                    if stop is None
                    else follow(broker, share, kept, described, output, stop, say)
                )
                _acknowledge(share, output)
        except KeyboardInterrupt:
            held = f"{NewFile(Path(output)).partial}, if it is there,"
            if stop is not None:
                held = f"{beside(output)}, or {NewFile(beside(output)).partial},"
            raise InterruptedRunError("interrupted", where=output, remedy=f"{held} holds what came so far") from None
    return digest


@contextmanager
def _share(
    broker: KafkaBroker, settings: Settings, names: Sequence[str], group: str | None, kept: Kept
) -> Iterator[Share]:
    """Every partition, or the group's share of them once it has been given."""
    if group is None:
        yield Whole(broker, names)
        return
    connection = Connection(settings)
    group = settings.namespace + group
    with closing(KafkaMember(connection, group, names, broker, revoked=kept.give_up)) as member:
        member.wait()
        yield member


def _acknowledge(share: Share, output: str) -> None:
    try:
        share.acknowledge()
    except (BrokerError, ServiceError) as error:
        error.what += f"; {output} is whole, but its records come again in the group's next capture"
        raise


def _write_whole(broker: KafkaBroker, share: Share, described: Described, output: str) -> Digest:
    """The share's records to the end offsets of now, in the order of time if each partition is."""
    extent = Extent.onward(broker, share.positions)
    survey = Survey.of(extent, broker)
    batches = (
        merged([extent.partition(broker, place) for place in extent.ends]) if survey.ordered else extent.batches(broker)
    )
    digest = write(output, described.header(survey, ordered=survey.ordered), batches)
    share.positions.update({place: end for place, (_, end) in extent.ends.items()})
    return digest


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
