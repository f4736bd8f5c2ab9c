"""The pages of a process on its own port: whether it is healthy, whether it is ready, its metrics.

Belongs here: these pages, and the server that they are on. Not here: what they say (`app.py`, `metrics.py`), what a
worker is asked about recipients (`worker/lookup.py`), the desk's page (`desk/`).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Protocol

from faust.web.drivers.aiohttp import Web

from sendwatch import scrape

if TYPE_CHECKING:
    from faust.web import Response

    from sendwatch.metrics import Metrics


class Shown(Protocol):
    """What the pages tell about."""

    metrics: Metrics

    @property
    def healthy(self) -> bool:
        """Whether it goes round."""

    @property
    def ready(self) -> bool:
        """Whether it does what it is there for."""


class Pages(Web):  # type: ignore[misc]
    """Faust's web server, with a short way to the metrics."""

    _listening: asyncio.Server | None = None

    async def start_server(self) -> None:
        """Listen; whoever wants more than the metrics gets to aiohttp."""
        await self._runner.setup()
        others, answers = self._runner.server, scrape.Answers(self.app.live.metrics)
        self._entered: set[scrape.Entrance] = set()
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: scrape.Entrance(answers, others, self._entered), self.app.conf.web_bind, self.app.conf.web_port
        )

    async def stop_server(self) -> None:
        """Let nobody in any more, and end what is open."""
        if self._listening is not None:
            self._listening.close()
            for each in tuple(self._entered):
                each.close()
        await super().stop_server()


def add(app: Any, live: Shown) -> None:
    """Add the pages that every process has; the metrics also for those who don't ask for them plainly."""

    async def healthy(view: Any, _request: Any) -> Response:
        return view.json({"healthy": live.healthy}, status=200 if live.healthy else 503)

    async def ready(view: Any, _request: Any) -> Response:
        return view.json({"ready": live.ready}, status=200 if live.ready else 503)

    async def metrics(view: Any, request: Any) -> Response:
        small = scrape.takes_gzip(request.headers.get("Accept-Encoding", ""))
        page = live.metrics.recent_page(time.monotonic(), small=small)
        return view.bytes(page, headers=scrape.headers(small=small))

    app.page("/-/healthy")(healthy)
    app.page("/-/ready")(ready)
    app.page(scrape.PATH)(metrics)
