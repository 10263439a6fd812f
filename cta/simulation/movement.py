"""What a train did at a platform, told to those who watch a simulation: the laws, and `cta network --fidelity`."""

from __future__ import annotations

from typing import NamedTuple


class Movement(NamedTuple):
    """A train at a platform, for those who watch: every call, stopped at or passed, once it is settled."""

    train_id: str
    line: str
    pattern: str
    call: int
    """Which of the pattern's calls, from 0."""
    stop_id: int
    approach_ms: int
    """When it could have arrived, had the platform been free."""
    arrive_ms: int
    ready_ms: int
    """When it could have left, had the track been free: arrival and dwell, or a breakdown's end."""
    depart_ms: int
    last: bool
    """The pattern's last call: it departed to a turn track or the yard."""

    @property
    def held_ms(self) -> int:
        """What others cost it here, before the platform and at it."""
        return self.arrive_ms - self.approach_ms + self.depart_ms - self.ready_ms
