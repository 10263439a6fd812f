"""Ctrl+C while Python still imports, when nobody else would hear it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
del sys.modules["signal"]  # which cta imports, too
awaited = sys.argv.pop(1)

def interrupt(event, args):
    if event == "import" and args[0] == awaited:
        os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(interrupt)
from cta.cli import main
main()
"""
MODULES = [
    "pathlib",  # the first that the command line imports
    "click",
    "cta.cli.world",
    "cta.commands.report",  # the first that the command imports
    "msgspec._core",
    "numpy",
    "zlib",  # by a module in C, which makes an ImportError of what it does not know
    "cta.pipeline.expect",
]


@pytest.mark.parametrize("module", MODULES)
def test_an_interrupt_during_an_import_ends_without_a_traceback(scenarios: Path, module: str) -> None:
    """The command line's own imports, a command's and those of modules in C: exit 130 without a word."""
    args = [sys.executable, "-c", PROGRAM, module, "replay", str(scenarios / "classic.json"), "--quiet"]
    ended = subprocess.run(args, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.strip()) == (130, "", "")
