"""What README and docs promise to whoever writes tests with cta: the snippet runs, the extras are there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from hypothesis import settings

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")
STRATEGIES = sorted(
    f"cta.testing.{file.stem}"
    for file in (ROOT / "cta" / "testing").glob("*.py")
    if "as st\n" in file.read_text("utf-8")
)


def test_the_readmes_test_runs() -> None:
    """As it stands there, on a few cases; a hundred would only take longer."""
    (snippet,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    made: dict[str, object] = {}
    exec(snippet, made)
    (test,) = (each for name, each in made.items() if name.startswith("test_"))
    assert callable(test)
    settings(max_examples=5)(test)()


def test_each_extra_that_is_named_is_there() -> None:
    """In README, docs and what the program says."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "cta").rglob("*.py")]
    named = {extra for file in files for extra in re.findall(r"'cta\[(\w+)\]'", file.read_text("utf-8"))}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert named == set(project["optional-dependencies"])


@pytest.mark.parametrize("module", STRATEGIES)
def test_without_hypothesis_the_remedy_is_named(module: str) -> None:
    program = f"import sys; sys.modules['hypothesis'] = None; import {module}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    told = "ImportError: cta.testing draws with hypothesis, which is not installed: pip install 'cta[testing]'"
    assert ended.stderr.splitlines()[-1] == told
    assert "ModuleNotFoundError" not in ended.stderr
