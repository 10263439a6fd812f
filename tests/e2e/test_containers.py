"""The containers of a session of tests: gone when it ends, however it ends, and heard when a test fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.e2e.pipeline import eventually
from tests.e2e.services import Services

BROKEN = """
def test_of_what_goes_wrong(services):
    print("project", services.project)
    assert services.postgres_dsn
    {ends}
"""


def test_a_session_with_a_failed_test_leaves_nothing_and_shows_the_containers_last_lines(
    services: Services, tmp_path: Path
) -> None:
    """Of each container that ran, under a heading of their own."""
    services.ours("postgres")
    ended = session(tmp_path, "assert False")
    assert ended.returncode == 1, ended.stdout
    assert left_of(ended.stdout) == ""
    _, heading, lines = ended.stdout.partition("containers' last lines")
    assert heading
    assert re.search(r"^postgres-1 +\| .*database system is ready to accept connections", lines, re.MULTILINE)


def test_a_session_that_is_interrupted_leaves_nothing(services: Services, tmp_path: Path) -> None:
    services.ours("postgres")
    ended = session(tmp_path, "raise KeyboardInterrupt")
    assert ended.returncode == 2, ended.stdout
    assert left_of(ended.stdout) == ""


def test_a_session_that_is_killed_leaves_nothing(services: Services, tmp_path: Path) -> None:
    """As its processes are where pytest-xdist runs several and is interrupted."""
    services.ours("postgres")
    ended = session(tmp_path, "import os; os.kill(os.getpid(), 9)")
    assert ended.returncode == -9, ended.stdout
    eventually(lambda: left_of(ended.stdout), "")


def left_of(said: str) -> str:
    """The containers, networks and volumes of the session's project."""
    found = re.search(r"project (cta-e2e-\w+)", said)
    assert found is not None, said
    mine = f"label=com.docker.compose.project={found[1]}"
    return "".join(
        subprocess.run(["docker", *listing, "-q", "--filter", mine], capture_output=True, text=True, check=True).stdout
        for listing in (["ps", "--all"], ["network", "ls"], ["volume", "ls"])
    )


def session(folder: Path, ends: str) -> subprocess.CompletedProcess[str]:
    """A session of pytest with the fixtures of this folder, and one test, which starts Postgres."""
    test = folder / "test_broken.py"
    test.write_text(BROKEN.format(ends=ends))
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "-p", "tests.e2e.conftest", str(test)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
