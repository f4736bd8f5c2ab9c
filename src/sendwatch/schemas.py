"""The contract as documents: a JSON Schema for every record that others write or read, and AsyncAPI 3.0 around them.

Belongs here: making them from the types that the code itself reads and writes with, and what must never change within
a version. Not here: the types (`events.py`, `outgoing.py`, `desk/say.py`).

    in/<kind>.v1.json     what upstream writes; unknown fields are ignored, absent and null mean the same
    out/<type>.json       what is published; readers ignore fields that they don't know
    asyncapi.json         topics, keys, headers, who sends and who receives
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from sendwatch import __version__, outgoing
from sendwatch.cluster import Names
from sendwatch.desk.dispositions import MADE
from sendwatch.desk.say import Disposition
from sendwatch.events import KINDS, REGISTRIES
from sendwatch.topics import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Schema = dict[str, Any]

DRAFT: Final = "http://json-schema.org/draft-07/schema#"
QUARANTINED: Final = "sendwatch.quarantine.v1"
INF: Final = float("inf")
HEADERS: Final = ("specversion", "id", "source", "type", "time", "subject", "dataschema")


class Published(Struct, frozen=True):
    """A type of what is published: its topic's kind, its shape, and the fields that always have one value."""

    kind: str
    type: type[Struct]
    always: dict[str, str]
    is_event: bool = True


PUBLISHED: Final[Mapping[str, Published]] = {
    outgoing.RAISED: Published("flags", outgoing.FlagEvent, {"status": "raised"}),
    outgoing.CLEARED: Published("flags", outgoing.FlagEvent, {"status": "cleared"}),
    outgoing.OPTOUT: Published("optouts", outgoing.OptoutEvent, {}),
    outgoing.OPENED: Published("breaches", outgoing.BreachEvent, {"status": "open"}),
    outgoing.CLOSED: Published("breaches", outgoing.BreachEvent, {"status": "closed"}),
    MADE: Published("dispositions", Disposition, {}),
    QUARANTINED: Published("quarantine", outgoing.QuarantineEvent, {}, is_event=False),
}


def documents() -> dict[str, str]:
    """Every document by its path below the folder that they are written to."""
    found = {f"in/{kind}.v1.json": read_schema(kind) for kind in KINDS}
    found |= {f"out/{name}.json": published_schema(name) for name in PUBLISHED}
    found["asyncapi.json"] = asyncapi()
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in found.items()}


def read_folder(folder: Path) -> dict[str, Schema]:
    """The schemas of a folder that `documents` were written to, by their paths below it."""
    paths = sorted(path for name in ("in", "out") for path in (folder / name).glob("*.json"))
    return {path.relative_to(folder).as_posix(): json.loads(path.read_text(encoding="utf-8")) for path in paths}


def read_schema(kind: str) -> Schema:
    """What a record that sendwatch reads must look like to be judged with all its fields."""
    schema = _schema_of(KINDS[kind], f"{outgoing.SCHEMAS}sms.{kind}.v1", kind)
    for each in _objects(schema):
        for name, field in each["properties"].items():
            if name not in each.get("required", ()):
                each["properties"][name] = _nullable(field)
    return schema


def published_schema(name: str) -> Schema:
    """What a record looks like that sendwatch publishes under a CloudEvents type."""
    what = PUBLISHED[name]
    schema = _schema_of(what.type, outgoing.SCHEMAS + name, what.kind)
    if "evidence" in schema["properties"]:
        schema["properties"]["evidence"] = {"type": "object", "description": "The rule's own, by fields."}
    for field, value in what.always.items():
        schema["properties"][field] = {"const": value}
    return schema


def _schema_of(type_: type[Struct], id_: str, kind: str) -> Schema:
    (_,), components = msgspec.json.schema_components(
        [type_], schema_hook=_anything, ref_template="#/definitions/{name}"
    )
    schema: Schema = {"$schema": DRAFT, "$id": id_, "title": type_.__name__, "description": _meaning(kind)}
    schema |= components.pop(type_.__name__)
    if components:
        schema["definitions"] = components
    for each in _objects(schema):
        each["additionalProperties"] = True  # the types are closed for the decoder's speed alone
    return schema


def _anything(type_: type) -> Schema:
    if type_ is object:
        return {"description": "as the rule has it"}
    raise NotImplementedError


def _objects(schema: Schema) -> Iterator[Schema]:
    """The schemas of all structs in a schema."""
    for each in (schema, *schema.get("definitions", {}).values()):
        if "properties" in each:
            yield each


def _nullable(field: Schema) -> Schema:
    kinds = field.get("anyOf", [field])
    if {"type": "null"} in kinds:
        return field
    rest = {name: value for name, value in field.items() if name == "default"}
    bare = [{name: value for name, value in kind.items() if name != "default"} for kind in kinds]
    return {"anyOf": [*bare, {"type": "null"}], **rest}


def _meaning(kind: str) -> str:
    field = next(each for each in msgspec.structs.fields(Names) if each.name == kind)
    described: str = next(each.description for each in field.type.__metadata__ if getattr(each, "description", None))
    return described


