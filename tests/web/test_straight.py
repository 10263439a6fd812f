from __future__ import annotations

import asyncio
import socket

from tornado.iostream import IOStream

from cta.web.straight import Straight

MUCH = bytes(range(256)) * 40_000
"""More than a socket takes at once."""


def test_what_the_socket_does_not_take_comes_after_what_it_took() -> None:
    """A slow reader gets every byte in order; while some wait, the stream says so."""

    async def main() -> tuple[bool, bytes]:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        stream = IOStream(ours)
        straight = Straight(stream)
        straight.write(MUCH)
        waits = straight.writing()
        read = b""
        while len(read) < len(MUCH):
            read += await asyncio.get_running_loop().sock_recv(theirs, 1 << 20)
        stream.close()
        theirs.close()
        return waits, read

    assert asyncio.run(main()) == (True, MUCH)


def test_what_the_socket_takes_leaves_nothing_to_wait_for() -> None:
    """The usual case: written when `write` returns."""

    async def main() -> tuple[bool, bytes]:
        ours, theirs = socket.socketpair()
        stream = IOStream(ours)
        straight = Straight(stream)
        straight.write(b"news")
        found = straight.writing(), theirs.recv(16)
        stream.close()
        theirs.close()
        return found

    assert asyncio.run(main()) == (False, b"news")


def test_a_client_that_is_gone_is_closed() -> None:
    """No error reaches who writes."""

    async def main() -> bool:
        ours, theirs = socket.socketpair()
        straight = Straight(IOStream(ours))
        theirs.close()
        straight.write(b"news")
        return straight.closed()

    assert asyncio.run(main())
