"""Which partitions are a reader's to read, and from where on: all there are, or a group's share of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from cta.broker.port import Broker
from cta.model.topics import Place


class Share(Protocol):
    """Partitions that are this reader's. `cta.broker.kafka_member` is the one that a group hands out."""

    positions: dict[Place, int]
    """The next offset to read, by partition; the reader moves it on. Partitions come and go only inside `poll`."""

    def poll(self) -> None:
        """Look whether partitions come or go."""

    def acknowledge(self) -> None:
        """What stands before the positions is taken care of: it never has to be read again."""


class Whole:
    """A `Share` that is every partition from its begin offset on. There is nobody to acknowledge anything to."""

    def __init__(self, broker: Broker, topics: Iterable[str]) -> None:
        """Errors: BrokerError for a topic that isn't there."""
        places = [(name, number) for name in topics for number in range(broker.partitions(name))]
        self.positions: dict[Place, int] = {place: broker.begin_offset(*place) for place in places}

    def poll(self) -> None:
        """Nothing comes or goes."""

    def acknowledge(self) -> None:
        """Nobody asks."""
