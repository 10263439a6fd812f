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


def paths(group: click.Group, *before: str) -> list[tuple[str, ...]]:
    """Every command, as the words that it is called by; a group's own come behind it."""
    found: list[tuple[str, ...]] = []
    for name, command in sorted(group.commands.items()):
        found += [(*before, name), *(paths(command, *before, name) if isinstance(command, click.Group) else [])]
    return found


COMMANDS = [(), *paths(cli)]


def helps(path: tuple[str, ...]) -> str:
    result = invoke(*path, "--help")
    assert result.exit_code == 0
    return result.stdout


def called(path: tuple[str, ...]) -> str:
    return " ".join(("cta", *path))


@pytest.mark.parametrize("path", COMMANDS, ids=called)
def test_help_has_examples(path: tuple[str, ...]) -> None:
    """Every command's help shows how it itself is used."""
    assert re.search(rf"^  Examples?:\n(    .*\n)*    {called(path)}\b", helps(path), re.MULTILINE)


@pytest.mark.parametrize("path", COMMANDS, ids=called)
def test_help_is_whole_and_says_what_an_option_takes(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """No command's sentence is cut on a terminal of 80 columns, no option takes just any text."""
    monkeypatch.setenv("COLUMNS", "80")
    text = helps(path)
    assert not re.search(r"^  \w+  .*\.\.\.$", text, re.MULTILINE)
    assert not re.search(r"^  -.* TEXT\b", text, re.MULTILINE)


def examples() -> list[str]:
    """Every example line of every help that runs `cta`, up to its pipe; what a shell passes over, its remark, is left out."""
    lines = [line.strip() for path in COMMANDS for line in helps(path).splitlines() if line.strip().startswith("cta ")]
    return sorted({shlex.join(shlex.split(re.split(r" \| | > ", line)[0], comments=True)) for line in lines})


@pytest.mark.parametrize("example", examples())
def test_examples_parse(example: str) -> None:
    """Each example, pasted as it stands, names a command, options and arguments that there are."""
    _, *args = shlex.split(example)
    command: click.Command = cli
    while isinstance(command, click.Group) and args:
        name, *args = args
        command = command.commands[name]
    assert isinstance(command.make_context("cta", args), click.Context)


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
