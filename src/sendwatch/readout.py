"""Partitions read from an offset to their end as it is now: without a group, nothing committed.

Belongs here: where a partition ends, and reading up to there. Not here: what is read it for (`evidence/`, `archive/`,
`report/`), following what comes (`follow.py`).
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from sendwatch.kafka import connection, topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka import ConsumerRecord

    from sendwatch.settings import Settings

WAIT_MS = 200
PATIENCE = 60.0


class StalledError(Exception):
    """A partition could not be read to the end that it told; the message names it."""


class Readout:
    """Every topic of an installation, a stretch at a time."""

    def __init__(self, consumer: Any, settings: Settings, listed: dict[str, int]) -> None:
        """Bind a started consumer without a group; `listed`: the number of partitions by topic name."""
        self._consumer = consumer
        self._settings = settings
        self._listed = listed

    def partitions(self, kind: str) -> int:
        """How many partitions the topic of a kind has; 0: there is none."""
        return self._listed.get(self._settings.topics.name(kind), 0)

    async def first(self, kind: str, number: int) -> int:
        """The first offset that is still there."""
        place = self._place(kind, number)
        return int((await self._consumer.beginning_offsets([place]))[place])

    async def at(self, kind: str, number: int, at: int) -> int:
        """The first offset whose record has that time (ms) or a later one; where there is none, the end."""
        place = self._place(kind, number)
        found = (await self._consumer.offsets_for_times({place: max(at, 0)})).get(place)
        if found is not None:
            return int(found.offset)
        return int((await self._consumer.end_offsets([place]))[place])

    async def read(
        self, kind: str, number: int, start: int = 0, end: int | None = None
    ) -> AsyncIterator[Sequence[ConsumerRecord]]:
        """The records of [start, end), in batches; `end` None: to the end as it is now. Raises StalledError."""
        if not self.partitions(kind):
            return
        consumer, place = self._consumer, self._place(kind, number)
        start = max(start, await self.first(kind, number))
        last = int((await consumer.end_offsets([place]))[place])
        last = last if end is None else min(end, last)
        consumer.assign([place])
        consumer.seek(place, start)
        moved_at, position, looked = time.monotonic(), -1, False
        while position < last or not looked:
            records = (await consumer.getmany(place, timeout_ms=WAIT_MS)).get(place, ())
            if records:
                yield records if end is None else [record for record in records if record.offset < end]
            if end is None:  # some servers tell too early an end when only asked for it; a fetch tells the right one
                last, looked = max(last, consumer.highwater(place) or 0), True
            looked = looked or end is not None
            if (now := await consumer.position(place)) != position:
                moved_at, position = time.monotonic(), now
            elif position < last and time.monotonic() - moved_at > PATIENCE:
                raise StalledError(f"{place.topic}/{place.partition}: offsets [{position}, {last}) do not come")
        consumer.unsubscribe()  # or it would go on fetching what nobody reads

    def _place(self, kind: str, number: int) -> TopicPartition:
        return TopicPartition(self._settings.topics.name(kind), number)


@asynccontextmanager
async def reading(settings: Settings, doing: str) -> AsyncIterator[Readout]:
    """The installation's topics, for reading. Raises CannotConnectError."""
    async with topics.admin(settings, doing, lambda _: None) as client:
        listed = {one["topic"]: len(one["partitions"]) for one in await client.describe_topics()}
    options = connection.client_options(settings.kafka)
    consumer = AIOKafkaConsumer(
        **options, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=WAIT_MS
    )
    await consumer.start()
    try:
        yield Readout(consumer, settings, listed)
    finally:
        await consumer.stop()
