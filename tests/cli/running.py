"""How the tests run `cta`: inside this process for what is wide, as the installed command for what is deep."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cta.cli import cli

SMALL: Mapping[str, Any] = {
    "name": "small",
    "seed": 7,
    "start": "2026-05-13T07:00:00-05:00",
    "duration": "PT10M",
    "lines": ["yellow"],
    "expect": [{"kind": "count", "topic": "arrivals", "min": 1}],
}
"""Ten minutes of the shortest line: what a run costs beside its start is next to nothing."""

CTA = Path(sys.executable).with_name("cta")


def invoke(*args: str | Path) -> Result:
    """``cta ARGS`` inside this process, as it ends for a user."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], prog_name="cta")


def cta(*args: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The installed command ``cta ARGS``, without a terminal."""
    return subprocess.run(
        [CTA, *map(str, args)], capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **env}
    )


def write_scenario(path: Path, **changes: Any) -> Path:
    """`SMALL` with changes, as a file; a value of None takes the key away."""
    document = {key: value for key, value in {**SMALL, **changes}.items() if value is not None}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def interrupted(*args: str | Path, by: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    """``cta ARGS`` with its stderr on a terminal, sent Ctrl+C (or another signal) when the bar has counted records.

    The exit code, stdout, and what the terminal saw.
    """
    master, terminal = pty.openpty()
    with subprocess.Popen([CTA, *map(str, args)], stdout=subprocess.PIPE, stderr=terminal, text=True) as running:
        os.close(terminal)
        seen = _read_until(master, rb"[1-9][0-9,]* records")
        running.send_signal(by)
        seen += _read_until(master, None)
        os.close(master)
        assert running.stdout is not None
        return running.wait(timeout=60), running.stdout.read(), seen.decode()


def _read_until(terminal: int, pattern: bytes | None) -> bytes:
    """What comes over the terminal, up to a pattern or to where the other side has closed it."""
    seen = b""
    while pattern is None or not re.search(pattern, seen):
        try:
            read = os.read(terminal, 65_536)
        except OSError:  # Linux's way to say that nobody holds the other side
            break
        if not read:
            break
        seen += read
    return seen
