"""Checking a campaign from the command line: against a server, or by the topics alone.

Belongs here: the two ways to an answer. Not here: the table (`sheet.py`), the terminal (`cli/desk.py`).
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from sendwatch.desk.check import CannotCheckError, Checker
from sendwatch.desk.named import named
from sendwatch.desk.say_check import CheckAnswer
from sendwatch.engine.judging import REGISTRY_KINDS, prepare
from sendwatch.kafka import clients, connection
from sendwatch.kafka.log_reader import LogReader
from sendwatch.worker.registries import Registries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sendwatch.desk.ask import Campaign
    from sendwatch.settings import Settings

    Check = Callable[[Campaign], Awaitable[CheckAnswer]]

FETCH_MS = 200
ANSWER_SECONDS = 120.0


@asynccontextmanager
async def by_server(address: str, token: str | None, progress: Callable[[int], None]) -> AsyncIterator[Check]:
    """Ask the desk at an address."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(ANSWER_SECONDS), headers=headers) as session:

        async def check(campaign: Campaign) -> CheckAnswer:
            url = f"{address.rstrip('/')}/v1/check"
            try:
                async with session.post(url, data=msgspec.json.encode(campaign)) as response:
                    told = await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                raise CannotCheckError(f"{address} does not answer: {type(error).__name__}") from error
            if response.status != 200:
                raise CannotCheckError(f"{address}: {response.status}: {_detail(told)}")
            progress(len(campaign.recipients))
            return msgspec.json.decode(told, type=CheckAnswer)

        yield check


def _detail(told: bytes) -> str:
    try:
        return str(msgspec.json.decode(told)["detail"])
    except (msgspec.DecodeError, LookupError, TypeError):
        return "no reason given"


@asynccontextmanager
async def by_topics(settings: Settings, progress: Callable[[int], None]) -> AsyncIterator[Check]:
    """Ask the topics: registries first, then of each partition what its recipients' records say."""
    judging = prepare(settings)
    options = await connection.reach(settings.kafka, "checking a campaign")
    names = {kind: settings.topics.name(kind) for kind in REGISTRY_KINDS}
    wait = {"fetch_max_wait_ms": FETCH_MS}
    async with clients.consumer(options, **wait) as following, clients.consumer(options, **wait) as aside:
        registries = Registries(following, judging, names)
        await registries.start()
        while not registries.caught_up:
            await registries.follow(FETCH_MS)
        yield Checker(settings, judging, named(judging), None, LogReader(aside), None, None, progress).check
