"""Diff: two runs compared record by record, and why they differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from cta.commands.causes import Cause, causes, common_window
from cta.commands.console import Progress, unseen
from cta.commands.target import Run
from cta.model.batch import Batch
from cta.model.errors import InputError
from cta.model.time import parse_duration_ms
from cta.model.topics import Place
from cta.model.wording import nearest
from cta.recording.compare import Comparison, compare, ignorable
from cta.recording.partitions import differing
from cta.simulation.plan import Window

_SHORT_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h)")
_UNITS_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}


@dataclass(frozen=True)
class Diff:
    """What came of it. ``causes``: in what the runs' origins differ, whether or not their records do."""

    names: tuple[str, str]
    """As given on the command line."""
    a: Run
    b: Run
    comparison: Comparison
    causes: list[Cause]

    @property
    def common(self) -> Window | None:
        """The time that both runs cover."""
        return common_window(self.a, self.b)

    @property
    def same_records(self) -> int | None:
        """How many records there are in the common window, where nothing differs in it; else None."""
        if self.common is None or self.comparison.total != self.comparison.outside:
            return None
        return self.comparison.a.total - sum(tally.missing for tally in self.comparison.tallies.values())

    @property
    def other_order(self) -> list[Place]:
        """Of two captures of the same records, the topics and partitions that arrived in another order; no difference."""
        chains = [run.recording.trailer.partitions for run in (self.a, self.b) if run.recording is not None]
        comparable = len(chains) == 2 and all(chains) and not self.comparison.different
        return list(differing(*chains)) if comparable else []

    @property
    def exit_code(self) -> int:
        return 1 if self.comparison.different else 0


def diff(
    names: tuple[str, str],
    a: Run,
    b: Run,
    *,
    ignore: Sequence[str] = (),
    tolerance_ms: int | None = None,
    progress: Progress = unseen,
) -> Diff:
    """Compare two runs whole.

    ``progress`` is that of each pass over a run, and then of the keys that are matched, as if they were the time that the
    runs span; the records are those of all passes.

    Errors: InputError for a field that no record has; those of a recording that is damaged.
    """
    for name in ignore:
        _known(name)
    within, reading = common_window(a, b), _Reading(spanned(a, b), progress)
    comparison = compare(
        partial(reading.batches, a),
        partial(reading.batches, b),
        ignore=ignore,
        tolerance_ms=tolerance_ms,
        within=None if within is None else (within.start_ms, within.end_ms),
        matched=reading.matched,
    )
    return Diff(names, a, b, comparison, causes(a, b))


def spanned(a: Run, b: Run) -> Window:
    """From where the first of two runs begins to where the last ends."""
    return Window(min(a.window.start_ms, b.window.start_ms), max(a.window.end_ms, b.window.end_ms))


def tolerance(text: str) -> int:
    """Milliseconds of ``5s``, ``500ms``, ``2m`` or an ISO 8601 duration. Errors: InputError for anything else, and 0."""
    match = _SHORT_DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        try:
            return parse_duration_ms(text)
        except InputError as error:
            remedy = "write it as 500ms, 5s, 2m or PT5S"
            raise InputError(error.what, where="--time-tolerance", remedy=remedy) from None
    return int(match[1]) * _UNITS_MS[match[2]]


class _Reading:
    """Passes over two runs that ``progress`` is told of."""

    def __init__(self, span: Window, progress: Progress) -> None:
        self._span = span
        self._progress = progress
        self._records = 0

    def batches(self, run: Run) -> Iterator[Batch]:
        """All of a run's records: of a recording also those that lie outside the window that its header names."""
        for batch in run.batches(run.window) if run.recording is None else run.recording.batches():
            yield batch
            self._records += len(batch)
            self._progress(int(batch.times[-1]) if len(batch) else run.window.start_ms, self._records)

    def matched(self, keys: int, of: int) -> None:
        time_ms = self._span.start_ms + self._span.duration_ms * keys // of
        self._progress(time_ms, self._records, lambda: f"matching: {keys:,} of {of:,} keys")


def _known(name: str) -> None:
    fields = ignorable()
    known = {field for names in fields.values() for field in names}
    known |= {f"{topic}.{field}" for topic, names in fields.items() for field in names}
    if name not in known:
        raise InputError(f"no record has the field {name!r}", where="--ignore", remedy=nearest(name, sorted(known)))
