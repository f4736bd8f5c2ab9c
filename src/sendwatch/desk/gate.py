"""Everything that a request passes before it is answered, and how it is told no.

Belongs here: who asks, from where, how often, with what; problems (RFC 9457); headers that every answer has. Not here:
roles and tokens themselves (`access.py`), answers.

    without tokens   only this machine may ask, and only by one of its own names: a page of somebody else's that a
                     browser on this machine shows can then neither read nor do anything here
    with tokens      a bearer token, or the cookie that a login sets for the page: strict, and out of scripts' reach
    what changes     comes as JSON, from a page of our own: other pages' forms can't send that
"""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from sendwatch.desk.say import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sendwatch.desk.access import Tokens, Who
    from sendwatch.desk.pace import Pace
    from sendwatch.desk.say import Role

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("sendwatch.desk")

COOKIE = "sendwatch"
JSON, PROBLEM = "application/json", "application/problem+json"
CHANGING = frozenset({"POST", "DELETE", "PUT", "PATCH"})
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
TITLES = {
    400: "Bad request",
    401: "Log in",
    403: "Not allowed",
    404: "Not found",
    405: "No such method here",
    409: "Not as it stands",
    413: "Too large",
    415: "Not JSON",
    422: "Cannot be understood",
    429: "Too many requests",
    500: "Failed",
    503: "Not now",
}


class RefusedError(Exception):
    """A request is told no. `detail` is a sentence for people, and holds nothing personal."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        """The status is HTTP's."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """An answer that tells no."""
    body = msgspec.json.encode(Problem(title=TITLES.get(status, "Refused"), status=status, detail=detail))
    return web.Response(body=body, status=status, content_type=PROBLEM, headers=headers)


@web.middleware
async def tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong is told in one form; what was not foreseen is logged, and told without a word of it."""
    try:
        answer = await handler(request)
    except RefusedError as error:
        answer = problem(error.status, error.detail, error.headers)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = problem(error.status, error.reason)
    except Exception:
        log.exception("a request failed", extra={"method": request.method, "path": request.path})
        answer = problem(500, "It failed; the log says where.")
    if not answer.prepared:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
    return answer


class Gate:
    """Lets requests in. `hosts`: the names by which this machine may be asked while there are no tokens."""

    def __init__(self, tokens: Tokens, pace: Pace, hosts: frozenset[str]) -> None:
        """Bind what is read from files and settings."""
        self.tokens = tokens
        self._pace = pace
        self._hosts = hosts

    def who(self, request: web.Request) -> Who:
        """Who asks; raises RefusedError where nobody may ask in this way, whoever it is."""
        if self.tokens.open:
            self._only_from_here(request)
        if request.method in CHANGING:
            _from_our_page(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE)
        return self.tokens.who(given, int(time.time() * 1000))

    def admit(self, request: web.Request, least: Role | None, cost: float = 1.0) -> Who:
        """Who asks, where that person may; raises RefusedError."""
        who = self.who(request)
        if least is not None and who.role is None:
            raise RefusedError(401, "A token is needed: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        if least is not None and not who.may(least):
            raise RefusedError(403, f"This needs the role {least}; yours is {who.role}.")
        self.slow_down(request, who, cost)
        return who

    def slow_down(self, request: web.Request, who: Who, cost: float) -> None:
        """Raise RefusedError where somebody asks too often; those without a token share their address's pace."""
        name = f"name {who.name}" if who.role is not None and not who.open else f"address {request.remote}"
        wait = self._pace.wait(name, time.monotonic(), cost)
        if wait:
            seconds = str(int(wait) + 1)
            raise RefusedError(429, f"Too many requests; try again in {seconds} s.", {"Retry-After": seconds})

    def _only_from_here(self, request: web.Request) -> None:
        try:
            here = ipaddress.ip_address(request.remote or "").is_loopback
        except ValueError:
            here = False
        if not here or _host(request.host) not in self._hosts:
            raise RefusedError(403, "There are no tokens, so only this machine may ask: see `sendwatch token new`.")


def _from_our_page(request: web.Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise RefusedError(403, "This comes from a page that is not ours.")
    if request.method == "DELETE":
        if "X-Requested-With" not in request.headers:
            raise RefusedError(403, "A deletion needs the header X-Requested-With.")
    elif request.content_type != JSON:
        raise RefusedError(415, f"The body must be {JSON}.")


def _host(netloc: str) -> str:
    return (urlsplit(f"//{netloc}").hostname or "").lower()


def decoded(request: web.Request, shape: type[Any]) -> Any:
    """The parameters of a request, from its path and its query; raises RefusedError, which names the parameter."""
    fields = {field.name: field for field in msgspec.structs.fields(shape)}
    given: dict[str, Any] = dict(request.match_info)
    for name in request.query:
        if name not in fields:
            raise RefusedError(400, f"There is no parameter {name!r} here; there are: {', '.join(fields) or 'none'}.")
        values = request.query.getall(name)
        if isinstance(fields[name].default, tuple):
            given[name] = values
        elif len(values) > 1:
            raise RefusedError(400, f"{name!r} is given twice.")
        else:
            given[name] = values[0]
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise RefusedError(400, f"{error}.") from None


async def body_of(request: web.Request, shape: type[Any]) -> Any:
    """The body of a request; raises RefusedError, which names the field."""
    try:
        return msgspec.json.decode(await request.read(), type=shape)
    except msgspec.ValidationError as error:
        raise RefusedError(422, f"{error}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(400, f"The body is not JSON: {error}.") from None
