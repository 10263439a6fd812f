"""The JSON Schema says what the reader reads: every scenario that ships, and every example in the reference."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cta.model.scenario import json_schema, load, parse
from cta.network.load import chicago
from cta.simulation.plan import resolve
from tests.conftest import ROOT

SHIPPED = sorted((ROOT / "scenarios").glob("*.json"))
EXAMPLES = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "scenarios.md").read_text("utf-8"), re.DOTALL)

LEAST: dict[str, Any] = {"name": "a", "seed": 1, "start": "2026-05-13T07:00:00-05:00", "duration": "PT1H"}


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json_schema())


def test_the_schema_is_a_schema() -> None:
    """Valid under the dialect that it names."""
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)


def test_every_key_is_described() -> None:
    """An editor that shows the schema's descriptions explains a scenario while one writes it."""
    bare = [
        f"{name}.{key}"
        for name, definition in json_schema()["$defs"].items()
        for key, value in definition["properties"].items()
        if "description" not in value and "enum" not in value
    ]
    assert bare == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_scenario_that_ships_is_right(path: Path) -> None:
    """It fits the schema, means something on Chicago's network, bears its file's name, and says what it is and expects."""
    validator().validate(json.loads(path.read_text("utf-8")))
    scenario = load(path)
    resolve(scenario, chicago(), source=str(path))
    assert scenario.name == path.stem
    assert scenario.description
    assert scenario.expect


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_in_the_reference_is_right(text: str) -> None:
    """An example is a scenario, or some keys of one."""
    document = {**LEAST, **json.loads(text)}
    validator().validate(document)
    resolve(parse(json.dumps(document).encode(), "docs/scenarios.md"), chicago(), source="docs/scenarios.md")


def test_the_reference_explains_every_key() -> None:
    """Each key and kind of the schema stands in docs/scenarios.md as code."""
    explained = set(re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "scenarios.md").read_text("utf-8")))
    keys = {key for definition in json_schema()["$defs"].values() for key in definition["properties"]}
    kinds = {kind for d in json_schema()["$defs"].values() for kind in d["properties"].get("kind", {}).get("enum", [])}
    assert keys | kinds <= explained


@pytest.mark.parametrize(
    "change",
    [
        {"sed": 1},
        {"seed": "1"},
        {"seed": -1},
        {"name": "Rush hour"},
        {"lines": []},
        {"faults": [{"kind": "surge"}]},
        {"expect": [{"kind": "count", "topic": "trains"}]},
    ],
    ids=json.dumps,
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any]) -> None:
    """Broken documents don't fit."""
    assert validator().is_valid(LEAST)
    assert not validator().is_valid({**LEAST, **change})
