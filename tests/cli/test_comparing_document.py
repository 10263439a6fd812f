"""docs/comparing.md shows what the program says."""

from __future__ import annotations

import json
import re
import shlex
from itertools import islice
from pathlib import Path

import pytest

from cta.commands.diff import diff
from cta.commands.diff_report import report
from cta.commands.target import open_run
from cta.pipeline.laws import laws
from tests.cli.running import invoke
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "comparing.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"```console\n\$ (.+?)\n(.*?)```", TEXT, re.DOTALL))
COLUMNS = 80


@pytest.fixture(autouse=True)
def in_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scenarios, and the document's own files beside them."""
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    scenario = json.loads((ROOT / "scenarios" / "blue_line_breakdown.json").read_text("utf-8"))
    (tmp_path / "quiet.json").write_text(json.dumps({**scenario, "faults": [], "expect": []}))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [command for command in BLOCKS if command.startswith("cta diff")])
def test_a_diff_is_what_the_program_shows(command: str) -> None:
    """Line for line, on a terminal of 80 columns; or the first lines."""
    of, _, lines = command.partition(" | head -")
    a, b, *options = shlex.split(of)[2:]
    seed = int(options[1]) if options else None
    shown = report(diff((a, b), open_run(a), open_run(b, seed=seed)), COLUMNS)
    assert "".join(f"{line.rstrip()}\n" for line, _ in islice(shown, int(lines) if lines else None)) == BLOCKS[command]


def test_the_check_is_what_the_program_shows() -> None:
    """Of a recording damaged in three places: an entry's line, a record lost, a line that is none."""
    invoke("record", "scenarios/blue_line_breakdown.json", "-o", "damaged.jsonl")
    path = Path("damaged.jsonl")
    lines = path.read_bytes().split(b"\n")
    lines[100] = lines[100].replace(b'"line":"blue"', b'"line":"blux"')
    del lines[next(i for i, line in enumerate(lines) if i > 500 and b"arrivals" in line)]
    lines[900] = b'{"t":177,"oops"'
    path.write_bytes(b"\n".join(lines))
    assert invoke("check", path).stdout == BLOCKS["cta check damaged.jsonl"]


def test_every_law_has_its_row() -> None:
    """The table of laws names those that are judged, and no other."""
    run = open_run("quiet.json")
    rows = re.findall(r"^\| (\w+) \| (?!what)", TEXT.split("| law |")[1], re.MULTILINE)
    assert rows == ["bytes", *laws(run.network, run.plan, run.window)]
