"""Reading stretches of topics outside the consumer group: the ledger at take-over, sends of the past.

Belongs here: reading [from, to) of one partition. Not here: following topics (`registries.py`, `worker.py`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord


class LogReader:
    """One groupless consumer that reads one stretch at a time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Bind a started consumer without a group."""
        self._consumer = consumer
        self._turn = asyncio.Lock()

    async def read(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of [start, end), in batches; what retention has deleted is left out."""
        place = TopicPartition(topic, partition)
        async with self._turn:
            self._consumer.assign([place])
            first = (await self._consumer.beginning_offsets([place]))[place]
            self._consumer.seek(place, max(start, first))
            while await self._consumer.position(place) < end:
                fetched = await self._consumer.getmany(place, timeout_ms=500)
                records = [record for record in fetched.get(place, ()) if record.offset < end]
                if records:
                    yield records
            self._consumer.unsubscribe()  # or it would go on fetching what nobody reads

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the next that will be written."""
        place = TopicPartition(topic, partition)
        first = await self._consumer.beginning_offsets([place])
        last = await self._consumer.end_offsets([place])
        return first[place], last[place]
