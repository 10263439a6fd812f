"""`cta plot`: which form the picture has."""

from __future__ import annotations

from pathlib import Path

from tests.cli.running import invoke, write_scenario


def test_the_form_is_that_of_the_ending(tmp_path: Path) -> None:
    """Also of a name that is nothing else."""
    scenario, output = write_scenario(tmp_path / "small.json"), tmp_path / ".svg"
    assert invoke("plot", scenario, "--line", "yellow", "-o", output).exit_code == 0
    assert output.read_bytes().startswith(b"<svg")
