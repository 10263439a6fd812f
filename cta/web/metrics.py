"""What ``/metrics`` says, in the text that Prometheus reads; counted where it happens, read when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cta.web.feed import Feed
from cta.web.hub import Hub

UPDATE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
BOARD_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """A registry of this server's own: two servers in a process do not meet."""

    def __init__(self, feed: Feed, hub: Hub) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Counts(feed, hub))
        self.update_s = Histogram(
            "cta_page_update_seconds",
            "Time to look at the board and tell every client what changed",
            buckets=UPDATE_S,
            registry=self._registry,
        )
        self.board_s = Histogram(
            "cta_event_to_board_seconds",
            "Time from when a batch of records came here until clients were told of the board that has it",
            buckets=BOARD_S,
            registry=self._registry,
        )

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Counts(Collector):
    def __init__(self, feed: Feed, hub: Hub) -> None:
        self._feed = feed
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        records, unread, missed = self._feed.counts()
        for name, text, counts in (
            ("cta_records", "Records folded into the board since the run began", records),
            ("cta_unreadable_records", "Records that no schema explains", unread),
            ("cta_missed_records", "Records that were deleted before they were read", missed),
        ):
            counter = CounterMetricFamily(name, text, labels=["topic"])
            for topic, n in sorted(counts.items()):
                counter.add_metric([topic], n)
            yield counter
        lag = GaugeMetricFamily("cta_lag_records", "Records that are there and not on the board yet", labels=["topic"])
        for topic, n in sorted(self._feed.lag.items()):
            lag.add_metric([topic], n)
        yield lag
        yield GaugeMetricFamily("cta_page_clients", "Clients of the events", value=len(self._hub.clients))
        yield CounterMetricFamily("cta_page_changes", "Changes sent to clients", value=self._hub.number)
        yield CounterMetricFamily("cta_page_snapshots", "Snapshots written to clients", value=self._hub.snapshots)
