"""What teaches: help with examples that are true, version, schema."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys

import click
import pytest

from cta import __version__
from cta.cli import cli
from tests.cli.running import invoke

COMMANDS = sorted(cli.commands)


@pytest.mark.parametrize("args", [[], *([name] for name in COMMANDS)], ids=lambda args: " ".join(args) or "cta")
def test_help_has_examples(args: list[str]) -> None:
    """Every command's help shows how it is used."""
    result = invoke(*args, "--help")
    assert result.exit_code == 0
    assert "Examples:\n    cta " in result.stdout


def examples() -> list[str]:
    """Every example line of every help that runs `cta`, up to its remark or pipe."""
    helps = [invoke(*args, "--help").stdout for args in [[], *([name] for name in COMMANDS)]]
    lines = [line.strip() for text in helps for line in text.splitlines() if line.strip().startswith("cta ")]
    return [re.split(r"\s{2,}| \| | > ", line)[0] for line in lines]


@pytest.mark.parametrize("example", examples())
def test_examples_parse(example: str) -> None:
    """Each example names a command and options that there are."""
    _, name, *args = shlex.split(example)
    command = cli.commands[name]
    assert isinstance(command.make_context(name, args), click.Context)


@pytest.mark.parametrize("example", [each for each in examples() if each.startswith("cta network")])
def test_examples_of_stations_are_true(example: str) -> None:
    """The names are those of the network, and of one station or line each."""
    assert invoke(*shlex.split(example)[1:]).exit_code == 0


def test_bare_cta_is_help() -> None:
    """Without a command the help is what is wanted."""
    assert invoke().stdout == invoke("--help").stdout


def test_version() -> None:
    """``cta --version`` is a name and a number."""
    assert invoke("--version").stdout == f"cta {__version__}\n"


def test_schema_is_json_schema_of_a_scenario() -> None:
    """A JSON document that says which schema it is and which keys a scenario must have."""
    schema = json.loads(invoke("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$defs"]["Scenario"]["required"] == ["name", "seed", "start", "duration"]


def test_help_loads_nothing_heavy() -> None:
    """What takes long to import is imported when a command runs (a clock would say so less surely)."""
    program = (
        "import sys, cta.cli\n"
        "try: cta.cli.cli(['replay', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'msgspec', 'rich', 'zoneinfo', 'json'} & set(sys.modules)), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]\n"
