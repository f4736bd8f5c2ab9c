"""Waiting for Kafka: what can pass is waited for and told, what cannot is raised, and a stop ends every wait.

Belongs here: which errors can pass, how long the pauses are, what is logged and counted of them. Not here: what is
done anew after an error (`worker.py`, `commit.py`).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeVar

from aiokafka.errors import (
    BrokerNotAvailableError,
    KafkaError,
    KafkaTimeoutError,
    KafkaUnavailableError,
    ReplicaNotAvailableError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sendwatch.metrics import Metrics

log = logging.getLogger("sendwatch.worker")

Answer = TypeVar("Answer")
Doing = Literal["publish", "append", "take_over", "read", "look"]

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
SENTENCES: dict[Doing, str] = {
    "publish": "Kafka does not take what is to be written",
    "append": "Kafka does not take what is to be written",
    "take_over": "Kafka does not let partitions be taken over",
    "read": "Kafka does not give what is to be read",
    "look": "Kafka does not tell where the topics end",
}
PASSING = (KafkaTimeoutError, KafkaUnavailableError, BrokerNotAvailableError, ReplicaNotAvailableError)


class StoppedError(Exception):
    """The worker is to stop, and Kafka does not answer: what is under way is given up, nothing of it was applied."""


def passes(error: BaseException) -> bool:
    """Whether trying again may help; what aiokafka calls retriable, and a few that it does not."""
    return isinstance(error, KafkaError) and (bool(error.retriable) or isinstance(error, PASSING))


class Patience:
    """One worker's waiting; `servers` is what its log lines name, `stopping` what ends it."""

    def __init__(self, servers: str, metrics: Metrics) -> None:
        """Nothing is awaited yet."""
        self._servers = servers
        self._metrics = metrics
        self._pauses: dict[Doing, float] = {}
        self.stopping = asyncio.Event()

    async def insist(
        self, doing: Doing, where: str, attempt: Callable[[], Awaitable[Answer]], *, flags: int = 0
    ) -> Answer:
        """Try until Kafka answers. Raises what cannot pass, and StoppedError where a stop comes first."""
        while True:
            try:
                answer = await attempt()
            except KafkaError as error:
                self.tell(doing, where, error, flags=flags)
            else:
                self.relax(doing)
                return answer
            await self.pause(doing)

    def tell(self, doing: Doing, where: str, error: KafkaError, *, flags: int = 0) -> None:
        """Log and count an error that can pass; raise any other."""
        if not passes(error):
            raise error
        self._metrics.kafka_failed(doing, flags)
        told = {"doing": doing, "where": where, "servers": self._servers}
        error_told = "; ".join([repr(error), *getattr(error, "__notes__", ())])
        log.error("%s; trying again, nothing is lost", SENTENCES[doing], extra={**told, "error": error_told})

    async def pause(self, doing: Doing) -> None:
        """Wait before the next attempt, longer each time. Raises StoppedError when stopped meanwhile."""
        seconds = self._pauses.get(doing, FIRST_PAUSE)
        self._pauses[doing] = min(seconds * 2, LONGEST_PAUSE)
        await self.rest(seconds)
        if self.stopping.is_set():
            raise StoppedError

    def relax(self, doing: Doing) -> None:
        """It has worked: the next error begins with a short pause again."""
        self._pauses.pop(doing, None)

    async def rest(self, seconds: float) -> None:
        """Wait that long, or until stopped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
