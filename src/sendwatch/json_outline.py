"""JSON without decoding it: where members and items begin and end, and whether a field's JSON suits its type.

Belongs here: what msgspec refuses and the contract does not, for msgspec reads even what it skips, and trips there over
deep nesting and lone surrogates. Not here: the fields (`events.py`), what becomes of a record (`reader.py`).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import inspect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
BLANKS = " \t\n\r"

_JSON_TYPES: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.LiteralType: "string",
    inspect.IntType: "integer",
    inspect.VarTupleType: "array",
    inspect.StructType: "object",
}
_FIRST = {'"': "string", "[": "array", "{": "object", "t": "boolean", "f": "boolean", "n": "null"}


def json_types_of(type_: inspect.Type) -> list[str]:
    """Name the JSON types that a field may have."""
    if isinstance(type_, inspect.Metadata):
        return json_types_of(type_.type)
    if isinstance(type_, inspect.UnionType):
        return [name for each in type_.types for name in json_types_of(each)]
    return [_JSON_TYPES[type(type_)]] if type(type_) in _JSON_TYPES else []


def fit(type_: inspect.Type, raw: str) -> str | None:
    """Return a field's JSON without members that its type doesn't know; None where a JSON type is wrong."""
    if isinstance(type_, inspect.Metadata):
        return fit(type_.type, raw)
    if isinstance(type_, inspect.UnionType):
        return next((fitted for each in type_.types if (fitted := fit(each, raw)) is not None), None)
    json_type = _FIRST.get(raw[0]) or ("integer" if raw.lstrip("-").isdigit() else "number")
    if json_type != _JSON_TYPES.get(type(type_)):
        return None
    if isinstance(type_, inspect.VarTupleType):
        items = [fit(type_.item_type, item) for _, item in inside_of(raw)]
        return None if None in items else raw
    if isinstance(type_, inspect.StructType):
        members = members_of(raw)
        known = {each.name: each.type for each in type_.fields if members.get(each.name, "null") != "null"}
        if None in [fit(known[name], members[name]) for name in known]:
            return None
        return "{" + ",".join(f'"{name}":{members[name]}' for name in known) + "}"
    return raw


def members_of(text: str) -> dict[str, str]:
    """Return the JSON of each member by name: of two of a name the last; ValueError where it is not JSON."""
    try:
        return {name: str(raw, "utf-8") for name, raw in _RAW_MEMBERS.decode(text).items()}
    except UNREADABLE:
        return {json.loads(name): raw for name, raw in inside_of(text)}


_RAW_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TOKEN = re.compile(
    r"""[ \t\n\r]*+(?:
        (?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+")
      | (?P<scalar>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+|true|false|null)
      | (?P<mark>[{}\[\],:])
      | (?P<junk>[\s\S]))""",
    re.VERBOSE,
)
_LETTERS = {"string": "s", "scalar": "v", "junk": "?"}  # a mark is its own
_END = ""  # of a value: what comes then depends on what it lies in
_VALUE = {"s": _END, "v": _END, "{": "name or end", "[": "item or end"}
_NEXT: Mapping[str, Mapping[str, str]] = {
    "value": _VALUE,
    "item or end": {**_VALUE, "]": _END},
    "name": {"s": "colon"},
    "name or end": {"s": "colon", "}": _END},
    "colon": {":": "value"},
    "rest of array": {",": "value", "]": _END},
    "rest of object": {",": "name", "}": _END},
    "nothing": {},
}


def inside_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and JSON of the members of an object, or items of an array; ValueError where it is not JSON.

    Depth costs a list entry, not a stack frame; time is linear.
    """
    name, start = '""', 0
    expected = "value"
    within = ["nothing"]  # what may follow the value that is open, at each depth
    for token in _TOKEN.finditer(text):
        group = token.lastgroup or "junk"
        letter = _LETTERS.get(group) or token[group]
        if letter not in _NEXT[expected]:
            raise ValueError("not JSON")
        expected = _NEXT[expected][letter]
        if len(within) == 2 and expected == "colon":
            name = token[group]
        elif len(within) == 2 and letter not in "}]":
            start = token.start(group)
        if letter in "{[":
            within.append("rest of object" if letter == "{" else "rest of array")
        elif letter in "}]":
            within.pop()
        if expected == _END:
            expected = within[-1]
            if len(within) == 2:
                yield name, text[start : token.end()]
    if expected != "nothing":
        raise ValueError("not JSON")
