"""What the tests that let alerts travel share: real Prometheus and Alertmanager, and somebody who is called."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Self

import aiohttp
from aiohttp import web
from alerts import ALERTMANAGER, PROMETHEUS
from shipped import installed

from sendwatch.demo.stage import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path
    from types import TracebackType

PATIENCE: Final = 20.0


@asynccontextmanager
async def running(*command: str, log: Path) -> AsyncIterator[None]:
    """A program for as long as the block lasts."""
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=lines, stderr=lines
        )
    try:
        yield
        assert process.returncode is None, f"{command[0]} ended; see {log}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def an_alertmanager(folder: Path, port: int, inbox: Inbox) -> AsyncIterator[str]:
    """Alertmanager with the shipped configuration, in a hurry, its receivers all in one inbox; gives its address."""
    command = (
        installed("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={_in_a_hurry(folder, inbox)}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    async with running(*command, log=folder / "alertmanager.log"):
        await ready(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"


def _in_a_hurry(folder: Path, inbox: Inbox) -> Path:
    folder.mkdir()
    text = (ALERTMANAGER / "alertmanager.yml").read_text(encoding="utf-8")
    for shipped, here in (
        ("127.0.0.1:9095", f"127.0.0.1:{inbox.port}"),
        ("group_wait: 30s", "group_wait: 0s"),
        ("group_interval: 5m", "group_interval: 1s"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    path = folder / "alertmanager.yml"
    path.write_text(text, encoding="utf-8")
    (folder / "sendwatch.tmpl").symlink_to(ALERTMANAGER / "sendwatch.tmpl")
    return path


def prometheus_files(folder: Path, worker: int, prometheus: int, alertmanager: int) -> Path:
    """The shipped configuration of Prometheus with its rules, in a hurry and at other ports."""
    shutil.copytree(PROMETHEUS, folder)
    for path in folder.rglob("*.yml"):
        text = re.sub(r"interval: \d+[sm]", "interval: 1s", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
    path = folder / "prometheus.yml"
    text = path.read_text(encoding="utf-8")
    for shipped, port in (("8066", worker), ("9090", prometheus), ("9093", alertmanager)):
        assert f":{shipped}" in text
        text = text.replace(f":{shipped}", f":{port}")
    path.write_text(text, encoding="utf-8")
    return path


@asynccontextmanager
async def a_prometheus(folder: Path, configuration: Path, port: int) -> AsyncIterator[None]:
    """Prometheus with that configuration."""
    command = (
        installed("prometheus", "prometheus"),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",  # what fires before it knows of Alertmanager is sent again after that
    )
    async with running(*command, log=folder / "prometheus.log"):
        await ready(f"http://127.0.0.1:{port}/-/ready")
        yield


async def ready(address: str) -> None:
    """Wait until a server says that it is ready."""
    give_up_at = time.monotonic() + PATIENCE
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(address) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            assert time.monotonic() < give_up_at, address
            await asyncio.sleep(0.05)


class Inbox:
    """Everybody who is called: what Alertmanager posts to each receiver, by its path."""

    def __init__(self) -> None:
        """Nobody listens before it is entered."""
        self.port = free_port()
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_post("/{receiver}", self._take)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        async with self._news:
            self.posts.append((request.match_info["receiver"], await request.json()))
            self._news.notify_all()
        return web.Response()

    async def message(
        self, receiver: str, wanted: Callable[[dict[str, Any]], bool], within: float = PATIENCE
    ) -> dict[str, Any]:
        """The first message to a receiver that is as wanted; waits for it."""

        def found() -> list[dict[str, Any]]:
            return [post for path, post in self.posts if path == receiver and wanted(post)]

        async with self._news:
            try:
                await asyncio.wait_for(self._news.wait_for(lambda: bool(found())), within)
            except TimeoutError:
                got = [(path, post["status"], post["groupLabels"]) for path, post in self.posts]
                raise AssertionError(f"nothing like that for {receiver}; there came {got}") from None
            return found()[0]


def about(alertname: str, status: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a message is about an alert that fires, or that is over."""
    return lambda post: post["groupLabels"].get("alertname") == alertname and post["status"] == status
