"""Events: each client is brought from the last change it has to the newest, in one way whatever its story.

A change has a number. The last `KEPT` changes are kept as the bytes that go over the wire, made once. A client is a
stream and the number of the last change written to it. At every update each client whose stream has nothing left to
write gets what it lacks: the one change that is new (the usual case: the same bytes for all), the few that it missed,
or, where those are kept no longer, a snapshot. So a client that came back with its Last-Event-ID, one that is slow
and one that is new are one case, and what waits for a slow client is never more than what was last written to it.

Numbers carry the server's own mark before them: after a restart an old number means nothing, and gets a snapshot.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

import msgspec

from cta.web.scene import Slots, changes

KEPT: Final = 300
"""Changes that are kept: 75 s of four a second, about 1 MB in rush hour."""

KEEP_ALIVE: Final = b": still here\n\n"
"""A comment of the event stream, for proxies that close what is silent."""


class Stream(Protocol):
    """What is asked of a client's connection. Written to only while it is not ``writing``."""

    def writing(self) -> bool: ...

    def write(self, data: bytes) -> object: ...

    def closed(self) -> bool: ...

    def close(self) -> object: ...


class Client:
    """A stream, and the number of the last change that was written to it; -1: nothing."""

    def __init__(self, stream: Stream, number: int = -1) -> None:
        self.stream = stream
        self.number = number


class Hub:
    """The newest slots, the changes that led there, and who is told of them. ``mark``: this server's own."""

    def __init__(self, mark: str, slots: Slots) -> None:
        self._mark = mark
        self._slots = slots
        self._changes: deque[bytes] = deque(maxlen=KEPT)
        self._snapshot: bytes | None = None
        self.number = 0
        self.clients: set[Client] = set()
        self.closed = False
        self.snapshots = 0
        """How many snapshots were written to clients."""

    @property
    def slots(self) -> Slots:
        """What every client has or will have next, and every answer shows. Not to be changed."""
        return self._slots

    def publish(self, slots: Slots) -> None:
        """Make ``slots`` the newest, and bring every client there that can be written to."""
        change = changes(self._slots, slots)
        if change["set"] or change["unset"]:
            self._slots = slots
            self.number += 1
            self._snapshot = None
            self._changes.append(self._event("change", change))
        for client in list(self.clients):
            self.bring(client)

    def bring(self, client: Client) -> None:
        """Write what the client lacks, unless it has not yet taken what was written before."""
        if client.stream.closed():
            self.clients.discard(client)
        elif client.number != self.number and not client.stream.writing():
            client.stream.write(self._since(client.number))
            client.number = self.number

    def keep_alive(self) -> None:
        """Write a sign of life to every client that has nothing left to read."""
        for client in list(self.clients):
            if not client.stream.closed() and not client.stream.writing():
                client.stream.write(KEEP_ALIVE)

    def close(self) -> None:
        """End every client's stream, and from now on that of whoever was on the way."""
        self.closed = True
        for client in list(self.clients):
            client.stream.close()

    def number_of(self, event_id: str | None) -> int:
        """The number in a Last-Event-ID of this server's; -1 for any other text."""
        mark, _, number = (event_id or "").rpartition(".")
        return int(number) if mark == self._mark and number.isdecimal() and int(number) <= self.number else -1

    def _since(self, number: int) -> bytes:
        missed = self.number - number
        if number >= 0 and missed <= len(self._changes):
            return self._changes[-1] if missed == 1 else b"".join(list(self._changes)[-missed:])
        self.snapshots += 1
        if self._snapshot is None:
            self._snapshot = self._event("snapshot", {"set": self._slots, "unset": []})
        return self._snapshot

    def _event(self, kind: str, body: object) -> bytes:
        data = msgspec.json.encode(body)  # no line break stands in JSON as it is encoded here
        return b"id: %s.%d\nevent: %s\ndata: %s\n\n" % (self._mark.encode(), self.number, kind.encode(), data)
