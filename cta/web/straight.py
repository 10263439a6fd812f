"""A client's connection, written straight to its socket: what a thousand clients are told costs little more than the
system's own sends. Only what the socket does not take at once goes through the stream's buffer, and its bookkeeping.
"""

from __future__ import annotations

from tornado.iostream import IOStream


class Straight:
    """A `cta.web.hub.Stream` over Tornado's. Not for one with TLS, whose socket takes no plain bytes."""

    def __init__(self, stream: IOStream) -> None:
        self._stream = stream
        self._socket = stream.socket
        self.writing = stream.writing
        self.closed = stream.closed
        self.close = stream.close

    def write(self, data: bytes) -> None:
        """Write all of it, now or when the client takes it; a client that is gone is closed. Nothing else may wait."""
        try:
            taken = self._socket.send(data)
        except BlockingIOError:
            taken = 0
        except OSError:
            self.close()
            return
        if taken < len(data):
            self._stream.write(data[taken:])
