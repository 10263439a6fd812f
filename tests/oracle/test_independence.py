from __future__ import annotations

import ast
import sys
from pathlib import Path

_ALLOWED = sys.stdlib_module_names - {"importlib", "pkgutil", "runpy"} | {"pytest", "tests"}


def test_the_oracle_imports_nothing_from_cta() -> None:
    """Every module here imports the standard library, pytest and its neighbours in this folder; nothing else."""
    foreign = {(path.name, name) for path in Path(__file__).parent.glob("*.py") for name in _foreign(path)}
    assert foreign == set()


def _foreign(path: Path) -> set[str]:
    """The modules that a file imports and may not."""
    names = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module if node.module and not node.level else f"{'.' * node.level}{node.module or ''}")
        elif isinstance(node, ast.Name) and node.id == "__import__":
            names.add(node.id)
    return {name for name in names if not _is_allowed(name)}


def _is_allowed(name: str) -> bool:
    if name.partition(".")[0] == "tests":
        return name == "tests.oracle" or name.startswith("tests.oracle.")
    return name.partition(".")[0] in _ALLOWED
