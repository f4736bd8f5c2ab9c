"""A desk with nothing behind it: the real page, the API's real headers, and a made-up day."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import desk_samples as samples
import msgspec
from aiohttp import web

import sendwatch.desk
from sendwatch.desk import say
from sendwatch.desk.gate import HEADERS
from sendwatch.desk.stream import event

PAGE = Path(sendwatch.desk.__file__).parent / "page"
PULSE_SECONDS = 0.2


class Desk:
    """The page and its API, on loopback. `day` is what it tells; `role` None: one has to log in with `TOKEN`."""

    TOKEN = "sw_made_up"

    def __init__(self, role: Any = "analyst") -> None:
        """Not listening yet."""
        self.day = samples.Day()
        self.me = say.Me("zhang", role, open=role is not None)
        self.checks: list[Any] = []
        self.broken: dict[str, int] = {}
        self.slow: dict[str, float] = {}
        self.address = ""
        self._listeners: set[web.StreamResponse] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self) -> None:
        """Listen; after a stop on the same port."""
        app = web.Application(middlewares=[self._around])
        app.add_routes(
            [
                web.get("/v1/me", self._who),
                web.post("/v1/session", self._login),
                web.get("/v1/summary", self._summary),
                web.get("/v1/flags", self._flags),
                web.get("/v1/flags/{id}", self._flag),
                web.get("/v1/explain", self._explain),
                web.get("/v1/dispositions", self._deeds),
                web.post("/v1/dispositions", self._dispose),
                web.get("/v1/exceptions", self._exceptions),
                web.post("/v1/check", self._check),
                web.get("/v1/stream", self._stream),
                web.get("/", self._page),
                web.get("/{path:.+}", self._page),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Be gone, as after a crash."""
        self._beating.cancel()
        self._listeners.clear()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def push(self, name: str, data: Any) -> None:
        """Tell every open page."""
        for listener in list(self._listeners):
            try:
                await listener.write(event(name, data, 1))
            except ConnectionError:
                self._listeners.discard(listener)

    async def raise_flag(self, number: int, rule: str | None = None) -> say.Brief:
        """A new flag, pushed."""
        flag = samples.a_flag(number, rule)
        self.day.flags.append(flag)
        await self.push("flags", {"flags": [flag], "left_out": 0})
        return flag

    # -- answers ------------------------------------------------------------------------------------------------

    @web.middleware
    async def _around(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(self.slow.get(request.path, 0))
        if request.path in self.broken:
            answer: web.StreamResponse = _json(
                {"title": "Failed", "detail": "It is broken on purpose."}, self.broken[request.path]
            )
        elif request.path.startswith("/v1/") and request.path not in ("/v1/me", "/v1/session") and self.me.role is None:
            answer = _json({"title": "Log in", "status": 401}, 401)
        else:
            answer = await handler(request)
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    async def _who(self, _: web.Request) -> web.Response:
        return _json(self.me)

    async def _login(self, request: web.Request) -> web.Response:
        if (await request.json())["token"] != self.TOKEN:
            return _json({"title": "Log in", "status": 401}, 401)
        self.me = say.Me("zhang", "analyst", open=False)
        return _json(self.me)

    async def _summary(self, request: web.Request) -> web.Response:
        return _json(self.day.summary(request.query.get("window", "1d"), _wall()))

    async def _flags(self, request: web.Request) -> web.Response:
        asked, found = request.query, list(reversed(self.day.flags))
        last = {each.about.id: each for each in self.day.deeds}
        found = [msgspec.structs.replace(each, disposition=last.get(each.flag_id)) for each in found]
        found = [each for each in found if asked.get("rule", each.rule) == each.rule]
        found = [each for each in found if asked.get("province", each.send.province) == each.send.province]
        if disposed := asked.get("disposed"):
            found = [each for each in found if (each.disposition.action if each.disposition else "none") == disposed]
        begin, limit = int(asked.get("cursor", 0)), int(asked.get("limit", 50))
        rest = str(begin + limit) if len(found) > begin + limit else None
        return _json(
            say.FlagPage(found[begin : begin + limit], len(found), rest, len(self.day.flags), samples.NOW - 86_400_000)
        )

    def _known(self, flag_id: str) -> say.Brief:
        return next(each for each in self.day.flags if each.flag_id == flag_id)

    async def _flag(self, request: web.Request) -> web.Response:
        flag = self._known(request.match_info["id"])
        return _json(samples.whole(flag, [each for each in self.day.deeds if each.about.id == flag.flag_id]))

    async def _explain(self, request: web.Request) -> web.Response:
        return _json(samples.explained(self._known(request.query["flag"])))

    async def _deeds(self, request: web.Request) -> web.Response:
        about = request.query.get("about")
        found = [each for each in reversed(self.day.deeds) if about in (None, each.about.id)]
        return _json(say.DispositionPage(found, len(found), None))

    async def _dispose(self, request: web.Request) -> web.Response:
        given = await request.json()
        about = say.About(**given["about"])
        rule = (
            self._known(about.id).rule
            if about.kind == "flag"
            else next(each.rule for each in self.day.breaches if each.breach_id == about.id)
        )
        made = say.Disposition(
            f"d{len(self.day.deeds)}",
            about,
            given["action"],
            rule,
            say.Subject(),
            given.get("until"),
            "zhang",
            "analyst",
            given["why"],
            _wall(),
        )
        self.day.deeds.append(made)
        await self.push("disposition", made)
        return _json(made, 201)

    async def _exceptions(self, _: web.Request) -> web.Response:
        found = [
            say.ExceptionView(
                each.rule,
                "91990000MA00095JCD",
                None,
                each.until or "",
                each.why,
                each.by,
                each.made_at,
                each.disposition_id,
                False,
                1,
            )
            for each in self.day.deeds
            if each.action == "except"
        ]
        return _json(say.ExceptionTable(found, ""))

    async def _check(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.checks.append(asked)
        return _json(samples.checked(asked["recipients"]))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream; charset=utf-8"})
        await answer.prepare(request)
        hello = {"version": "0.1.0", "at": samples.NOW, "wall_at": _wall(), "open": True, "counting": True}
        await answer.write(b"retry: 200\n\n" + event("hello", hello, 1))
        self._listeners.add(answer)
        try:
            await asyncio.sleep(3600)
        finally:
            self._listeners.discard(answer)
        return answer

    async def _page(self, request: web.Request) -> web.StreamResponse:
        path = (PAGE / (request.match_info.get("path") or "index.html")).resolve()
        if not path.is_file() or PAGE not in path.parents:
            return web.Response(status=404)
        return web.FileResponse(path)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            await self.push("pulse", self.day.pulse(_wall()))


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _wall() -> int:
    return int(time.time() * 1000)


def today() -> str:
    """The date, as a date field has it."""
    return datetime.now(UTC).date().isoformat()


async def until_listening(port: int) -> None:
    """Wait until the desk answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.2)
            else:
                writer.close()
                return
