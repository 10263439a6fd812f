"""The command line: declares the commands; each calls one use case in `cta.commands` and prints its result.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 an expectation failed or runs differ, 2 bad input (one
line that says where, what and what to do), 3 a service could not be reached, 130 interrupted, 141 nobody reads on. What
a command needs is imported when it runs: ``cta --help`` loads click and nothing else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from cta.cli import cluster, recordings, runs, services, world
from cta.cli.group import cli

__all__ = ["cli", "cluster", "main", "recordings", "runs", "services", "world"]


def main() -> None:
    """The ``cta`` command."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it: nobody is to hear
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  (for as long as the process lives)
    cli(prog_name="cta")