def asyncapi() -> Schema:
    """The AsyncAPI document; topics have their default names."""
    kinds = [*KINDS, *dict.fromkeys(each.kind for each in PUBLISHED.values())]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sendwatch",
            "version": __version__,
            "description": "Topics of sendwatch, by their default names; a prefix and each name can be configured. "
            "Values are JSON, times are ms since 1970 UTC. Of a compacted topic the last record of a key holds. "
            "Unknown fields are ignored on both sides.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {kind: _channel(kind) for kind in kinds},
        "operations": {_operation(kind): _does(kind) for kind in kinds},
        "components": {"messages": {name: _message(name) for name in (*KINDS, *PUBLISHED)}},
    }


def _channel(kind: str) -> Schema:
    names = [kind] if kind in KINDS else [name for name, each in PUBLISHED.items() if each.kind == kind]
    return {
        "address": msgspec.structs.asdict(Names())[kind],
        "description": _meaning(kind),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _operation(kind: str) -> str:
    return f"{'read' if kind in KINDS else 'publish'}_{kind}"


def _does(kind: str) -> Schema:
    return {"action": "receive" if kind in KINDS else "send", "channel": {"$ref": f"#/channels/{kind}"}}


def _message(name: str) -> Schema:
    kind = name if name in KINDS else PUBLISHED[name].kind
    message: Schema = {
        "name": name,
        "title": _meaning(kind),
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-07",
            "schema": {"$ref": f"in/{name}.v1.json" if name in KINDS else f"out/{name}.json"},
        },
        "bindings": {"kafka": {"key": {"type": "string", "description": KEYS[kind]}}},
    }
    if kind in REGISTRIES:
        message["description"] = "A record without a value: the row was recorded in error and never was."
    if name in PUBLISHED and PUBLISHED[name].is_event:
        message["headers"] = _headers(name)
    return message


def _headers(name: str) -> Schema:
    """CloudEvents 1.0, binary mode over Kafka."""
    properties: Schema = {f"ce_{each}": {"type": "string"} for each in HEADERS}
    properties["ce_specversion"] = {"const": "1.0"}
    properties["ce_type"] = {"const": name}
    properties["ce_dataschema"] = {"const": outgoing.SCHEMAS + name}
    properties["content-type"] = {"const": "application/json"}
    return {"type": "object", "required": list(properties), "properties": properties}


def differences(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> Iterator[str]:
    """What would break somebody, over all schemas by their paths, in sentences."""
    for path, schema in before.items():
        if path not in after:
            yield f"{path}: gone"
        else:
            found = breaks(schema, after[path], published=path.startswith("out/"))
            yield from (f"{path}: {sentence}" for sentence in found)


def breaks(before: Schema, after: Schema, *, published: bool, at: str = "") -> Iterator[str]:
    """What would break somebody who relies on `before`, in sentences: it needs a new version of the type.

    What is gone, of another type or tighter, or newly required of writers; for readers of what is published, what is of
    another type or looser, or may now be missing.
    """
    for name, field in before.get("properties", {}).items():
        path = f"{at}{name}"
        if name not in after.get("properties", {}):
            yield f"{path}: gone"
            continue
        now = after["properties"][name]
        told, rely = (field, now) if published else (now, field)
        if _kinds(rely).keys() - _kinds(told).keys():
            yield f"{path}: was {' or '.join(sorted(_kinds(field)))}, is {' or '.join(sorted(_kinds(now)))}"
        else:
            yield from (f"{path}: another {bound}" for bound in _tighter(rely, told))
        yield from breaks(_within(field, before), _within(now, after), published=published, at=f"{path}.")
    required, required_before = set(after.get("required", ())), set(before.get("required", ()))
    yield from (f"{at}{name}: newly required" for name in sorted(required - required_before) if not published)
    yield from (f"{at}{name}: may now be missing" for name in sorted(required_before - required) if published)


def _within(field: Schema, root: Schema) -> Schema:
    """The object that a field holds, if it holds one, with the definitions of the whole."""
    definitions = root.get("definitions", {})
    for each in field.get("anyOf", [field]):
        inner = each.get("items", each)
        if isinstance(inner, dict) and "$ref" in inner:
            return {**definitions[inner["$ref"].rpartition("/")[2]], "definitions": definitions}
    return {"definitions": definitions}


def _kinds(field: Schema) -> dict[str, Schema]:
    """What a field may hold, by its JSON types; an enumeration is one of strings."""
    found = {}
    for each in field.get("anyOf", [field]):
        named = "string" if "enum" in each or "const" in each else "object" if "$ref" in each else "anything"
        found[str(each.get("type", named))] = each
    return found


def _tighter(before: Schema, after: Schema) -> Iterator[str]:
    """By which bounds `after` refuses what `before` lets pass; both are of the same types."""
    kinds = _kinds(before)
    for kind, now in _kinds(after).items():
        if kind not in kinds:
            continue
        was = kinds[kind]
        yield from (name for name in ("minLength", "minimum") if now.get(name, -INF) > was.get(name, -INF))
        yield from (name for name in ("maxLength", "maximum") if now.get(name, INF) < was.get(name, INF))
        yield from (name for name in ("pattern", "format") if now.get(name, was.get(name)) != was.get(name))
        values, were = _values(now), _values(was)
        if values is not None and (were is None or were - values):
            yield "enum"
        inner, inner_was = now.get("items"), was.get("items")
        if inner and inner_was and (_kinds(inner_was).keys() - _kinds(inner).keys() or [*_tighter(inner_was, inner)]):
            yield "items"


def _values(kind: Schema) -> set[str] | None:
    """The values of an enumeration; None: it is none."""
    return {kind["const"]} if "const" in kind else set(kind["enum"]) if "enum" in kind else None
