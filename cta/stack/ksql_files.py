"""SQL files for ksqlDB: one CREATE a statement, put into a namespace, and what a statement says its object is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cta.model.errors import InputError
from cta.stack.namespace import identifier

_CREATE: Final = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(?:SOURCE\s+)?(STREAM|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?`?(\w+)`?", re.IGNORECASE
)
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WITH: Final = re.compile(r"\bWITH\s*\(", re.IGNORECASE)
_SETTING: Final = re.compile(r"(\w+)\s*=\s*'?([^',)]*)'?")
_SELECT: Final = re.compile(r"\bSELECT\s+(.*?)\s+FROM\b", re.IGNORECASE | re.DOTALL)
_TYPE_NAMES: Final = {"INT": "INTEGER", "VARCHAR": "STRING"}
"""What ksqlDB calls by another name when it is asked."""
_COMPARED: Final = ("KAFKA_TOPIC", "KEY_FORMAT", "VALUE_FORMAT", "PARTITIONS")
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|[^';]+|;|'")


@dataclass(frozen=True)
class Statement:
    """One CREATE, with its semicolon. ``kind`` is STREAM or TABLE, ``name`` in capitals, as ksqlDB keeps it."""

    text: str
    kind: str
    name: str

    def shape(self) -> Shape:
        """What the object is to be, as far as the statement says so."""
        behind = self.text[_created(self.text).end() :].lstrip()
        columns = _listed(behind[1:]) if behind.startswith("(") else []
        found = _WITH.search(self.text)
        settings = {} if found is None else dict(_SETTING.findall(", ".join(_listed(self.text[found.end() :]))))
        settings = {name.upper(): value.strip() for name, value in settings.items()}
        both = settings.get("FORMAT")
        settings = {**({} if both is None else {"KEY_FORMAT": both, "VALUE_FORMAT": both}), **settings}
        shape = {name: settings[name] for name in _COMPARED if name in settings}
        shape |= {name: shape[name].upper() for name in ("KEY_FORMAT", "VALUE_FORMAT") if name in shape}
        selected = _SELECT.search(self.text)
        if columns:
            shape["columns"] = ", ".join(map(_column, columns))
        elif selected is not None and "*" not in (names := [_last_word(part) for part in _listed(selected[1])]):
            shape["column names"] = ", ".join(names)
        return shape


Shape = dict[str, str]
"""What an object is, part by part: its topic, formats and partitions by their names in a statement, and its columns."""


def shape_of(description: Mapping[str, Any]) -> Shape:
    """What ksqlDB's answer to DESCRIBE says an object is."""
    fields = description.get("fields", [])
    columns = [
        f"{field['name']} {field['schema']['type']}{' KEY' if field.get('type') == 'KEY' else ''}" for field in fields
    ]
    return {
        "KAFKA_TOPIC": str(description.get("topic")),
        "KEY_FORMAT": str(description.get("keyFormat")),
        "VALUE_FORMAT": str(description.get("valueFormat")),
        "PARTITIONS": str(description.get("partitions")),
        "columns": ", ".join(columns),
        "column names": ", ".join(field["name"] for field in fields),
    }


def read(folder: Path, *, namespace: str = "", partitions: int = 1) -> list[Statement]:
    """The statements of a folder's ``*.sql``, in the order of the file names, for a namespace and partitions."""
    files = sorted(folder.glob("*.sql"))
    if not files:
        remedy = "run it in a checkout of cta, or name the folder with --folder"
        raise InputError("no *.sql files", where=str(folder), remedy=remedy)
    plain = [made for file in files for made in statements(file.read_text("utf-8"), str(file))]
    return in_namespace(plain, namespace, partitions)


def statements(sql: str, source: str) -> list[Statement]:
    """The statements of a text; comments are left out. Errors: InputError for anything but CREATE STREAM or TABLE."""
    return [_statement(text, source) for text in _split(_COMMENT.sub("", sql))]


def in_namespace(made: Sequence[Statement], namespace: str, partitions: int) -> list[Statement]:
    """The same statements with the namespace before their topics' and their own names, and so many partitions.

    Files hold the statements as they read without a namespace, so that they can be pasted into ksqlDB's own prompt.
    """
    names = {statement.name for statement in made}
    before = identifier(namespace)

    def word(match: re.Match[str]) -> str:
        text = match[0]
        return before + text if text.upper() in names else text

    def rewritten(text: str) -> str:
        text = re.sub(r"(KAFKA_TOPIC\s*=\s*')", lambda match: match[1] + namespace, text, flags=re.IGNORECASE)
        text = re.sub(r"(\bPARTITIONS\s*=\s*)\d+", rf"\g<1>{partitions}", text, flags=re.IGNORECASE)
        return re.sub(r"'[^']*'|\w+", word, text)

    return [_statement(rewritten(statement.text), statement.name) for statement in made]


def _split(sql: str) -> list[str]:
    """The text cut behind each semicolon that isn't in quotes, white space around the pieces cut off."""
    pieces, piece = [], ""
    for part in _QUOTED.findall(sql):
        piece += part
        if part == ";":
            pieces.append(piece.strip())
            piece = ""
    return [text for text in [*pieces, piece.strip()] if text]


def _statement(text: str, source: str) -> Statement:
    found = _CREATE.match(text)
    if found is None or not text.endswith(";"):
        raise InputError(
            f"no CREATE STREAM or CREATE TABLE that ends with a semicolon: {shortened(text)}",
            where=source,
            remedy="a file holds such statements and nothing else",
        )
    return Statement(text, found[1].upper(), found[2].upper())


def _created(text: str) -> re.Match[str]:
    found = _CREATE.match(text)
    assert found is not None, "a statement is made of nothing else"
    return found


def _listed(text: str) -> list[str]:
    """What stands between commas, up to the bracket that closes the list; commas in inner brackets part nothing."""
    depth, parts = 0, [""]
    for character in text:
        depth += (character in "(<") - (character in ")>")
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _column(declared: str) -> str:
    """``name INT PRIMARY KEY`` as it is described: its name, its type without what is inside, and whether it is a key."""
    name, kind = re.findall(r"\w+", declared)[:2]
    key = " KEY" if declared.upper().endswith(" KEY") else ""
    return f"{name.upper()} {_TYPE_NAMES.get(kind.upper(), kind.upper())}{key}"


def _last_word(selected: str) -> str:
    """What a selected column is called; ``*`` where the statement doesn't say."""
    found = re.search(r"(\w+)`?$", selected)
    return "*" if found is None else found[1].upper()


def shortened(text: str) -> str:
    return " ".join(text.split())
