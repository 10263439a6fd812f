"""What to do about a file that is damaged or cut short, as it is typed."""

from __future__ import annotations

import shlex
from pathlib import Path


def save(file: str | Path) -> str:
    return f"save what is whole: cta repair {shlex.quote(str(file))} -o OUT"


def use_a_copy(file: str | Path) -> str:
    return f"use an unaltered copy, or {save(file)}"


def record_again(file: str | Path) -> str:
    return f"record the run again, {use_a_copy(file)}"
