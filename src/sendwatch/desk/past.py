"""Reading what lies in the topics, from outside and reading only: one record, or a partition to its end.

Belongs here: one consumer without a group, used by one reader at a time. Not here: what the records mean
(`offline.py`).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

FETCH_MS = 200
ONE_SECONDS, STALL_SECONDS = 2.0, 15.0


class Past:
    """Bound to a started consumer without a group, which nobody else uses."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Nothing is read yet."""
        self._consumer = consumer
        self._turn = asyncio.Lock()

    async def one(self, topic: str, number: int, offset: int) -> ConsumerRecord | None:
        """The record at an offset; None where there is none, or none yet."""
        place = TopicPartition(topic, number)
        async with self._turn:
            if (await self._consumer.beginning_offsets([place]))[place] > offset:
                return None
            try:
                self._consumer.assign([place])
                self._consumer.seek(place, offset)
                give_up_at = time.monotonic() + ONE_SECONDS
                while time.monotonic() < give_up_at:
                    fetched = await self._consumer.getmany(place, timeout_ms=FETCH_MS, max_records=1)
                    for record in fetched.get(place, ()):
                        return record if record.offset == offset else None
            finally:
                self._consumer.unsubscribe()
        return None

    async def count(self, topic: str, number: int) -> int:
        """About how many records a partition has."""
        place = TopicPartition(topic, number)
        first = await self._consumer.beginning_offsets([place])
        last = await self._consumer.end_offsets([place])
        return int(last[place] - first[place])

    async def all(self, topic: str, number: int) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of a partition up to where it ends now; raises KafkaTimeoutError where they do not come."""
        place = TopicPartition(topic, number)
        async with self._turn:
            consumer = self._consumer
            try:
                consumer.assign([place])
                first = (await consumer.beginning_offsets([place]))[place]
                end = (await consumer.end_offsets([place]))[place]
                consumer.seek(place, first)
                position, moved_at = first, time.monotonic()
                while position < end:
                    yield (await consumer.getmany(place, timeout_ms=FETCH_MS)).get(place, ())
                    end = max(end, consumer.highwater(place) or 0)  # some servers tell too early an end when asked
                    before, position = position, await consumer.position(place)
                    if position > before:
                        moved_at = time.monotonic()
                    elif time.monotonic() - moved_at > STALL_SECONDS:
                        raise KafkaTimeoutError(f"{topic}/{number}: nothing comes at offset {position} of {end}")
            finally:
                consumer.unsubscribe()  # or it would go on fetching what nobody reads
