"""Which records of a recording are meant: by topic, key, line, station, train."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from cta.model.batch import Batch, Content
from cta.model.errors import InputError, at
from cta.model.topics import BY_SHORT, short_name
from cta.model.wording import nearest
from cta.network.load import chicago
from cta.network.lookup import find_line, find_station


@dataclass(frozen=True)
class Choice:
    """A record is meant if it is all that is given; what is None is not asked."""

    topic: str | None = None
    key: str | None = None
    line: str | None = None
    station_id: int | None = None
    train: str | None = None
    without_line: bool = False
    """Whether a record that is of no line (the weather, an alert for all) is of every line."""

    @property
    def everything(self) -> bool:
        return self == Choice(without_line=self.without_line)

    def of(self, batch: Batch) -> Batch:
        """The batch's records that are meant."""
        if self.everything:
            return batch
        meant = np.array([self._is(content) for content in batch.contents], np.bool_)
        return batch[meant[batch.codes]]

    def _is(self, content: Content) -> bool:
        value = content.value
        return (
            self.topic in (None, content.topic.name)
            and (self.key is None or self.key in (content.entity, msgspec.json.encode(content.key).decode()))
            and (self.line is None or self._of_line(getattr(value, "line", None)))
            and (self.station_id is None or getattr(value, "station_id", None) == self.station_id)
            and (self.train is None or getattr(value, "train_id", None) == self.train)
        )

    def _of_line(self, line: Any) -> bool:
        return line == self.line or (line is None and self.without_line)


def choose(
    topics: Iterable[str],
    *,
    topic: str | None = None,
    key: str | None = None,
    line: str | None = None,
    station: str | None = None,
    train: str | None = None,
    without_line: bool = False,
) -> Choice:
    """The choice that the words on a command line mean, for a recording of ``topics``.

    Errors: InputError for a topic that is not the recording's; NetworkError for a line or a station that is none.
    """
    known = list(topics)
    if topic is not None:
        topic = BY_SHORT[topic].name if topic in BY_SHORT else topic
        if topic not in known:
            names = known if "." in topic else [short_name(name) for name in known]
            raise InputError(f"no topic {topic!r} in it", where="--topic", remedy=nearest(topic, names))
    line_id = station_id = None
    if line is not None:
        with at("--line"):
            line_id = find_line(chicago(), line).line
    if station is not None:
        with at("--station"):
            station_id = find_station(chicago(), station).station_id
    return Choice(
        topic=topic,
        key=key,
        line=line_id,
        station_id=station_id,
        train=train,
        without_line=without_line,
    )
