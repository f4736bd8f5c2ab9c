"""A scrape is answered on a short way, with what the web server would say; everything else gets to the web server."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from gzip import decompress
from typing import TYPE_CHECKING

import pytest

from engine_builders import settings_of
from sendwatch import scrape
from sendwatch.app import Application, build
from sendwatch.demo.stage import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GZIP = "Accept-Encoding: gzip\r\n"
PROMETHEUS = (
    "User-Agent: Prometheus/2.42.0\r\n"
    "Accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
    f"{GZIP}X-Prometheus-Scrape-Timeout-Seconds: 10\r\n"
)
UNUSUAL = "X-Anything: 1\r\n"


class Client:
    """One connection to a process' pages."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self.reader, self.writer = streams

    async def ask(self, more: str = "", line: str = "GET /metrics HTTP/1.1") -> tuple[int, dict[str, str], bytes]:
        """The status, headers and body of an answer."""
        self.writer.write(f"{line}\r\nHost: here\r\n{more}\r\n".encode())
        return await self.answer()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """The next answer."""
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
            return int(head[0].split()[1]), told, await self.reader.readexactly(int(told["content-length"]))


@asynccontextmanager
async def served() -> AsyncIterator[tuple[Client, Application]]:
    """A worker's pages, without the worker."""
    app = build(settings_of(**{"web.host": "127.0.0.1", "web.port": str(free_port())}))
    await app.web.start_server()
    try:
        client = Client(await asyncio.open_connection("127.0.0.1", app.conf.web_port))
        try:
            yield client, app
        finally:
            client.writer.close()
    finally:
        await app.web.stop_server()


def short_way(app: Application) -> int:
    """How many connections have not been handed to the web server."""
    return len(app.web._entered)


@pytest.mark.parametrize(
    "more", ["", GZIP, PROMETHEUS, "Accept-Encoding: gzip;q=0\r\n", "Accept-Encoding: br, GZIP\r\n"]
)
async def test_both_ways_give_the_same_page_with_the_same_headers(more: str) -> None:
    """By gzip to whoever asks for it, and as it is to whoever does not."""
    async with served() as (client, app):
        app.live.metrics.rebalanced()
        status, told, page = await client.ask(more)
        assert short_way(app) == 1
        usual_status, usual_told, usual_page = await client.ask(more + UNUSUAL)
        assert short_way(app) == 0
    assert (status, page) == (usual_status, usual_page)
    assert status == 200
    assert {**told, "server": usual_told["server"], "date": ""} == {**usual_told, "date": ""}
    small = "gzip" in more.lower() and "q=0\r" not in more
    assert told.get("content-encoding") == ("gzip" if small else None)
    assert b"\nsendwatch_rebalances_total 1.0\n" in (decompress(page) if small else page)


async def test_one_connection_is_scraped_again_and_again() -> None:
    """As Prometheus does; each time with the page of that time, in the encoding of that time."""
    async with served() as (client, app):
        pages = [(await client.ask(PROMETHEUS))[2] for _ in range(3)]
        assert len(set(pages)) == 1
        assert (await client.ask())[2] == decompress(pages[0])
        app.live.metrics.rebalanced()
        app.live.metrics._page = None
        assert b"\nsendwatch_rebalances_total 1.0\n" in decompress((await client.ask(PROMETHEUS))[2])
        assert short_way(app) == 1


async def test_whatever_else_is_asked_gets_to_the_web_server() -> None:
    """On the same connection: another page, another method, a page that is not there, and then the metrics again."""
    async with served() as (client, app):
        await client.ask(PROMETHEUS)
        assert json.loads((await client.ask(line="GET /-/healthy HTTP/1.1"))[2]) == {"healthy": True}
        assert short_way(app) == 0
        assert (await client.ask(line="POST /metrics HTTP/1.1"))[0] == 405
        assert (await client.ask(line="GET /metrics/x HTTP/1.1"))[0] == 404
        assert (await client.ask(PROMETHEUS))[1]["content-encoding"] == "gzip"


async def test_a_request_in_pieces_and_two_at_once_are_answered_too() -> None:
    """Nothing says that a request comes whole, or alone."""
    whole = f"GET /metrics HTTP/1.1\r\nHost: here\r\n{PROMETHEUS}\r\n".encode()
    async with served() as (client, _):
        client.writer.write(whole[:30])
        await asyncio.sleep(0.05)
        client.writer.write(whole[30:])
        assert (await client.answer())[0] == 200
    async with served() as (client, _):
        client.writer.write(whole + whole)
        assert [(await client.answer())[0] for _ in range(2)] == [200, 200]


async def test_a_connection_that_asks_nothing_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while it scrapes from time to time."""
    monkeypatch.setattr(scrape, "IDLE_SECONDS", 0.3)
    async with served() as (client, app):
        for _ in range(3):
            await asyncio.sleep(0.2)
            assert (await client.ask(PROMETHEUS))[0] == 200
        async with asyncio.timeout(5):
            assert await client.reader.read() == b""
        assert short_way(app) == 0


async def test_who_does_not_read_the_answers_is_not_answered_for_ever() -> None:
    """The web server waits until they are read; here they would pile up."""
    whole = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
    async with served() as (client, app):
        async with asyncio.timeout(10):
            while short_way(app):
                client.writer.write(whole)
                await asyncio.sleep(0.002)
        assert (await client.answer())[0] == 200


async def test_the_end_closes_what_is_open() -> None:
    """Nobody who scrapes keeps a worker from ending."""
    async with served() as (client, app):
        await client.ask(PROMETHEUS)
        await app.web.stop_server()
        async with asyncio.timeout(5):
            assert await client.reader.read() == b""


@pytest.mark.parametrize(
    "request_",
    [
        "GET /metrics HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET /metrics HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nx",
        "GET /metrics?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: a\r\n",
        "",
    ],
)
def test_only_a_plain_scrape_is_read(request_: str) -> None:
    """Everything that may want another answer is left to the web server."""
    assert scrape.read(request_.encode()) is None
