"""The settings as people read them: the sample file, the schema for editors, and what holds now.

Belongs here: pages made from the structs of `settings.py`, so that a setting is documented once. Not here:
reading settings (`config.py`). Pure: texts come out, nobody prints.

`deploy/sendwatch.toml` is what `sample()` gives, and a test compares them.
"""

from __future__ import annotations

import json
import operator
import textwrap
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, inspect

from sendwatch.policy import RuleSettings
from sendwatch.secret import NotHad, Secret
from sendwatch.settings import Settings
from sendwatch.typed import choices, is_secret, leaves, type_of

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = """\
# The configuration of sendwatch: every setting, its default and its reason. Where # stands before a name, the
# default holds, and nothing after the equals sign means unset. What has no # has no default.
#
# Each can also be given in the environment, SENDWATCH_WEB__PORT=8067 for `port` in [web], which wins over
# this file; the command line wins over both. A secret may be given by itself (`password`) or, better, by the
# name of a file that holds it (`password_file`). File names are relative to where the process was started.
#
# `sendwatch check` says what is wrong with this file, `sendwatch config show` what holds and where it stands.
"""

GIVEN = {
    "kafka.bootstrap": '"127.0.0.1:9092"',
    "recipients.internal_key": '"secrets/internal.key"',
    "recipients.public_key": '"secrets/public.key"',
}
"""What the sample gives by dotted key, since it has no default."""

EXCEPTION = """
# Senders that the rule spares, each for a while: an owner (USCC), a signature, or both together.
#[[rules.B1_QUIET_HOURS.exceptions]]
#signature = "某某银行"
#reason = "fraud warnings at night, agreed with the compliance desk"
#until = 2026-12-31  # its last day; every exemption ends
"""


def show(settings: Settings, origins: Mapping[str, str]) -> list[str]:
    """A line for each setting: its key, its value, where it was given. Secrets stay hidden."""
    held = [(key, operator.attrgetter(key)(settings)) for key, _ in leaves(Settings)]
    for rule, how in settings.rules.items():
        held += [(f"rules.{rule}.{key}", getattr(how, key)) for key, _ in leaves(RuleSettings)]
    rows = [(f"{key} = {written(value) or 'unset'}", origins.get(key, "default")) for key, value in held]
    width = min(60, max(len(row) for row, _ in rows))
    return [f"{row:<{width}}  # {origin}" for row, origin in rows]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `sendwatch.toml`, for editors that complete and check TOML."""
    made = msgspec.json.schema(Settings, schema_hook=lambda _: {"type": "string"})
    secrets = {key.rpartition(".")[2] for key, field in leaves(Settings) if is_secret(field)}
    for table in made["$defs"].values():
        for name in secrets & table.get("properties", {}).keys():
            table["properties"][f"{name}_file"] = {
                "type": "string",
                "description": f"A file with {name} in it.",
            }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "sendwatch.toml", **made}


def sample() -> str:
    """The sample configuration."""
    parts = [HEAD]
    for field in msgspec.structs.fields(Settings):
        info = type_of(field)
        if isinstance(info, inspect.StructType):
            parts.append(section(info.cls, field.name))
        else:
            rule = section(RuleSettings, "rules.B1_QUIET_HOURS")
            parts.append(rule.replace("\n[", "\n#[") + EXCEPTION)
    return "\n".join(parts)


def section(cls: type[Struct], name: str) -> str:
    """One table of the sample, and the tables inside it."""
    own, inner = [f"{remark(str(cls.__doc__))}\n[{name}]\n"], []
    for field in msgspec.structs.fields(cls):
        info = type_of(field)
        if isinstance(info, inspect.StructType):
            inner.append(section(info.cls, f"{name}.{field.name}"))
        elif not (isinstance(info, inspect.VarTupleType) and isinstance(info.item_type, inspect.StructType)):
            own.append(setting(field, f"{name}.{field.name}"))
    return "\n".join([*own, *inner])


def setting(field: msgspec.structs.FieldInfo, key: str) -> str:
    """One setting of the sample: its reason, its bounds, its default."""
    name = f"{field.name}_file" if is_secret(field) else field.name
    value = f"{name} = {GIVEN[key]}" if key in GIVEN else f"#{name} = {written(field.default)}".rstrip()
    return f"{remark(described(field) + bounds(type_of(field)))}\n{value}\n"


def bounds(info: inspect.Type) -> str:
    """What a setting may be, in brackets, where that is a range or a choice."""
    match info:
        case inspect.IntType(ge=low, le=high) | inspect.FloatType(ge=low, le=high):
            return f" ({low:.12g} to {high:.12g})"
        case inspect.LiteralType() | inspect.EnumType():
            return f" ({', '.join(choices(info))})"
        case _:
            return ""


def described(field: msgspec.structs.FieldInfo) -> str:
    """The reason of a setting, from its annotation."""
    info = inspect.type_info(field.type)
    noted = info.extra_json_schema if isinstance(info, inspect.Metadata) else None
    return str((noted or {}).get("description", ""))


def remark(text: str) -> str:
    """A text as lines of comment."""
    return textwrap.fill(text, 110, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)


def written(value: object) -> str:
    """A value as TOML; empty for none, a secret hidden."""
    match value:
        case None | NotHad():
            return ""
        case Secret():
            return '"…"'
        case bool():
            return str(value).lower()
        case Enum():
            return json.dumps(value.value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case tuple():
            return f"[{', '.join(written(one) for one in value)}]"
        case Struct():
            pairs = ((name, written(one)) for name, one in msgspec.structs.asdict(value).items())
            return f"{{{', '.join(f'{name} = {one}' for name, one in pairs if one)}}}"
        case _:
            return str(value)
