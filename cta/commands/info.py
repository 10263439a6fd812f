"""Info: what a recording is, from its ends and its index alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cta.commands.report import LABEL_WIDTH, under
from cta.model.time import format_timestamp
from cta.model.topics import short_name
from cta.recording.format import Header, Trailer, decode_trailer
from cta.recording.reader import Ends, ends
from cta.recording.remedies import save


@dataclass(frozen=True)
class About:
    """What a recording says of itself. Nothing of it is held against its records: that is what `cta check` does."""

    path: Path
    file_bytes: int
    found: Ends
    header: Header
    trailer: Trailer | None
    """None: cut short."""

    @property
    def complete(self) -> bool:
        """Whether it has its end, and lacks nothing that its header knows of."""
        return self.trailer is not None and not self.header.missing


def about(file: str) -> About:
    """Reads two lines and a table, whatever the size. RecordingError: not a recording, or damaged in either line."""
    path = Path(file)
    found = ends(path)
    trailer = None if found.trailer_line is None else decode_trailer(found.trailer_line, file)
    return About(path, path.stat().st_size, found, found.header, trailer)


def as_json(about: About) -> str:
    """The object that ``cta info --json`` prints, on one line."""
    header, trailer = about.header, about.trailer
    document: dict[str, Any] = {
        "file": str(about.path),
        "complete": about.complete,
        "bytes": about.file_bytes,
        "text_bytes": about.found.text_bytes or None,
        "frames": about.found.frames,
        "format": header.format,
        "version": header.version,
        "scenario": None if header.scenario is None else header.scenario.get("name"),
        "seed": header.seed,
        "start_ms": header.start_ms,
        "end_ms": header.end_ms,
        "order": header.order,
        "missing": header.missing,
        "records": None,
        "total": None,
        "first_ms": None,
        "last_ms": None,
        "digest": None,
        "sha256": None,
        "partitions": None,
    }
    return msgspec.json.encode(document | ({} if trailer is None else msgspec.structs.asdict(trailer))).decode()


def summary(about: About) -> str:
    """The same for a person, a line a matter."""
    header, trailer = about.header, about.trailer
    name = "a capture" if header.scenario is None else str(header.scenario.get("name"))
    seed = "" if header.seed is None else f", seed {header.seed}"
    form = (
        "" if about.found.frames is None else f", {about.found.text_bytes:,} as text in {about.found.frames:,} frames"
    )
    lines = [
        ("file", f"{about.path}: {about.file_bytes:,} bytes{form}"),
        ("run", f"{name}{seed}, {moment(header.start_ms)} to {moment(header.end_ms)}"),
        ("written by", f"cta {header.version}, format {header.format}"),
    ]
    if header.order == "arrival":
        lines.append(("order", "of arrival: times may go back"))
    if trailer is None:
        lines.append(("complete", f"no: cut short; {save(about.path)}"))
    else:
        counts = [f"{n:>9,}  {short_name(name)}" for name, n in trailer.records.items()]
        lines += under("records", [*counts, f"{trailer.total:>9,}  in all"])
        if trailer.first_ms is not None and trailer.last_ms is not None:
            lines.append(("from, to", f"{moment(trailer.first_ms)}, {moment(trailer.last_ms)}"))
        lines += [
            ("digest", trailer.digest),
            ("sha256", trailer.sha256),
            *_partitions(trailer),
            ("complete", "yes" if about.complete else "no"),
        ]
    lines += under("missing", list(header.missing))
    return "\n".join(f"{label:<{LABEL_WIDTH}} {text}".rstrip() for label, text in lines)


def _partitions(trailer: Trailer) -> list[tuple[str, str]]:
    chains = sum(map(len, trailer.partitions.values()))
    return [("partitions", f"{chains:,}, the order of each in a chain")] if chains else []


def moment(time_ms: int) -> str:
    """A timestamp, or the bare number where no calendar has it."""
    try:
        return format_timestamp(time_ms)
    except (OverflowError, ValueError):
        return f"{time_ms} ms"
