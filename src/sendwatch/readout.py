"""An installation's topics by their kinds, read as far as they are there now: without a group, nothing committed.

Belongs here: a consumer for it, and which topics there are. Not here: reading a partition (`kafka/log_reader.py`), what
is read it for (`evidence/`, `archive/`, `report/`), following what comes (`follow.py`).
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from sendwatch.kafka import clients, connection, topics
from sendwatch.kafka.log_reader import LogReader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.settings import Settings

WAIT_MS = 200
PATIENCE = 60.0


class Readout:
    """Every topic of an installation, a stretch at a time. Raises KafkaTimeoutError where one does not come."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings, listed: dict[str, int]) -> None:
        """Bind a started consumer without a group; `listed`: the number of partitions by topic name."""
        self._consumer = consumer
        self._reader = LogReader(consumer, PATIENCE)
        self._settings = settings
        self._listed = listed

    def partitions(self, kind: str) -> int:
        """How many partitions the topic of a kind has; 0: there is none."""
        return self._listed.get(self._settings.topics.name(kind), 0)

    async def first(self, kind: str, number: int) -> int:
        """The first offset that is still there."""
        return await self._reader.first(self._settings.topics.name(kind), number)

    async def at(self, kind: str, number: int, at: int) -> int:
        """The first offset whose record has that time (ms) or a later one; where there is none, the end."""
        place = TopicPartition(self._settings.topics.name(kind), number)
        found = (await self._consumer.offsets_for_times({place: max(at, 0)})).get(place)
        return int(found.offset) if found is not None else (await self._reader.bounds(*place))[1]

    async def read(
        self, kind: str, number: int, start: int = 0, end: int | None = None
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of [start, end), in batches, as far as they are there; `end` None: to the end as it is now."""
        if not self.partitions(kind):
            return
        name = self._settings.topics.name(kind)
        if end is not None:
            end = min(end, (await self._reader.bounds(name, number))[1])
        async for records in self._reader.read(name, number, start, end):
            yield records


@asynccontextmanager
async def reading(settings: Settings, doing: str) -> AsyncIterator[Readout]:
    """The installation's topics, for reading. Raises CannotConnectError."""
    async with topics.admin(settings, doing, lambda _: None) as client:
        listed = {one["topic"]: len(one["partitions"]) for one in await client.describe_topics()}
    options = connection.client_options(settings.kafka)
    consumer = clients.consumer(options, auto_offset_reset="earliest", fetch_max_wait_ms=WAIT_MS)
    await consumer.start()
    try:
        yield Readout(consumer, settings, listed)
    finally:
        await consumer.stop()
