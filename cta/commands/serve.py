"""The page of what is in Kafka: records as they are there, and as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from cta.broker.kafka import KafkaBroker
from cta.commands.pace import Stop
from cta.commands.serving import serve_site
from cta.model.errors import BrokerError, ServiceError
from cta.model.settings import Settings
from cta.network.load import chicago
from cta.pipeline.board import Board
from cta.stack.registry import Registry
from cta.web.feed import Feed
from cta.web.filling import Filling
from cta.web.scene import Scene
from cta.web.site import Site
from cta.web.trail import Trail

ROUND_S: Final = 0.1
AGAIN_S: Final = 1.0
"""After Kafka was not there, or topics changed while they were read."""


def serve(settings: Settings, *, host: str, port: int, stop: Stop, ready: Callable[[str], None]) -> None:
    """Show the settings' namespace until ``stop`` is asked. Errors: ServiceError where Kafka cannot be reached at first."""
    network = chicago()
    feed = Feed(lambda: Scene(Board.for_network(network), trail=Trail()))
    registry = Registry(settings.schema_registry_url)
    with KafkaBroker(settings, registry, unreadable="raw") as broker:
        broker.topics()
        filling = Filling(broker, settings.namespace, feed)

        def fill() -> None:
            while not stop.asked:
                try:
                    filling.round()
                    time.sleep(ROUND_S)
                except (ServiceError, BrokerError):
                    feed.state = "no Kafka"
                    time.sleep(AGAIN_S)

        site = Site(network, feed, None, settings.namespace or "Kafka")
        asyncio.run(serve_site(site, host, port, stop, ready, fill))
