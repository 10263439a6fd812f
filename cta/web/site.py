"""What the page's handlers share: the feed, its hub, the run to travel through, and how they are put into HTML."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec
from tornado.template import Loader

from cta.model.errors import InputError
from cta.model.time import format_clock, local
from cta.network.network import Network
from cta.web.diagram import diagram_svg, strings
from cta.web.drawing import loop_svg, map_svg
from cta.web.feed import Feed
from cta.web.history import History
from cta.web.hub import Hub
from cta.web.metrics import Metrics
from cta.web.scene import Slots, document_of
from cta.web.table import alert_lines, colors_css, tables, weather_words
from cta.web.track_map import network_document

HERE: Final = Path(__file__).parent
FIRST_ALERTS: Final = 3
"""So many are said, and the others when asked for; static/alerts.js does the same."""


@dataclass
class Site:
    """What the handlers share. ``history``: None where there is nothing to travel through."""

    network: Network
    feed: Feed
    history: History | None = None
    name: str = ""
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub(secrets.token_hex(4), self.feed.slots())
        self.metrics = Metrics(self.feed, self.hub)
        self._templates = Loader(str(HERE / "templates"))

    @cached_property
    def network_json(self) -> bytes:
        window = self.history and self.history.window
        document = network_document(self.network) | {
            "window": {"start": window.start_ms, "end": window.end_ms} if window else None
        }
        return msgspec.json.encode(document)

    @cached_property
    def charts(self) -> tuple[str, str]:
        return map_svg(self.network), loop_svg(self.network)

    @cached_property
    def style(self) -> str:
        """The page's look, the colours of its lines with it: one file to ask for, not two."""
        return (HERE / "static" / "page.css").read_text("utf-8") + colors_css(self.network.lines)

    def warm(self) -> None:
        """Make once what every page has in common, so that not the first visitor waits for it."""
        self.page_html(self.hub.slots, None, None)
        _ = self.network_json, self.style

    def rows_html(self, slots: Slots, line: str | None) -> str:
        """The table's bodies."""
        shown = tables(document_of(slots), self.network, line)
        return self._templates.load("rows.html").generate(tables=shown).decode()

    def page_html(self, slots: Slots, line: str | None, moment_ms: int | None) -> bytes:
        """The whole page as it stands at the slots' moment; everything in it is there without JavaScript."""
        document, window = document_of(slots), self.history and self.history.window
        time_ms = document["time"]
        map_, loop_ = self.charts
        alerts = alert_lines(document, line)
        return self._templates.load("page.html").generate(
            title="Transit status",
            name=self.name,
            speed=self.feed.speed or 0,
            start_ms=window.start_ms if window else "",
            end_ms=window.end_ms if window else "",
            moment_ms=moment_ms or "",
            travelled=moment_ms is not None,
            line=line or "",
            lines=list(self.network.lines.values()),
            clock="--:--" if time_ms is None else format_clock(time_ms),
            date="" if time_ms is None else local(time_ms).strftime("%a %-d %b %Y"),
            sky=document["weather"]["status"] if document["weather"] else "sunny",
            weather=weather_words(document["weather"]),
            alerts=alerts[:FIRST_ALERTS],
            more_alerts=alerts[FIRST_ALERTS:],
            map_svg=map_,
            loop_svg=loop_,
            rows=self.rows_html(slots, line),
            state="time travel" if moment_ms is not None else slots["feed"]["state"],
            lag=f"{slots['feed']['lag']:,}" if moment_ms is None else "\u2013",
            records=f"{slots['records']['total']:,}",
            unread=slots["records"]["unread"],
            missed=slots["records"]["missed"],
            digest=slots["digest"],
        )

    def diagram(self, line: str) -> str:
        """A line's trains over time: all of the run, or the last of what came. Errors: InputError where there is none."""
        past = (self.history.window, self.history.batches()) if self.history else None
        if past is None and (trail := self.feed.trail()):
            past = trail[0], iter([trail[1]])
        if past is None:
            raise InputError("there is nothing to draw yet")
        window, batches = past
        return diagram_svg(strings(self.network, line, batches), self.network, window, on_page=True)

    def update(self) -> None:
        """Look at the feed and tell the clients what changed."""
        with self.metrics.update_s.time():
            came_s = self.feed.came_s()
            self.hub.publish(self.feed.slots())
        told_s = time.monotonic()
        for batch_s in came_s:
            self.metrics.board_s.observe(told_s - batch_s)
