"""Ctrl+C, also while a command imports what it needs, and SIGTERM, which is the same."""

from __future__ import annotations

import os
import signal
from types import FrameType

from cta.cli.group import INTERRUPTED


def heard() -> None:
    """From now on an import ends at once; a shell's background job, which ignores Ctrl+C, goes on ignoring it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """As Python does, but for an import: modules in C make an ImportError of an interrupt, and callbacks lose it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt
