"""What a summary says of a run beyond its counts: trains, weather, alerts."""

from __future__ import annotations

import numpy as np

from cta.model.batch import Batch
from cta.model.records import Weather
from cta.model.topics import ALERTS, ARRIVALS, WEATHER


class Tally:
    """Folded from batches in any order; contents are looked at once a batch and not once a record."""

    def __init__(self) -> None:
        self.trains: set[str] = set()
        self.alerts: dict[str, str] = {}
        """The text of each alert by its id."""
        self._weather: dict[int, Weather] = {}

    def fold(self, batch: Batch) -> None:
        for code in np.flatnonzero(np.bincount(batch.codes, minlength=len(batch.contents))).tolist():
            content = batch.contents[code]
            if content.topic is ARRIVALS:
                self.trains.add(content.key.train_id)
            elif content.topic is WEATHER:
                self._weather[content.key.timestamp] = content.value
            elif content.topic is ALERTS:
                self.alerts[content.key.alert_id] = content.value.text

    @property
    def weather(self) -> tuple[Weather, float, float] | None:
        """The last reading, the lowest and the highest temperature in degrees F."""
        if not self._weather:
            return None
        temperatures = [reading.temperature for reading in self._weather.values()]
        return self._weather[max(self._weather)], min(temperatures), max(temperatures)
