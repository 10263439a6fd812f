"""The workflow for GitHub, where it cannot run: it names sessions that there are, and lets no end-to-end test be skipped."""

import re

import yaml

from tests.conftest import ROOT

JOBS = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))["jobs"]
SESSIONS = set(
    re.findall(r"^def (\w+)\(session: nox.Session\)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
)


def commands(job: str) -> list[str]:
    return [step["run"] for step in JOBS[job]["steps"] if "run" in step]


def test_each_session_of_the_matrix_is_one_of_the_noxfile() -> None:
    """And the Pythons of the tests are those that the package is said to run on."""
    matrix = JOBS["nox"]["strategy"]["matrix"]
    asked_for = {*matrix["session"], *(more["session"] for more in matrix["include"])}
    assert asked_for <= SESSIONS
    assert {*matrix["python"], *(more["python"] for more in matrix["include"])} == {"3.11", "3.12", "3.13"}
    assert commands("nox")[-1] == "nox -s ${{ matrix.session }}"


def test_end_to_end_tests_use_the_official_images_and_none_may_be_skipped() -> None:
    """No twins are built and no profile is left out."""
    assert commands("e2e")[-1] == "nox -s e2e -- --strict"
    assert "env" not in JOBS["e2e"]
