"""Tables of plain values turned into structs, with every mistake found on the way.

Belongs here: what can be said about a value from the struct's types alone. Not here: files and environment
(`config.py`), the settings themselves (`settings.py`). `msgspec.convert` does the work, value by value: asked
for the whole, it would stop at the first mistake and name no place. Pure but for files that hold secrets.
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, inspect

from sendwatch.secret import NotHad, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from sendwatch.toml_lines import Path

T = TypeVar("T", bound=Struct)


class Loose(str):
    """A value that came as text, from the environment or the command line, whatever its type should be."""

    __slots__ = ()


class Source(Struct, frozen=True):
    """Where a value stands: `sendwatch.toml:12`, a variable, `command line`; empty for nowhere."""

    place: str = ""
    line: int = 0


class Problem(Struct, frozen=True):
    """One thing that is wrong: where it stands, which setting, and what is the matter with it."""

    source: Source
    key: str
    sentence: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.source.place, self.key, self.sentence) if part)


class Typist:
    """Makes structs from tables, keeping what is wrong (`problems`) and where values stood (`origins`)."""

    def __init__(self, source: Callable[[Path], Source], rules: Collection[str] = ()) -> None:
        self.source = source
        self.rules = rules
        self.problems: list[Problem] = []
        self.origins: dict[str, str] = {}

    def struct(self, cls: type[T], table: object, path: Path) -> T:
        """A struct from a table. What is wrong keeps its default, so that the rest can still be looked at."""
        known = self.table(table, path)
        fields = msgspec.structs.fields(cls)
        names = [name for field in fields for name in names_of(field)]
        for key in known:
            if key not in names:
                self.blame((*path, key), "unknown setting" + nearest(key, names))
        values = {field.name: self.field(field, known, path) for field in fields}
        made = cls(**{name: value for name, value in values.items() if value is not UNSET})
        self.ask(made, path)
        return made

    def field(self, field: msgspec.structs.FieldInfo, table: dict[str, Any], path: Path) -> Any:
        """The value of one field; UNSET where its default holds."""
        info, place = type_of(field), (*path, field.name)
        if isinstance(info, inspect.StructType):
            return self.struct(info.cls, table.get(field.name, {}), place)
        given = [name for name in names_of(field) if name in table]
        if not given:
            if field.required:
                self.blame(place, "required")
            return "" if field.required else UNSET
        if is_secret(field):
            return self.secret(field, given, table, path)
        self.origins[dotted(place)] = self.source(place).place
        if isinstance(info, inspect.DictType):
            return self.named(struct_in(info.value_type), table[field.name], place)
        if isinstance(info, inspect.VarTupleType) and struct_in(info.item_type) is not Struct:
            return self.listed(struct_in(info.item_type), table[field.name], place)
        return self.leaf(field, info, table[field.name], place)

    def named(self, cls: type[Struct], table: object, path: Path) -> dict[str, Struct]:
        """A struct for each key of a table: the rules by their ids."""
        known = self.table(table, path)
        for key in known:
            if self.rules and key not in self.rules:
                self.blame((*path, key), "unknown rule" + nearest(key, self.rules))
        return {key: self.struct(cls, inner, (*path, key)) for key, inner in known.items()}

    def listed(self, cls: type[Struct], given: object, path: Path) -> tuple[Struct, ...]:
        """A struct for each table of a list."""
        items = toml_value(given) if isinstance(given, Loose) else given
        if not isinstance(items, list):
            self.blame(path, f"expected a list of tables, got {shown(items)}")
            return ()
        return tuple(self.struct(cls, item, (*path, number)) for number, item in enumerate(items))

    def leaf(self, field: msgspec.structs.FieldInfo, info: inspect.Type, given: object, path: Path) -> Any:
        """A single value, or a list of such."""
        value = tighten(given, info) if isinstance(given, Loose) else given
        try:
            return msgspec.convert(value, field.type)
        except msgspec.ValidationError:
            hint = nearest(value, choices(info)) if isinstance(value, str) else ""
            self.blame(path, f"expected {wanted(info)}, got {shown(given)}{hint}")
            return "" if field.required else UNSET

    def secret(self, field: msgspec.structs.FieldInfo, given: list[str], table: dict[str, Any], path: Path) -> Any:
        """A secret, given itself or by the file that holds it. No problem ever repeats what was given."""
        name, place, text = given[0], (*path, given[0]), table[given[0]]
        if len(given) > 1 or not isinstance(text, str):
            sentence = f"given beside {given[-1]}: only one of them" if given[1:] else "expected a text"
            self.blame(place, sentence)
            return UNSET
        held = self.source(place).place
        made: Secret | str = Secret(text) if text else "empty"
        if name.endswith("_file"):
            made, held = read_secret(FilePath(text)), f"{held} ({text})"
        if isinstance(made, str) and asked_for_late(field):
            made, held = NotHad(f"{dotted(place)}: {made}"), f"{self.source(place).place} ({made})"
        if isinstance(made, str):
            self.blame(place, made)
            return UNSET
        self.origins[dotted((*path, field.name))] = held
        return made

    def table(self, given: object, path: Path) -> dict[str, Any]:
        """What should be a table; an empty one where it isn't."""
        value = toml_value(given) if isinstance(given, Loose) else given
        if isinstance(value, dict):
            return value
        self.blame(path, f"expected a table, got {shown(given)}")
        return {}

    def ask(self, made: Struct, path: Path) -> None:
        """Let a struct say what cannot be true of its values together, unless they are blamed already."""
        blamed = {problem.key for problem in self.problems}
        for key, sentence in getattr(made, "faults", tuple)():
            place = dotted((*path, *key.split("."))) if key else dotted(path)
            within = any(one.startswith(f"{place}.") for one in blamed) if not key else f"{place}_file" in blamed
            if place not in blamed and not within:
                self.blame((*path, *key.split(".")) if key else path, sentence)

    def blame(self, path: Path, sentence: str) -> None:
        """Note a problem of a setting."""
        self.problems.append(Problem(self.source(path), dotted(path), sentence))


