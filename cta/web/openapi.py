"""The OpenAPI document of what the server answers in JSON."""

from __future__ import annotations

from typing import Any, Final

from cta import __version__


def _query(name: str, text: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": text,
        "schema": {"type": "string"},
        "example": example,
    }


_T: Final = _query("t", "A moment of the run: a time of day, a timestamp with offset, or epoch milliseconds.", "08:15")


def _get(summary: str, *parameters: dict[str, Any], content: str = "application/json", **more: str) -> dict[str, Any]:
    answers = {"200": {"description": summary, "content": {content: {}}}}
    if parameters:
        answers["400"] = {"description": "A parameter is wrong, and why", "content": {"application/json": {}}}
    answers |= {status: {"description": text, "content": {}} for status, text in more.items()}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


_NOTHING_TO_DRAW: Final = "No train of the line, and why"

DOCUMENT: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "Transit status", "version": __version__},
    "paths": {
        "/api/board": _get("The board: weather, lines with stations and trains, alerts. Its ETag is its digest", _T),
        "/api/moment": _get("All that the page shows at a moment, as slots", _T),
        "/api/network": _get("Lines, stations and their places, hops with run times, and the run's window"),
        "/api/diagram/{line}.svg": {
            "parameters": [{"name": "line", "in": "path", "required": True, "schema": {"type": "string"}}],
            **_get("A line's trains over time", content="image/svg+xml", **{"404": _NOTHING_TO_DRAW}),
        },
        "/events": _get(
            "Server-sent events: snapshot, then change; Last-Event-ID resumes", content="text/event-stream"
        ),
        "/healthz": _get("Caught up", **{"503": "Not caught up yet"}),
        "/metrics": _get("Metrics for Prometheus", content="text/plain"),
        "/openapi.json": _get("This document"),
    },
}
