"""The workers, as the desk asks them: who owns which partition, and what they say of planned and judged sends.

Belongs here: finding them, asking, and what it means when they don't answer. Not here: what is asked (`check.py`), and
what they do to answer (`worker/lookup.py`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
import msgspec
from aiokafka.errors import KafkaError
from msgspec import Struct

from sendwatch.desk.say_counts import WorkerView
from sendwatch.engine.planned import Answered
from sendwatch.kafka import topics
from sendwatch.kafka.connection import CannotConnectError
from sendwatch.kafka.group import addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.engine.planned import Lookup
    from sendwatch.settings import Settings
    from sendwatch.worker.lookup import Judged

log = logging.getLogger("sendwatch.desk")

Answer = TypeVar("Answer")

ASK_SECONDS, LOOK_SECONDS = 15.0, 2.0
TRIES, PAUSE_SECONDS = 4, 0.25
PASSING = frozenset({409, 503})


class CannotAskError(Exception):
    """Nobody who owns the partition answered; the message says why in a word or two."""


class Owns(Struct, frozen=True):
    """What a worker says of itself."""

    name: str
    ready: bool
    partitions: list[int]


class Workers:
    """The workers that answered lately."""

    def __init__(self, settings: Settings) -> None:
        """Nobody is known."""
        self._settings = settings
        key = settings.desk.lookup_key
        self._headers = {"Authorization": f"Bearer {key.reveal()}"} if key is not None else {}
        self._headers["Content-Type"] = "application/json"
        self._session: aiohttp.ClientSession | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: tuple[str, ...] = ()
        self.known: list[WorkerView] = []

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()

    async def look(self) -> None:
        """See who is there, and what each owns."""
        addresses_ = await self._addresses()
        found = await asyncio.gather(*(self._owned(each) for each in addresses_))
        self.known = sorted((each for each in found if each is not None), key=lambda each: each.address)

    def owner(self, partition: int) -> str | None:
        """The address of the worker that answers for a partition."""
        return next((each.address for each in self.known if partition in each.partitions), None)

    async def planned(self, ask: Lookup) -> Answered:
        """What the owner says of planned sends; raises CannotAskError."""
        return await self._ask(ask.partition, "/-/planned", ask, Answered)

    async def explained(self, ask: Judged) -> dict[str, Any]:
        """What the owner says of a judged send; raises CannotAskError."""
        return await self._ask(ask.partition, "/-/explained", ask, dict[str, Any])

    async def _ask(self, partition: int, path: str, ask: Any, answer: type[Answer]) -> Answer:
        """Ask the owner, more than once where it may be only a moment: it is busy, or shares move."""
        body, why = msgspec.json.encode(ask), "no_worker"
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(PAUSE_SECONDS * attempt)
                await self.look()
            address = self.owner(partition)
            if address is None:
                continue
            try:
                async with (
                    self._turns.setdefault(address, asyncio.Lock()),
                    self._connected().post(
                        address + path, data=body, headers=self._headers, timeout=aiohttp.ClientTimeout(ASK_SECONDS)
                    ) as response,
                ):
                    told = await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                why = type(error).__name__
                continue
            if response.status == 200:
                return msgspec.json.decode(told, type=answer)
            why = _why(told)
            if response.status not in PASSING:
                break
        raise CannotAskError(why)

    async def _owned(self, address: str) -> WorkerView | None:
        timeout = aiohttp.ClientTimeout(LOOK_SECONDS)
        try:
            async with self._connected().get(f"{address}/-/owned", headers=self._headers, timeout=timeout) as response:
                told = await response.read()
            owns = msgspec.json.decode(told, type=Owns)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
            return None
        return WorkerView(address, owns.name, owns.partitions, owns.ready)

    async def _addresses(self) -> Sequence[str]:
        """As configured, or as the members of the group tell; as before where nobody tells now."""
        if self._settings.desk.workers:
            return self._settings.desk.workers
        if len(self.known) < len(self._told) or not self._told or not self._all_owned():
            try:
                async with topics.admin(self._settings, "asking who the workers are", lambda _: None) as client:
                    told = await addresses(client, self._settings.kafka.group)
            except (KafkaError, CannotConnectError, OSError) as error:
                log.debug("the group does not tell who its workers are", extra={"error": repr(error)})
            else:
                self._told = tuple(sorted(f"http://{each}" for each in told))
        return self._told

    def _all_owned(self) -> bool:
        owned = {number for each in self.known for number in each.partitions}
        return len(owned) == self._settings.topics.partitions

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session


def _why(told: bytes) -> str:
    try:
        return str(msgspec.json.decode(told, type=dict[str, Any]).get("why", "refused"))
    except msgspec.DecodeError:
        return "refused"
