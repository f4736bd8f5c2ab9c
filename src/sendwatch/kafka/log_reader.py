"""Reading stretches of topics outside the consumer group: the ledger at take-over, sends of the past.

Belongs here: reading [from, to) of one partition. Not here: following topics (`registries.py`, `worker.py`).
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

NEAR = 100
STALL_SECONDS = 15.0
TURNS = 10


class LogReader:
    """One groupless consumer that reads one stretch at a time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Bind a started consumer without a group."""
        self._consumer = consumer
        self._turn = asyncio.Lock()

    async def read(self, topic: str, partition: int, start: int, end: int) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of [start, end), in batches; what retention has deleted is left out.

        Raises KafkaTimeoutError where nothing comes for `STALL_SECONDS`.
        """
        place = TopicPartition(topic, partition)
        async with self._turn:
            try:
                self._consumer.assign([place])
                first = (await self._consumer.beginning_offsets([place]))[place]
                self._consumer.seek(place, max(start, first))
                async for fetched in self._fetch(place, end):
                    records = [record for record in fetched if record.offset < end]
                    if records:
                        yield records
            finally:
                await let_go(self._consumer)

    async def pick(self, topic: str, partition: int, offsets: Collection[int]) -> list[ConsumerRecord]:
        """The records at these offsets, as far as they are there; those that lie near each other in one go."""
        found: list[ConsumerRecord] = []
        for start, end in stretches(offsets):
            async for records in self.read(topic, partition, start, end):
                found += [record for record in records if record.offset in offsets]
        return found

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the next that will be written."""
        place = TopicPartition(topic, partition)
        first = await self._consumer.beginning_offsets([place])
        last = await self._consumer.end_offsets([place])
        return first[place], last[place]

    async def _fetch(self, place: TopicPartition, end: int) -> AsyncIterator[Sequence[ConsumerRecord]]:
        position, moved_at = await self._consumer.position(place), time.monotonic()
        while position < end:
            fetched = await self._consumer.getmany(place, timeout_ms=500)
            yield fetched.get(place, ())
            before, position = position, await self._consumer.position(place)
            if position > before:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > STALL_SECONDS:
                raise KafkaTimeoutError(f"{place.topic}/{place.partition}: nothing comes at offset {position} of {end}")


async def let_go(consumer: AIOKafkaConsumer) -> None:
    """Unsubscribe, or it would go on fetching what nobody reads; and wait until it has noticed.

    While aiokafka's fetcher ends its requests, it takes being cancelled itself for one of these: a consumer that is
    stopped then never ends. It needs a few turns of the loop, and no time.
    """
    consumer.unsubscribe()
    for _ in range(TURNS):
        await asyncio.sleep(0)


def stretches(offsets: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Stretches [from, to) that hold these offsets; what lies less than `NEAR` apart is read together."""
    start = end = -1
    for offset in sorted(offsets):
        if start >= 0 and offset - end < NEAR:
            end = offset + 1
            continue
        if start >= 0:
            yield start, end
        start, end = offset, offset + 1
    if start >= 0:
        yield start, end
