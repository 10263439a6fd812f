"""What a recording's lines are: a header, records, a trailer. docs/recording-format.md is the specification.

A header of the same format version may have fields that this cta does not know; they are passed over. What a reader
must know to read a file right raises ``FORMAT``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from cta import __version__
from cta.model import schemas
from cta.model.errors import RecordingError
from cta.model.scenario import Scenario
from cta.model.topics import RECORDED
from cta.recording.digest import Digest
from cta.recording.partitions import PartitionChains, differing
from cta.recording.remedies import record_again

FORMAT: Final = 1

SUFFIX: Final = ".jsonl"
ZST_SUFFIX: Final = ".jsonl.zst"
HEADER_START: Final = b'{"cta":"recording",'
TRAILER_START: Final = b'{"end":{'
AVRO_START: Final = b"Obj\x01"
"""Of any Avro Object Container File: what `cta convert` writes and reads, and nothing else does."""

MAX_HEADER_BYTES: Final = 16 << 20
"""The city's schemas and station rows take about 70 kB."""
MAX_LINE_BYTES: Final = 8 << 20
"""Of a record: Kafka's own default limit is 1 MiB (message.max.bytes), of which a byte may take six in JSON."""
MAX_TRAILER_BYTES: Final = 256 << 10
"""Some thousand topics, or partitions."""

MAX_VERSION_CHARACTERS: Final = 40

Order = Literal["time", "arrival"]
"""``time``: times never go back. ``arrival``: records stand as they were delivered, and times may go back."""

EpochMs = Annotated[int, Meta(ge=0, le=253_402_214_400_000)]
"""Until the end of the year 9999, which is all that calendars know."""

_encode = msgspec.json.Encoder().encode


class NewerFormatError(RecordingError):
    """Of a format version that this cta does not read."""


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="cta", tag="recording"):
    """The first line: what was run, by which version, and what it takes to run it again."""

    format: int
    version: str
    """The cta that wrote it."""
    scenario: dict[str, Any] | None
    """The scenario's document; None for a stream that no scenario made."""
    seed: int | None
    """The seed of this run, which may be another than the document's."""
    start_ms: EpochMs
    end_ms: EpochMs
    """The run's window, start_ms <= t < end_ms."""
    topics: tuple[str, ...]
    schemas: dict[str, dict[str, Any]]
    """Avro schemas by topic: ``{"key": ..., "value": ...}``."""
    stations: tuple[dict[str, Any], ...]
    """The platform rows as they stood before the first record; may be empty."""
    order: Order = "time"
    missing: tuple[str, ...] = ()
    """What a repair could not save of the run, in words; a recording with any is not the whole run."""

    @classmethod
    def of(
        cls,
        *,
        scenario: Scenario | None,
        seed: int | None,
        start_ms: int,
        end_ms: int,
        stations: Sequence[Mapping[str, Any]] = (),
        others: Iterable[str] = (),
        order: Order = "time",
    ) -> Header:
        """The header that this cta writes. ``others``: topics beside the simulation's, of which no schema is known."""
        return cls(
            format=FORMAT,
            version=__version__,
            scenario=None if scenario is None else msgspec.to_builtins(scenario),
            seed=seed,
            start_ms=start_ms,
            end_ms=end_ms,
            topics=tuple(dict.fromkeys([*(topic.name for topic in RECORDED), *others])),
            schemas={topic.name: schemas.load(topic) for topic in RECORDED},
            stations=tuple(dict(row) for row in stations),
            order=order,
        )

    def line(self) -> bytes:
        return _encode(self) + b"\n"


