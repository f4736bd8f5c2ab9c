"""The API as an OpenAPI 3.1 document, made from the table that is served and the types that are read and written.

Belongs here: making it. Not here: any path (`routes.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch import __version__
from sendwatch.desk import ask, say, say_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.desk.routes import Route

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"
PROBLEMS = {"400": "Bad parameters", "401": "Log in", "403": "The role is too low", "404": "Not found",
            "422": "A body that cannot be understood", "429": "Too many requests", "503": "Not now"}  # fmt: skip
EVENTS = {
    "hello": say_counts.Hello,
    "flags": say_counts.Some,
    "breach": say.BreachView,
    "disposition": say.Disposition,
    "pulse": say_counts.Pulse,
}
"""What is pushed, by the name of the event; `changed` has nothing in it."""


def document(routes: Sequence[Route]) -> Schema:
    """The whole document."""
    shapes: list[Any] = [say.Problem, say.Me, ask.Login, *EVENTS.values()]
    for route in routes:
        shapes += [route.says, route.ask, *([route.body] if route.body is not None else [])]
    unique = list(dict.fromkeys(shapes))
    refs, components = msgspec.json.schema_components(unique, schema_hook=_anything, ref_template=REF)
    of = dict(zip(unique, refs, strict=True))
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, of, components)
    paths["/v1/session"] = _session(of)
    paths["/v1/stream"] = {"get": _stream(of)}
    paths["/v1/openapi.json"] = {"get": {"summary": "This document", "responses": {"200": {"description": "OpenAPI"}}}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "sendwatch desk",
            "version": __version__,
            "description": "Times are ms since 1970 UTC. Within /v1 fields are added, never taken away or retyped.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "sendwatch"},
            },
        },
    }


def _anything(type_: type) -> Schema:
    if type_ is object:
        return {"description": "as the rule has it"}
    raise NotImplementedError


def _operation(route: Route, of: dict[Any, Schema], components: Schema) -> Schema:
    told: Schema = {
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z]+', '_', route.path.removeprefix('/v1/')).strip('_')}",
        "summary": route.title,
        "description": f"Least role: {route.least or 'none'}.",
        "parameters": _parameters(route, of, components),
        "responses": {
            str(route.status): {
                "description": route.title,
                "content": {"application/json": {"schema": of[route.says]}},
            },
            **{status: _problem(words, of) for status, words in PROBLEMS.items()},
        },
    }
    if route.body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": of[route.body]}}}
    return told


def _parameters(route: Route, of: dict[Any, Schema], components: Schema) -> list[Schema]:
    shape = components[of[route.ask]["$ref"].rpartition("/")[2]]
    required, found = set(shape.get("required", ())), []
    for name, schema in shape["properties"].items():
        in_path = f"{{{name}}}" in route.path
        place = "path" if in_path else "query"
        found.append({"name": name, "in": place, "required": in_path or name in required, "schema": schema})
    return found


def _problem(words: str, of: dict[Any, Schema]) -> Schema:
    return {"description": words, "content": {"application/problem+json": {"schema": of[say.Problem]}}}


def _session(of: dict[Any, Schema]) -> Schema:
    body = {"required": True, "content": {"application/json": {"schema": of[ask.Login]}}}
    ok = {"description": "Who it stands for", "content": {"application/json": {"schema": of[say.Me]}}}
    refused = _problem("The token is not known, or has expired", of)
    return {
        "post": {"summary": "A cookie for a token", "requestBody": body, "responses": {"200": ok, "401": refused}},
        "delete": {"summary": "Forget the cookie", "responses": {"204": {"description": "Forgotten"}}},
    }


def _stream(of: dict[Any, Schema]) -> Schema:
    return {
        "summary": "Server-sent events",
        "description": "The data of an event, by its name; `changed` has nothing in it: fetch the summary anew.",
        "responses": {
            "200": {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        },
        "x-events": {name: of[shape] for name, shape in EVENTS.items()},
    }
