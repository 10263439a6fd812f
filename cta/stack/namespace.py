"""What a namespace is called where its own characters aren't allowed.

Topics, groups and connectors take a namespace as it is (``trial-7.``); replication slots, publications, streams and
tables don't.
"""

from __future__ import annotations

import re


def identifier(namespace: str) -> str:
    """The namespace in lower-case letters, digits and underscores, beginning with a letter; empty for none."""
    plain = re.sub(r"[^a-z0-9]", "_", namespace.lower())
    return plain if not plain or plain[0].isalpha() else f"n{plain}"