class Trailer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The last line: what all the lines before it must come to. A file without it is incomplete."""

    records: dict[str, int]
    """Counts by topic name."""
    total: int
    first_ms: int | None
    last_ms: int | None
    digest: str
    sha256: str
    """Of all bytes before this line."""
    partitions: dict[str, dict[int, str]] = {}
    """By topic and partition the chain of the records that were captured from it; empty where none were, or too many."""

    @classmethod
    def of(cls, digest: Digest, sha256: str, topics: Iterable[str], chains: PartitionChains) -> Trailer:
        """``topics``: the header's, each with its count. ``chains`` are told where `MAX_TRAILER_BYTES` has room."""
        trailer = cls(
            records={topic: digest.counts.get(topic, 0) for topic in topics},
            total=digest.total,
            first_ms=digest.first_ms,
            last_ms=digest.last_ms,
            digest=digest.hexdigest(),
            sha256=sha256,
            partitions=chains.told(),
        )
        return trailer if len(trailer.line()) <= MAX_TRAILER_BYTES else msgspec.structs.replace(trailer, partitions={})

    def differences(self, found: Trailer) -> Iterator[tuple[str, Any, Any]]:
        """Where what was found is not what this one says: the field, what is said, what was found.

        The field is ``partition P of TOPIC`` for a chain. A trailer that has none says nothing of them.
        """
        for field in ("sha256", "digest", "records", "total", "first_ms", "last_ms"):
            if (written := getattr(self, field)) != (actual := getattr(found, field)):
                yield field, written, actual
        for topic, number in differing(self.partitions, found.partitions) if self.partitions else ():
            written, actual = (trailer.partitions.get(topic, {}).get(number) for trailer in (self, found))
            yield f"partition {number} of {topic}", written, actual

    def line(self) -> bytes:
        return _encode({"end": self}) + b"\n"


def replaced(line: bytes, **fields: Any) -> bytes:
    """A header's line with fields changed or added. What it has that this cta does not know stays where it stands."""
    document: dict[str, Any] = msgspec.json.decode(line)
    return _encode(document | fields) + b"\n"


class _Version(Struct):
    format: Annotated[int, Meta(ge=1)]
    version: Any = None


class _End(Struct):
    end: Trailer


def decode_header(line: bytes, source: str, *, remedy: str | None = None) -> Header:
    """The header in a recording's first line. RecordingError: not one, cut short, or of a newer format.

    ``remedy``: where the file ``source`` is none that `cta repair` takes.
    """
    where = f"{source} line 1"
    remedy = remedy or record_again(source)
    if line.startswith(AVRO_START):
        raise RecordingError(
            "an Avro file", where=source, remedy="make it a recording: cta convert FILE -o NAME.jsonl.zst"
        )
    if not line.startswith(HEADER_START):
        raise RecordingError("not a recording", where=where, remedy="cta record SCENARIO -o FILE makes one")
    if len(line) > MAX_HEADER_BYTES:
        raise RecordingError(f"longer than {MAX_HEADER_BYTES} bytes", where=where, remedy=remedy)
    if b"\n" not in line:
        nothing_to_save = "record the run again, or use an unaltered copy"
        raise RecordingError("cut short: no record is whole", where=where, remedy=nothing_to_save)
    try:
        _one_line(line)
        found = msgspec.json.decode(line, type=_Version)
        if found.format > FORMAT:
            what = f"of format {found.format}; cta {__version__} reads format {FORMAT}"
            known = isinstance(found.version, str) and len(found.version) <= MAX_VERSION_CHARACTERS
            upgrade = f"upgrade cta: {found.version} wrote it" if known else "upgrade cta"
            raise NewerFormatError(what, where=where, remedy=upgrade)
        return msgspec.json.decode(line, type=Header)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"damaged: {error}", where=where, remedy=remedy) from None


def _one_line(line: bytes) -> None:
    """ValueError: JSON of several lines, or without an end, as an Avro file's metadata may hold it."""
    if line.find(b"\n") != len(line) - 1:
        raise ValueError("not one line")


def decode_trailer(line: bytes, source: str, *, remedy: str | None = None) -> Trailer:
    """The trailer in a recording's last line. RecordingError: damaged, or a line that no reader finds at an end.

    ``remedy`` as of `decode_header`.
    """
    try:
        _one_line(line)
        if not line.startswith(TRAILER_START) or len(line) > MAX_TRAILER_BYTES:
            raise ValueError(f"not {TRAILER_START.decode()}... in {MAX_TRAILER_BYTES} bytes")
        return msgspec.json.decode(line, type=_End).end
    except (ValueError, RecursionError) as error:
        where, remedy = f"{source} last line", remedy or record_again(source)
        raise RecordingError(f"damaged: {error}", where=where, remedy=remedy) from None
