"""Reading stretches of topics outside the consumer group: the ledger at take-over, sends of the past, whole topics.

Belongs here: where one partition begins and ends, reading [from, to) of it. Not here: following topics
(`registries.py`, `worker.py`, `follow.py`), what is read it for.

Some servers tell too early an end when only asked for it; the high watermark that comes with a fetch is right.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

NEAR = 100
FETCH_MS = 500
STALL_SECONDS = 15.0
TURNS = 10


class LogReader:
    """One groupless consumer that reads one stretch at a time."""

    def __init__(self, consumer: AIOKafkaConsumer, stall_seconds: float = STALL_SECONDS) -> None:
        """Bind a started consumer without a group, which nobody else uses.

        Its calls raise KafkaTimeoutError where nothing comes for so many seconds.
        """
        self._consumer = consumer
        self._stall_seconds = stall_seconds
        self._turn = asyncio.Lock()

    async def read(
        self, topic: str, partition: int, start: int = 0, end: int | None = None
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of [start, end), in batches; what retention has deleted is left out.

        `end` None: to the end as it is now.
        """
        async with self._assigned(topic, partition) as place:
            first = await self._first(place)
            end = await self._end(place, first) if end is None else end
            self._consumer.seek(place, max(start, first))
            async for fetched in self._fetch(place, end):
                records = [record for record in fetched if record.offset < end]
                if records:
                    yield records

    async def one(self, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
        """The record at an offset; None where there is none, or none yet."""
        first, end = await self.bounds(topic, partition)
        found = await self.pick(topic, partition, {offset}) if first <= offset < end else ()
        return found[0] if found else None

    async def pick(self, topic: str, partition: int, offsets: Collection[int]) -> list[ConsumerRecord]:
        """The records at these offsets, as far as they are there; those that lie near each other in one go."""
        found: list[ConsumerRecord] = []
        for start, end in stretches(offsets):
            async for records in self.read(topic, partition, start, end):
                found += [record for record in records if record.offset in offsets]
        return found

    async def first(self, topic: str, partition: int) -> int:
        """The first offset that is still there."""
        return await self._first(TopicPartition(topic, partition))

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset that is still there, and the next that will be written."""
        async with self._assigned(topic, partition) as place:
            first = await self._first(place)
            return first, await self._end(place, first)

    @asynccontextmanager
    async def _assigned(self, topic: str, partition: int) -> AsyncIterator[TopicPartition]:
        place = TopicPartition(topic, partition)
        async with self._turn:
            try:
                self._consumer.assign([place])
                yield place
            finally:
                await let_go(self._consumer)

    async def _first(self, place: TopicPartition) -> int:
        return int((await self._consumer.beginning_offsets([place]))[place])

    async def _end(self, place: TopicPartition, first: int) -> int:
        """What is told, or what the fetch of the last record that is told of shows to be there."""
        told = int((await self._consumer.end_offsets([place]))[place])
        if told <= first:
            return first
        self._consumer.seek(place, told - 1)
        give_up_at = time.monotonic() + self._stall_seconds
        while (end := self._consumer.highwater(place)) is None:
            if time.monotonic() > give_up_at:
                raise KafkaTimeoutError(f"{place.topic}/{place.partition}: nothing comes at offset {told - 1}")
            await self._consumer.getmany(place, timeout_ms=FETCH_MS, max_records=1)
        return max(told, int(end))

    async def _fetch(self, place: TopicPartition, end: int) -> AsyncIterator[Sequence[ConsumerRecord]]:
        position, moved_at = await self._consumer.position(place), time.monotonic()
        while position < end:
            fetched = await self._consumer.getmany(place, timeout_ms=FETCH_MS)
            yield fetched.get(place, ())
            before, position = position, await self._consumer.position(place)
            if position > before:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > self._stall_seconds:
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
