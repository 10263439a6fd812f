"""The command line: declares the commands; each calls one use case in `cta.commands` and prints its result.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 an expectation failed or runs differ, 2 bad input (one
line that says where, what and what to do), 3 a service could not be reached, 130 interrupted, 141 nobody reads on. What
a command needs is imported when it runs: ``cta --help`` loads click and nothing else.
"""

import os
import sys

try:
    from io import TextIOWrapper
    from pathlib import Path

    from cta.cli import cluster, interrupt, pages, recordings, runs, services, world
    from cta.cli.group import cli
except KeyboardInterrupt:  # nobody else hears it yet
    sys.exit(130)

__all__ = ["cli", "cluster", "main", "pages", "recordings", "runs", "services", "world"]


def main() -> None:
    """The ``cta`` command."""
    interrupt.heard()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started it: nobody is to hear
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  (for as long as the process lives)
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        # As stderr does: a letter's number says more than a traceback.
        sys.stdout.reconfigure(errors="backslashreplace")
    cli(prog_name="cta")
