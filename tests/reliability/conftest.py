"""Tells at the end what was tried and what came of it, where the tests run in one process."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line an outcome."""
    told = [line for report in terminalreporter.stats.get("passed", []) for line in report.user_properties]
    if told:
        terminalreporter.section("reliability")
        for outcome, times in told:
            terminalreporter.write_line(f"{times:>7,}  {outcome}")