def type_of(field: msgspec.structs.FieldInfo) -> inspect.Type:
    """The type of a field without its notes and without `| None`."""
    return bare(_type_info(field.type))


@functools.cache
def _type_info(annotation: Any) -> inspect.Type:
    return inspect.type_info(annotation)


def bare(info: inspect.Type) -> inspect.Type:
    """A type without its notes and without `| None`."""
    while isinstance(info, inspect.Metadata):
        info = info.type
    if isinstance(info, inspect.UnionType):
        return next(bare(one) for one in info.types if not isinstance(one, inspect.NoneType))
    return info


def struct_in(info: inspect.Type) -> type[Struct]:
    """The struct that a list or table is made of; Struct itself where it is made of something else."""
    inner = bare(info)
    return inner.cls if isinstance(inner, inspect.StructType) else Struct


def read_secret(file: FilePath) -> Secret | str:
    """The secret that a file holds, or why there is none."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "it is not UTF-8 text"
        return f"cannot read {file}: {why}"
    return Secret(text) if text else "empty"


def asked_for_late(field: msgspec.structs.FieldInfo) -> bool:
    """Whether a secret that cannot be had is no problem before somebody asks for it."""
    info = _type_info(field.type)
    return isinstance(info, inspect.Metadata) and bool((info.extra or {}).get("asked_for_late"))


def is_secret(field: msgspec.structs.FieldInfo) -> bool:
    """Whether a field holds what must not be seen."""
    return isinstance(type_of(field), inspect.CustomType)


def names_of(field: msgspec.structs.FieldInfo) -> list[str]:
    """The keys that may give a field: its own, and for a secret that of its file."""
    return [field.name, f"{field.name}_file"] if is_secret(field) else [field.name]


def leaves(cls: type[Struct], path: tuple[str, ...] = ()) -> Iterator[tuple[str, msgspec.structs.FieldInfo]]:
    """Every single setting below a struct, with its dotted key; tables named by the user are left out."""
    for field in msgspec.structs.fields(cls):
        info = type_of(field)
        if isinstance(info, inspect.StructType):
            yield from leaves(info.cls, (*path, field.name))
        elif not isinstance(info, inspect.DictType):
            yield dotted((*path, field.name)), field


def tighten(text: Loose, info: inspect.Type) -> object:
    """A text from the environment as the value that its type calls for, as far as it can be read so."""
    if isinstance(info, inspect.VarTupleType):
        return toml_value(text) if text.startswith("[") else [part.strip() for part in text.split(",")]
    if isinstance(info, inspect.BoolType | inspect.IntType | inspect.FloatType):
        return toml_value(text)
    return str(text)


def toml_value(text: str) -> object:
    """A text read as a TOML value; the text itself where it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return str(text)


def choices(info: inspect.Type) -> list[str]:
    """The texts that a type allows, where it lists them."""
    if isinstance(info, inspect.LiteralType):
        return [str(value) for value in info.values]
    if isinstance(info, inspect.EnumType):
        return [str(member.value) for member in info.cls]
    return []


def wanted(info: inspect.Type) -> str:
    """A type in words: `a whole number from 1 to 65535`."""
    match bare(info):
        case inspect.IntType(ge=low, le=high):
            return "a whole number" + span(low, high)
        case inspect.FloatType(ge=low, le=high):
            return "a number" + span(low, high)
        case inspect.BoolType():
            return "true or false"
        case inspect.DateType():
            return "a date such as 2026-10-01"
        case inspect.VarTupleType(item_type=item, max_length=most):
            return f"a list{f' of at most {most}' if most else ''}, each {wanted(item)}"
        case inspect.StrType(pattern=pattern, min_length=least):
            return f"a text that matches {pattern}" if pattern else f"a text{' that is not empty' if least else ''}"
        case listed:
            return "one of " + ", ".join(choices(listed))


def span(low: float | None, high: float | None) -> str:
    """Bounds in words."""
    return "" if low is None or high is None else f" from {low:.12g} to {high:.12g}"


def shown(value: object) -> str:
    """A value as it may stand in a sentence: not all of a long one."""
    text = repr(str(value) if isinstance(value, Loose) else value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def nearest(word: object, known: Iterable[str], likeness: float = 0.6) -> str:
    """`; did you mean …?`, where one of the known words is at least so like it, of 1."""
    by_lower = {one.lower(): one for one in known}
    close = difflib.get_close_matches(str(word).lower(), by_lower, n=1, cutoff=likeness)
    return f"; did you mean {by_lower[close[0]]}?" if close else ""


def dotted(path: Path) -> str:
    """A path as it is written: `web.port`."""
    return ".".join(str(part) for part in path)
