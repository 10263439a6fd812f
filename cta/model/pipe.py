"""Reading a short document from a file, or from a pipe: ``cta replay <(jq ... x.json)``, ``... | cta replay /dev/stdin``.

A pipe that nobody writes to is no reason to wait for ever.
"""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path
from typing import Final

WRITER_WAIT_S: Final = 5.0
"""For a writer that begins just after its reader."""


class SilentPipeError(OSError):
    """Nothing comes through a pipe, and nobody is there who might write."""


def read(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a file, or what comes through a pipe up to its end. Errors: OSError, SilentPipeError."""
    with open(path, "rb", opener=_without_waiting) as file:
        first = b""
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            first = _begun(file.fileno(), most_bytes)
        os.set_blocking(file.fileno(), True)  # what follows, or a terminal, may be waited for
        return first + file.read(most_bytes - len(first))


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _begun(pipe: int, most_bytes: int) -> bytes:
    """What comes first through a pipe; nothing yet where its writer takes its time."""
    select.select([pipe], [], [], WRITER_WAIT_S)
    try:
        first = os.read(pipe, most_bytes)
    except BlockingIOError:
        return b""
    if not first:
        raise SilentPipeError
    return first
