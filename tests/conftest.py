"""How the laws are searched, and where tests find what stands in the checkout.

Profiles of Hypothesis, chosen with ``--hypothesis-profile``: ``default`` draws the same examples each time, so that a
change is judged by what it changed; ``dev`` is a quick look while writing; ``explore`` draws fresh examples, many of
them, and prints the blob that brings a failure back.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[1]

# Tests share code as `tests.…`. At the end of the path, so that `cta` is the installed package and not the checkout.
sys.path.append(str(ROOT))

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]  # whole runs of a network are drawn and simulated
settings.register_profile(
    "default", derandomize=True, max_examples=50, deadline=None, print_blob=True, suppress_health_check=_SLOW
)
settings.register_profile("dev", settings.get_profile("default"), max_examples=10)
settings.register_profile("explore", settings.get_profile("default"), derandomize=False, max_examples=1_000)
settings.load_profile("default")

# A shell ignores Ctrl+C for what it runs in the background, and children inherit that; tests that send it need it heard.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def scenarios() -> Path:
    """The folder of the scenarios that ship."""
    return ROOT / "scenarios"
