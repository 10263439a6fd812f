"""How much is tried: a share in the default set, everything under ``--hypothesis-profile=explore``."""

from __future__ import annotations

from hypothesis import settings


def effort(share: int, everything: int) -> int:
    """So many tries."""
    return everything if settings.get_current_profile_name() == "explore" else share
