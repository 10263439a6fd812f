"""Schema: what a scenario may say, for editors and other programs."""

from __future__ import annotations

import json

from cta.model.scenario import json_schema


def schema_text() -> str:
    """The JSON Schema of a scenario, indented."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False)
