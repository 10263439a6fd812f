"""A diff in words, the verdict first, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from cta.commands.causes import FAULTS, Cause
from cta.commands.diff import Diff
from cta.commands.report import stretch
from cta.commands.target import Run
from cta.model.batch import Content
from cta.model.time import format_timestamp, local
from cta.model.topics import ALERTS, ARRIVALS, TURNSTILE, WEATHER, Topic, short_name
from cta.network.network import Network
from cta.recording.differences import Divergence, Mark, Tally

if TYPE_CHECKING:
    from rich.console import Console

ENTITIES_SHOWN: Final = 4
"""Of each topic."""
COUNTS_WIDTHS: Final = (9, 9, 8, 8, 8, 9, 9)
COUNTS_WIDTH: Final = sum(COUNTS_WIDTHS)
MIN_NAME_WIDTH, MAX_NAME_WIDTH = 16, 40
MARKS: Final[dict[Mark, str]] = {"=": " ", "a": "-", "b": "+"}
STYLES: Final[dict[Mark, str]] = {"=": "", "a": "red", "b": "green"}
LABEL_WIDTH: Final = 7
IGNORED: Final = "but for what was to be ignored"
_LABELLED_PARTS: Final = ("copies", "delay", "within", "share")
"""Of a fault: those that do not speak for themselves."""


def as_json(diff: Diff) -> str:
    """The object that ``cta diff --json`` prints, on one line."""
    return msgspec.json.encode(document(diff)).decode()


def document(diff: Diff) -> dict[str, Any]:
    """A diff, with every entity."""
    comparison = diff.comparison
    first = comparison.first
    return {
        "different": comparison.different,
        "a": _run(diff.names[0], diff.a, comparison.a.hexdigest(), comparison.a.total),
        "b": _run(diff.names[1], diff.b, comparison.b.hexdigest(), comparison.b.total),
        "causes": [{"kind": c.kind, "path": c.path, "a": c.a, "b": c.b} for c in diff.causes],
        "first": first
        and {
            "t": first.time_ms,
            "topic": first.topic.name,
            "entity": first.entity,
            "outside_common_window": _outside(diff, first),
            "records": [
                {"in": "both" if mark == "=" else mark, "t": time_ms, "key": content.key, "value": content.value}
                for mark, time_ms, content in first.records
            ],
        },
        "topics": {topic.name: _tally(tally) for topic, tally in comparison.topics().items()},
        "entities": [
            {"topic": topic.name, "entity": entity, **_tally(tally)}
            for (topic, entity), tally in comparison.tallies.items()
        ],
        "common_window": diff.common
        and {"start_ms": diff.common.start_ms, "end_ms": diff.common.end_ms, "same_records": diff.same_records},
        "outside_common_window": comparison.outside,
        "other_order": [{"topic": topic, "partition": number} for topic, number in diff.other_order],
    }


def _run(name: str, run: Run, digest: str, total: int) -> dict[str, Any]:
    return {
        "target": name,
        "scenario": run.name,
        "seed": run.seed,
        "start_ms": run.window.start_ms,
        "end_ms": run.window.end_ms,
        "total": total,
        "digest": digest,
    }


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "missing": tally.missing,
        "extra": tally.extra,
        "changed": tally.changed,
        "fields": dict(sorted(tally.fields.items())),
        "moved": tally.moved,
        "median_shift_ms": tally.median_shift_ms,
    }


def print_report(diff: Diff, console: Console) -> None:
    """The verdict and the causes, what was compared, the first difference, the counts: one screen."""
    from rich.text import Text

    for line, style in report(diff, console.width):
        console.print(Text(line.rstrip(), style), soft_wrap=True)


def report(diff: Diff, width: int) -> Iterator[tuple[str, str]]:
    """Lines, words longer than the width among them, and the style of each."""
    yield verdict(diff), "bold"
    if diff.comparison.different:
        yield from _plain(_same_inside(diff))
        yield from _plain(_labelled("cause", [_cause(cause) for cause in diff.causes] or [_untold(diff)]))
        if (outside := diff.comparison.outside) and diff.same_records is None:
            yield from _plain(_labelled("", [f"{outside:,} of the missing and extra lie outside the common window"]))
    yield from _plain(_sides(diff))
    yield from _plain(_order(diff))
    yield from divergence(diff, width)


def divergence(diff: Diff, width: int) -> Iterator[tuple[str, str]]:
    """The first difference in its surroundings, then the counts, cut to the width; nothing where there is none."""
    lines = list(_first(diff))
    if diff.comparison.different:
        lines += [("", ""), *_counts(diff, min(max(width - COUNTS_WIDTH - 1, MIN_NAME_WIDTH), MAX_NAME_WIDTH))]
    yield from ((_cut(line.rstrip(), width), style) for line, style in lines)


def _plain(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    return ((line, "") for line in lines)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def verdict(diff: Diff) -> str:
    """One line: the same or not, how much of it, from when on; where only their windows differ, that they do."""
    comparison = diff.comparison
    first = comparison.first
    if first is None:
        equal = comparison.a.hexdigest() == comparison.b.hexdigest()
        return "the same" if equal else f"the same {IGNORED}"
    differences = "1 difference" if comparison.total == 1 else f"{comparison.total:,} differences"
    if diff.same_records is not None:
        return f"different: {differences}, all outside the window that both cover"
    return f"different: {differences}, the first at {format_timestamp(first.time_ms)}"


def _same_inside(diff: Diff) -> Iterator[str]:
    if diff.common is not None and diff.same_records is not None:
        inside = f"inside it, {stretch(diff.common)}: {diff.same_records:,} records"
        yield from _labelled("same", [inside] if diff.comparison.exact else [inside, IGNORED])


def _outside(diff: Diff, first: Divergence) -> bool:
    """Whether only one of the runs covers the first difference, which then says nothing of why they differ there."""
    return diff.common is not None and not diff.common.start_ms <= first.time_ms < diff.common.end_ms


def _sides(diff: Diff) -> Iterator[str]:
    sides = zip("AB", diff.names, (diff.a, diff.b), (diff.comparison.a, diff.comparison.b), strict=True)
    for side, name, run, digest in sides:
        window = f"{format_timestamp(run.window.start_ms)} to {format_timestamp(run.window.end_ms)}"
        yield from _labelled(
            side,
            [
                name if run.seed is None else f"{name}, seed {run.seed}",
                f"{digest.total:,} records, {window}",
                f"digest {digest.hexdigest()}",
            ],
        )


def _order(diff: Diff) -> Iterator[str]:
    if places := diff.other_order:
        named = ", ".join(f"{short_name(topic)} {number}" for topic, number in places)
        yield from _labelled("order", [f"not the same between keys, in partition: {named}"])


def _labelled(label: str, texts: list[str]) -> Iterator[str]:
    for i, text in enumerate(texts):
        yield f"{label if i == 0 else '':<{LABEL_WIDTH}} {text}"


def _cause(cause: Cause) -> str:
    if cause.kind in FAULTS.values():
        side, fault = ("B", cause.b) if cause.a is None else ("A", cause.a)
        return f"a {cause.kind} in {side} only: {_fault(fault)}"
    if cause.kind == "missing":
        return f"not in A: {cause.a}" if cause.b is None else f"not in B: {cause.b}"
    what = cause.kind if cause.path is None else cause.path
    return f"{what}: {_value(cause.a)} in A, {_value(cause.b)} in B"


def _fault(fault: dict[str, Any]) -> str:
    parts = [str(part) for name, part in fault.items() if name not in ("start", "duration", *_LABELLED_PARTS)]
    parts += [f"{name} {fault[name]}" for name in _LABELLED_PARTS if name in fault]
    when = "".join(f" {word} {fault[name]}" for name, word in (("start", "from"), ("duration", "for")) if name in fault)
    return f"{', '.join(parts)};{when or ' the whole run'}"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _untold(diff: Diff) -> str:
    if diff.a.scenario is None and diff.b.scenario is None:
        return "not told: no scenario made these recordings"
    return "not told: scenario, seed, version and window are the same"


def _first(diff: Diff) -> Iterator[tuple[str, str]]:
    first = diff.comparison.first
    if first is None:
        return
    yield "", ""
    window = "the common window" if diff.same_records is None else "that window"
    where = f", outside {window}" if _outside(diff, first) else ""
    entity = _entity(first.topic, first.entity, diff.a.network)
    yield f"first difference{where}: {first.topic.short} {entity} (- A, + B)", "bold"
    for mark, time_ms, content in first.records:
        moment = f"{local(time_ms):%H:%M:%S}.{time_ms % 1000:03}"
        yield f"  {MARKS[mark]} {moment}  {described(content, diff.a.network)}", STYLES[mark]


def described(content: Content, network: Network) -> str:
    """A record's value in a few words; as JSON where we have none."""
    value = content.value
    if content.topic is ARRIVALS:
        came = f"from {_station(value.prev_station_id, network)} {value.prev_direction}"
        came = "out of the yard" if value.prev_station_id is None else came
        return f"{_station(value.station_id, network)} {value.direction}  {value.line} {value.train_status}, {came}"
    if content.topic is TURNSTILE:
        return f"{value.station_name}  {value.line}"
    if content.topic is WEATHER:
        return f"{value.temperature:g} F  {value.status}"
    if content.topic is ALERTS:
        return f"{value.text}  {value.effect}"
    return msgspec.json.encode(value).decode()


