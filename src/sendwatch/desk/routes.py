"""Every path of the API in one table, and the files of the page: what `openapi.py` tells of is what is served.

Belongs here: the table, and from a row of it to a handler. Not here: answers (`reading.py`, `acting.py`).
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from msgspec import Struct

from sendwatch.desk import acting, ask, openapi, reading, say, say_check, say_counts
from sendwatch.desk.gate import COOKIE, JSON, RefusedError, body_of, decoded
from sendwatch.desk.health import wall
from sendwatch.desk.reading import Call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sendwatch.desk.say import Role
    from sendwatch.desk.server import Desk

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": JSON,
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


class Route(Struct, frozen=True):
    """A path: who may ask at least (None: nobody needs to be known), with what, and what comes."""

    method: str
    path: str
    least: Role | None
    does: Callable[[Call], Awaitable[Any]]
    says: Any
    title: str
    ask: type[Any] = ask.Nothing
    body: type[Any] | None = None
    status: int = 200
    cost: float = 1.0


ROUTES = (
    Route("GET", "/v1/me", None, reading.me, say.Me, "Who asks"),
    Route(
        "GET", "/v1/summary", "viewer", reading.summary, say_counts.Summary, "What the page needs in one call",
        ask.Windowed,
    ),
    Route("GET", "/v1/flags", "viewer", reading.flags, say.FlagPage, "Net flags, newest change first", ask.SomeFlags),
    Route(
        "GET", "/v1/flags/{flag_id}", "analyst", reading.flag, say.WholeFlag, "A flag with its evidence; logged",
        ask.OfFlag,
    ),
    Route(
        "GET", "/v1/explain", "analyst", reading.explain, say.Explanation, "Every rule's answer about a send; logged",
        ask.OfSend, cost=2.0,
    ),
    Route("GET", "/v1/breaches", "viewer", reading.breaches, say.BreachPage, "Breaches", ask.SomeBreaches),
    Route("GET", "/v1/top", "viewer", reading.top, say_counts.TopList, "Who has the most", ask.Ranking),
    Route("GET", "/v1/series", "viewer", reading.series, say_counts.OneSeries, "A count over time", ask.Line),
    Route(
        "GET", "/v1/coverage", "viewer", reading.coverage, say_counts.Coverage, "What share every rule decided",
        ask.Share,
    ),
    Route("GET", "/v1/rules", "viewer", reading.rules, list[say.RuleView], "The catalogue of rules"),
    Route("GET", "/v1/precision", "viewer", reading.precision, say.PrecisionTable, "How often people agreed"),
    Route("GET", "/v1/exceptions", "viewer", reading.exceptions, say.ExceptionTable, "Whom people excepted"),
    Route(
        "GET", "/v1/dispositions", "viewer", reading.dispositions, say.DispositionPage, "What people decided",
        ask.SomeDispositions,
    ),
    Route(
        "POST", "/v1/dispositions", "analyst", acting.decide, say.Disposition, "Decide about a flag or a breach",
        body=ask.Decision, status=201,
    ),
    Route(
        "POST", "/v1/check", "analyst", acting.check, say_check.CheckAnswer,
        "What a campaign would break; nothing is emitted, nothing stored", body=ask.Campaign, cost=2.0,
    ),
    Route("GET", "/v1/access", "admin", reading.looks, say.Looks, "Who looked at evidence", ask.Recent),
)  # fmt: skip


def add_to(app: web.Application, desk: Desk) -> None:
    """Add every path to the application."""
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _handler(desk, route))
    document = msgspec.json.encode(openapi.document(ROUTES))

    async def describe(request: web.Request) -> web.Response:
        desk.gate.admit(request, None)
        return web.Response(body=document, content_type=JSON)

    async def stream(request: web.Request) -> web.StreamResponse:
        desk.gate.admit(request, "viewer")
        return await desk.stream.serve(request, desk.hello())

    async def ready(request: web.Request) -> web.Response:
        desk.gate.admit(request, None)
        behind = desk.behind()
        told = {"ready": not behind, "behind": behind}
        return web.Response(body=msgspec.json.encode(told), status=503 if behind else 200, content_type=JSON)

    app.router.add_get("/-/ready", ready)
    app.router.add_get("/v1/openapi.json", describe)
    app.router.add_get("/v1/stream", stream)
    app.router.add_post("/v1/session", _login(desk))
    app.router.add_delete("/v1/session", _logout(desk))
    app.router.add_route("*", "/v1/{rest:.*}", _nothing_there)
    app.router.add_get("/{name:.*}", _page(desk))


def _handler(desk: Desk, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        who = desk.gate.admit(request, route.least, route.cost)
        asked = decoded(request, route.ask)
        body = await body_of(request, route.body) if route.body is not None else None
        answer = await route.does(Call(desk, who, asked, body))
        return web.Response(body=msgspec.json.encode(answer), status=route.status, content_type=JSON)

    return handle


def _login(desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def login(request: web.Request) -> web.Response:
        who = desk.gate.who(request)
        desk.gate.slow_down(request, who, 5.0)  # whoever guesses has little time for it
        given: ask.Login = await body_of(request, ask.Login)
        who = desk.gate.tokens.who(given.token, wall())
        if who.role is None:
            raise RefusedError(401, "This token is not known, or has expired.")
        me = say.Me(who.name, who.role, who.open, who.expires_at)
        answer = web.Response(body=msgspec.json.encode(me), content_type=JSON)
        if not who.open:
            seconds = max(0, ((who.expires_at or 0) - wall()) // 1000)
            secure = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
            answer.set_cookie(COOKIE, given.token, httponly=True, samesite="Strict", secure=secure, max_age=seconds)
        return answer

    return login


def _logout(desk: Desk) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def logout(request: web.Request) -> web.Response:
        desk.gate.admit(request, None)
        answer = web.Response(status=204)
        answer.del_cookie(COOKIE)
        return answer

    return logout


async def _nothing_there(request: web.Request) -> web.Response:
    raise RefusedError(404, f"There is no {request.method} {request.path}: see /v1/openapi.json.")


def _page(desk: Desk) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The files below `page/`, and nothing else."""
    root = Path(str(files("sendwatch.desk"))) / "page"
    there = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.suffix in TYPES}

    async def page(request: web.Request) -> web.StreamResponse:
        desk.gate.admit(request, None, 0.2)
        path = there.get(request.match_info["name"] or "index.html")
        if path is None:
            raise RefusedError(404, "There is no such page.")
        headers = {"Content-Type": TYPES[path.suffix], "Cache-Control": "no-cache"}
        return web.FileResponse(path, headers=headers)

    return page
