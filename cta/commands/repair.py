"""Repair: what is whole of a damaged or unfinished recording, as a recording again, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cta.commands.console import Progress, progress_bar, unseen
from cta.commands.info import moment
from cta.commands.record import check_output
from cta.model.batch import Batch
from cta.model.errors import RecordingError
from cta.recording.digest import Digest
from cta.recording.format import Header, Trailer, decode_header, replaced
from cta.recording.salvage import HeaderLine, Loss, salvage
from cta.recording.writer import RecordingWriter
from cta.simulation.plan import Window

LOSSES_TOLD = 100


@dataclass
class Saved:
    """What a reading of the file found: told in full, before anything is written."""

    header_line: bytes | None = None
    trailer: Trailer | None = None
    digest: Digest = field(default_factory=Digest)
    topics: dict[str, None] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)
    """Each with the records beside it; the first `LOSSES_TOLD`."""
    losses_in_all: int = 0
    captured: bool = False
    """Whether times go back."""
    _open: list[str] = field(default_factory=list)
    _last_ms: int | None = None

    def see_loss(self, what: str) -> None:
        self.losses_in_all += 1
        if self.losses_in_all <= LOSSES_TOLD:
            self._open.append(what)

    def see_batch(self, batch: Batch) -> None:
        self._tell(f"before {moment(int(batch.times[0]))}")
        self.topics.update((content.topic.name, None) for content in batch.compact().contents)
        self.captured |= bool((batch.times[1:] < batch.times[:-1]).any())
        self.digest.update(batch)
        self._last_ms = int(batch.times[-1])

    def end(self) -> None:
        """Nothing follows. The trailer, where there is one, is held against what was found."""
        self._tell("to the end")
        if self.losses_in_all > LOSSES_TOLD:
            self.losses.append(f"and {self.losses_in_all - LOSSES_TOLD:,} losses more")
        if self.trailer is None:
            after = "nothing" if self._last_ms is None else moment(self._last_ms)
            self.losses.append(f"the last line is missing: what was recorded after {after} cannot be told")
        elif self.trailer.total != self.digest.total:
            missing = self.trailer.total - self.digest.total
            self.losses.append(
                f"{missing:,} of {self.trailer.total:,} records are missing" if missing > 0 else "records were added"
            )
        elif self.trailer.digest != self.digest.hexdigest():
            self.losses.append("all records are there, but some are not as they were recorded: the digest differs")

    def _tell(self, beside: str) -> None:
        after = "from the start" if self._last_ms is None else f"after {moment(self._last_ms)}"
        self.losses += [f"{what}; {after}, {beside}" for what in self._open]
        self._open.clear()


def look(path: Path, progress: Progress = unseen) -> Saved:
    """Read the file and say what is whole. RecordingError: it cannot be opened, or is of a newer format."""
    saved = Saved()
    for found in salvage(path):
        match found:
            case HeaderLine(line):
                saved.header_line = line
            case Loss(what):
                saved.see_loss(what)
            case Trailer():
                saved.trailer = found
            case Batch():
                saved.see_batch(found)
                progress(int(found.times[-1]), saved.digest.total)
    saved.end()
    return saved


def repair(file: str, output: str, *, force: bool = False) -> Saved:
    """Write what is whole to ``output``; ``file`` is only read. Its digest is that of the records saved.

    The file is read twice, each time under a bar where somebody watches and the header tells the window. Errors:
    RecordingError where nothing is whole; OutputError.
    """
    check_output(output, force=force, source=Path(file))
    window = _window(Path(file))
    with progress_bar(window or Window(0, 0), quiet=window is None) as progress:
        saved = look(Path(file), progress)
        if saved.header_line is None and not saved.digest.total:
            raise RecordingError("nothing in it is whole", where=file, remedy="record the run again")
        with RecordingWriter(output, _header(saved)) as writer:
            for found in salvage(Path(file)):
                if isinstance(found, Batch):
                    writer.write(found)
                    progress(int(found.times[-1]), saved.digest.total + writer.digest.total)
    return saved


def _window(path: Path) -> Window | None:
    """As the header says, if it is whole."""
    first = next(salvage(path), None)
    if not isinstance(first, HeaderLine):
        return None
    header = decode_header(first.line, str(path))
    return Window(header.start_ms, header.end_ms)


def _header(saved: Saved) -> bytes:
    """The file's own header, or one that says no more than is known, with what is missing."""
    first_ms, last_ms = saved.digest.first_ms, saved.digest.last_ms
    if saved.header_line is None:
        header = Header.of(
            scenario=None,
            seed=None,
            start_ms=max(0, first_ms or 0),
            end_ms=max(0, last_ms or 0) + 1,
            others=saved.topics,
            order="arrival" if saved.captured else "time",
        )
        return replaced(header.line(), missing=saved.losses)
    if not saved.losses:
        return saved.header_line
    header = decode_header(saved.header_line, "the file")
    return replaced(saved.header_line, missing=[*header.missing, *saved.losses])
