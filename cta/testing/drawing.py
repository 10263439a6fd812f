"""Hypothesis's strategies, or what to do where it is not installed: the package itself does without it."""

from __future__ import annotations

try:
    from hypothesis import strategies as strategies
except ModuleNotFoundError:
    what = "cta.testing draws with hypothesis, which is not installed: pip install 'cta[testing]'"
    raise ImportError(what) from None
