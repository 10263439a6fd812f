"""What is wrong with a JSON document, in plain words: where in it, what is wrong there, what to write instead.

The standard library's reader says line and column and lets every key be seen, twice if it stands twice; msgspec holds
the result against the structs. Its messages name Python types and its own words for constraints: here they become the
words of this project. A message that no rule knows is passed on as it is, so that nothing is lost when msgspec learns
to say more.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct


class DocumentError(Exception):
    """One thing that is wrong: at ``path`` (``$.faults[0].start``, or a line and column), with a remedy."""

    def __init__(self, path: str, what: str, remedy: str) -> None:
        super().__init__(what)
        self.path = path
        self.what = what
        self.remedy = remedy


def read_json(data: bytes) -> Any:
    """The document as dicts, lists, text and numbers.

    Raises DocumentError for what is not JSON, and for what other readers would take differently: a key that stands
    twice, NaN, half a surrogate pair, endless digits.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError("$", f"is not UTF-8 (byte {error.start})", "save it as UTF-8 text") from None
    if not text.strip():
        raise DocumentError("$", "is empty", "a scenario is a JSON object, see docs/scenarios.md")
    try:
        document = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_real
        )
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise DocumentError(place, f"is not JSON: {error.msg[:1].lower()}{error.msg[1:]}", "mend it there") from None
    except UnicodeEncodeError:
        raise DocumentError(
            "$", "holds half of a surrogate pair", "write the character itself, or both halves"
        ) from None
    except RecursionError:
        raise DocumentError("$", "is nested too deep", "a scenario is an object of lists of objects") from None
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise DocumentError("$", f"the key {shown(twice)} stands twice in one object", "keep one of them")
    for key in result:
        if not key.isprintable() or "`" in key:  # neither can be told apart in msgspec's messages, or be shown
            raise DocumentError("$", f"no such key: {shown(key)}", "keys are words, such as seed")
    return result


def _constant(word: str) -> Any:
    raise DocumentError("$", f"{word} is not JSON", "write a number")


def _integer(digits: str) -> int:
    if len(digits) > 40:
        raise DocumentError("$", f"a number has {len(digits)} digits", "write a smaller one")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise DocumentError("$", f"the number {digits[:40]} is too large", "write a smaller one")
    return number


@dataclass(frozen=True)
class Grammar:
    """What a document may hold: the root's struct, the tagged structs under its keys, the words a key may have."""

    root: type[Struct]
    kinds: Mapping[str, Sequence[type[Struct]]]
    choices: Mapping[str, Sequence[str]]


def of_validation(message: str, document: Any, grammar: Grammar) -> DocumentError:
    """A msgspec ValidationError in our words."""
    what, at, path = message.rpartition(" - at `")
    what, path = (what, path.removesuffix("`")) if at else (message, "$")
    place = _Place(path, document, grammar)
    for pattern, explain in _RULES:
        match = re.fullmatch(pattern, what, re.DOTALL)
        if match:
            return explain(place, match)
    return DocumentError(place.path, what, "see docs/scenarios.md")


class _Place:
    """A path in a document: what stands there, and which keys, kinds and words would be right."""

    def __init__(self, path: str, document: Any, grammar: Grammar) -> None:
        steps = re.findall(r"\.(\w+)|\[(\d+)\]", path)
        self.path = path
        self.key = steps[-1][0] if steps else ""
        self.value = document
        for key, index in steps:
            self.value = self.value[key] if key else self.value[int(index)]
        self._structs = grammar.kinds.get(steps[0][0], ()) if steps else (grammar.root,)
        self._choices = grammar.choices

    def kinds(self) -> list[str]:
        return [str(struct.__struct_config__.tag) for struct in self._structs]

    def keys(self) -> list[str]:
        """The keys that the object here may have."""
        kind = self.value.get("kind")
        structs = [struct for struct in self._structs if struct.__struct_config__.tag in (None, kind)]
        tag = [] if self._structs[0].__struct_config__.tag is None else ["kind"]
        return [*tag, *(field for struct in structs for field in struct.__struct_fields__)]

    def words(self) -> Sequence[str]:
        return self.kinds() if self.key == "kind" else self._choices[self.key]


def _unknown_key(place: _Place, match: re.Match[str]) -> DocumentError:
    return DocumentError(f"{place.path}.{match[1]}", "no such key", nearest(match[1], place.keys()))


def _missing_key(place: _Place, match: re.Match[str]) -> DocumentError:
    kinds = f", one of {', '.join(place.kinds())}" if match[1] == "kind" else ""
    return DocumentError(place.path, f"the key {shown(match[1])} is missing", f"add it{kinds}")


def _wrong_type(place: _Place, match: re.Match[str]) -> DocumentError:
    wanted = " or ".join(_TYPES.get(name, name) for name in match[1].split(" | "))
    return DocumentError(place.path, f"{_described(place.value)} is not {wanted}", f"write {wanted}")


def _out_of_range(place: _Place, match: re.Match[str]) -> DocumentError:
    size = "small" if match[2] in (">", ">=") else "large"
    bound = f"{_COMPARISONS[match[2]]} {float(match[3]):.16g}"
    return DocumentError(place.path, f"{place.value} is too {size}", f"write a number {bound}")


def _too_short(place: _Place, match: re.Match[str]) -> DocumentError:
    return DocumentError(place.path, "is empty", "fill it in, or leave the key out")


def _too_long(place: _Place, match: re.Match[str]) -> DocumentError:
    unit = "characters" if match[1] == "str" else "entries"
    return DocumentError(place.path, f"has {len(place.value)} {unit}", f"write at most {match[2]}")


def _wrong_form(place: _Place, match: re.Match[str]) -> DocumentError:
    remedy = "write small letters, digits, _ and -, such as rush_hour"
    return DocumentError(place.path, f"{shown(place.value)} is not a name", remedy)


def _wrong_word(place: _Place, match: re.Match[str]) -> DocumentError:
    return DocumentError(place.path, f"no such {place.key}: {shown(place.value)}", nearest(place.value, place.words()))


_RULES: Final[tuple[tuple[str, Callable[[_Place, re.Match[str]], DocumentError]], ...]] = (
    (r"Object contains unknown field `(.*)`", _unknown_key),
    (r"Object missing required field `(.*)`", _missing_key),
    (r"Expected `([a-z |]+)`(?:, got `\w+`)?", _wrong_type),
    (r"Expected `(int|float)` (>=|<=|>|<) (\S+)", _out_of_range),
    (r"Expected `(?:str|array)` of length >= 1", _too_short),
    (r"Expected `(str|array)` of length <= (\d+)", _too_long),
    (r"Expected `str` matching regex .*", _wrong_form),
    (r"Invalid (?:enum )?value .*", _wrong_word),
)
_TYPES: Final = {"object": "an object", "array": "a list", "str": "text", "int": "a whole number", "float": "a number"}
_COMPARISONS: Final = {">=": "at least", "<=": "at most", ">": "above", "<": "below"}


def nearest(word: str, right: Iterable[str]) -> str:
    """The remedy for a word that is none of the right ones: the nearest of them, or all where none is near."""
    right = list(right)
    near = difflib.get_close_matches(word, right, 1)
    return f"did you mean {near[0]}?" if near else f"choose one of {', '.join(right)}"


def shown(value: str | int) -> str:
    """A value as the document has it, cut where it is long; what cannot be printed is escaped."""
    text = json.dumps(value, ensure_ascii=not str(value).isprintable())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _described(value: Any) -> str:
    """What stands there: a short value itself, the type of one that is long or has parts."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return shown(value)