def _station(station_id: int, network: Network) -> str:
    station = network.stations.get(station_id)
    return str(station_id) if station is None else station.name


def _entity(topic: Topic, entity: str, network: Network) -> str:
    if topic is TURNSTILE and entity.isdecimal():
        return f"{entity} {_station(int(entity), network)}"
    return entity


def _counts(diff: Diff, width: int) -> Iterator[tuple[str, str]]:
    """A row a topic, and under it the entities with the most differences."""
    comparison = diff.comparison
    heads = ("A", "B", "missing", "extra", "changed", "moved", "median")
    yield f"{'':{width}}" + _cells(heads), "bold"
    for topic, tally in comparison.topics().items():
        totals = [f"{digest.counts.get(topic.name, 0):,}" for digest in (comparison.a, comparison.b)]
        yield f"{topic.short:{width}}" + _cells([*totals, *_numbers(tally)]), "bold" if tally.total else ""
        if tally.fields:
            yield f"  changed: {', '.join(f'{name} {n:,}' for name, n in tally.fields.most_common())}", ""
        of_topic = [(entity, each) for (other, entity), each in comparison.tallies.items() if other is topic]
        if [entity for entity, _ in of_topic] == [topic.short]:
            continue
        ranked = sorted(of_topic, key=lambda item: (-item[1].total, item[0]))
        for entity, each in ranked[:ENTITIES_SHOWN]:
            wide = width + sum(COUNTS_WIDTHS[:2]) - 2  # A and B have no count of an entity's records
            name = _cut(_entity(topic, entity, diff.a.network), wide)
            yield f"  {name:{wide}}" + _cells(["", "", *_numbers(each)])[-sum(COUNTS_WIDTHS[2:]) :], ""
        if more := len(ranked[ENTITIES_SHOWN:]):
            yield f"  and {more:,} more (--json has all)", "dim"


def _cells(texts: Sequence[str]) -> str:
    return "".join(f"{text:>{cell}}" for text, cell in zip(texts, COUNTS_WIDTHS, strict=True))


def _numbers(tally: Tally) -> list[str]:
    counts = [f"{n:,}" if n else "-" for n in (tally.missing, tally.extra, tally.changed, tally.moved)]
    shift_ms = tally.median_shift_ms
    return [*counts, "" if shift_ms is None else shift(shift_ms)]


def shift(shift_ms: int) -> str:
    """``+0.2 s``, ``-12.0 s``, ``+4m03s``, ``+1h02m``."""
    sign, apart_ms = "-" if shift_ms < 0 else "+", abs(shift_ms)
    if apart_ms < 60_000:
        return f"{sign}{apart_ms // 1000}.{apart_ms % 1000 // 100} s"
    minutes, seconds = divmod(round(apart_ms / 1000), 60)
    return f"{sign}{minutes}m{seconds:02}s" if minutes < 60 else f"{sign}{minutes // 60}h{minutes % 60:02}m"
