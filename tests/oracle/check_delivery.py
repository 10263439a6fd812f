"""Check of a delivery: what a scenario's stream faults may have made of what its world sent, and nothing else."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from tests.oracle.history import ALERTS, ARRIVALS, FIRST_RECORD_LINE, TURNSTILE, WEATHER, History

_TOPICS = {"arrivals": ARRIVALS, "turnstile": TURNSTILE, "weather": WEATHER, "alerts": ALERTS}
_SECONDS = {"H": 3600, "M": 60, "S": 1}


def delivery(came: History, sent: History) -> list[str]:
    """Records that were never sent, that came too often or not often enough, or that were overtaken by too much.

    A corrupt record counts as one that was never sent, and as one that did not come.
    """
    faults: list[dict[str, Any]] = came.header["scenario"]["stream_faults"]
    of_topic = {name: [fault for fault in faults if _TOPICS[fault["topic"]] == name] for name in _TOPICS.values()}
    most = {name: 1 + sum(_copies(fault) for fault in found) for name, found in of_topic.items()}
    late_ms = {name: sum(_late_ms(fault) for fault in found) for name, found in of_topic.items()}
    lossy = {name for name, found in of_topic.items() if any(fault["kind"] == "drop" for fault in found)}

    violations = []
    counts, once = _counts(came), _counts(sent)
    topics = {content.raw: content.topic for content in (*came.contents, *sent.contents)}
    for time_ms, raw in counts | once:
        name, n, was_sent = topics[raw], counts[time_ms, raw], once[time_ms, raw]
        least = 0 if name in lossy else was_sent
        if not least <= n <= was_sent * most[name]:
            violations.append(f"{time_ms} {raw.decode()}: sent {was_sent} times, came {n} times")
    latest_ms = 0
    for line, (time_ms, code) in enumerate(zip(came.times_ms, came.codes, strict=True), FIRST_RECORD_LINE):
        if latest_ms - time_ms > late_ms[came.contents[code].topic]:
            violations.append(f"line {line}: stands behind a record that is {latest_ms - time_ms} ms younger")
        latest_ms = max(latest_ms, time_ms)
    return violations


def _counts(history: History) -> Counter[tuple[int, bytes]]:
    raws = [content.raw for content in history.contents]
    return Counter((time_ms, raws[code]) for time_ms, code in zip(history.times_ms, history.codes, strict=True))


def _copies(fault: dict[str, Any]) -> int:
    return int(fault["copies"]) if fault["kind"] == "duplicate" else 0


def _late_ms(fault: dict[str, Any]) -> int:
    text = fault.get("delay", fault.get("within", ""))
    return sum(int(n) * _SECONDS[unit] * 1000 for n, unit in re.findall(r"(\d+)([HMS])", text))
