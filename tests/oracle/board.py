"""The status page's board in SQL: what `cta replay --json` gives the digest of."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any

from tests.oracle.case import Case

_CELLS = """
    SELECT line, station_id, direction, train_id, train_status, t FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY train_id ORDER BY t DESC, raw DESC) AS age FROM arrival
    ) WHERE age = 1 AND train_status != 'out_of_service' ORDER BY t DESC, raw DESC
"""

_ALERTS = """
    SELECT key, effect, cause, line, station_id, train_id, active_from, active_to, text FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY key ORDER BY t DESC, raw DESC) AS age FROM alert
    ) WHERE age = 1 AND active_from <= :now AND (active_to IS NULL OR :now < active_to) ORDER BY active_from, key
"""

_ALERT_FIELDS = (
    "alert_id",
    "effect",
    "cause",
    "line",
    "station_id",
    "train_id",
    "active_from",
    "active_to",
    "text",
)


def document(case: Case) -> dict[str, Any]:
    """``{time, weather, lines, alerts}``: trains where they were last, newest first, and the entries of each station."""
    now = max(case.history.times_ms, default=None)
    weather = case.database.execute(
        "SELECT temperature, status, t FROM weather ORDER BY t DESC, raw DESC LIMIT 1"
    ).fetchone()
    return {
        "time": now,
        "weather": weather and dict(zip(("temperature", "status", "time"), weather, strict=True)),
        "lines": _lines(case),
        "alerts": [
            dict(zip(_ALERT_FIELDS, alert, strict=True)) for alert in case.database.execute(_ALERTS, {"now": now})
        ],
    }


def digest(board: dict[str, Any]) -> str:
    """blake2b-128 of the document as compact JSON."""
    return hashlib.blake2b(
        json.dumps(board, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode(), digest_size=16
    ).hexdigest()


def _lines(case: Case) -> list[dict[str, Any]]:
    """A line a row of lines.csv; its stations in the order of the recording's initial station rows."""
    entries = dict(case.database.execute("SELECT station_id, count(*) FROM entry GROUP BY 1"))
    trains = defaultdict(list)
    for line, station_id, direction, train_id, status, t in case.database.execute(_CELLS):
        trains[line, station_id, direction].append({"train_id": train_id, "status": status, "time": t})
    return [
        {
            "line": line["line"],
            "name": line["name"],
            "color": line["color"],
            "stations": [
                {
                    "station_id": station_id,
                    "name": name,
                    "order": order,
                    "a": trains[line["line"], station_id, "a"],
                    "b": trains[line["line"], station_id, "b"],
                    "entries": entries.get(station_id, 0),
                }
                for order, station_id, name in _stations(case, line["line"])
            ],
        }
        for line in case.railway.lines
    ]


def _stations(case: Case, line: str) -> list[tuple[int, int, str]]:
    platforms = (row for row in case.history.header["stations"] if row[line])
    return sorted({(row[f"{line}_order"], row["station_id"], row["station_name"]) for row in platforms})
