"""Following a topic that is published, as anybody may: no group, nothing committed, from a time or from now on.

Belongs here: where reading begins and when it ends. Not here: what is wanted of it and how it is shown
(`report/records.py`).
"""

from __future__ import annotations

import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka import TopicPartition

from sendwatch.days import instant
from sendwatch.kafka import clients, connection, topics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiokafka import ConsumerRecord

    from sendwatch.settings import Settings

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
WAIT_MS: Final = 500

ago = re.compile(r"(\d+)([smhd])")


class NoSuchTopicError(Exception):
    """The topic is not there. The message says which, and what to do."""


def since(text: str, now: float | None = None) -> int:
    """The time, in ms, that `15m`, `2h`, `7d`, `beginning`, or an ISO date and time (UTC+8 without a zone) stands for.

    Raises ValueError.
    """
    if text == "beginning":
        return 0
    if found := ago.fullmatch(text):
        return int(((time.time() if now is None else now) - int(found[1]) * UNITS[found[2]]) * 1000)
    return instant(text)


async def follow(settings: Settings, kind: str, from_at: int | None, *, to_end: bool) -> AsyncIterator[ConsumerRecord]:
    """The records of a topic kind from a time on (ms; None: from now), those of one look in the order of their times.

    `to_end`: only up to what is there now. Raises NoSuchTopicError, CannotConnectError, and errors of Kafka.
    """
    async with reading(settings, kind) as (consumer, places):
        ends = await consumer.end_offsets(places) if to_end else {}
        await _seek(consumer, places, from_at)
        while True:
            fetched = await consumer.getmany(timeout_ms=WAIT_MS)
            for record in sorted((each for some in fetched.values() for each in some), key=lambda each: each.timestamp):
                yield record
            if to_end and not fetched and not await _short_of(consumer, ends):
                return


@asynccontextmanager
async def reading(settings: Settings, kind: str) -> AsyncIterator[tuple[Any, list[TopicPartition]]]:
    """A consumer without a group, given all partitions of the topic."""
    name = settings.topics.name(kind)
    async with topics.admin(settings, f"reading {name}", lambda _: None) as client:
        listed = {one["topic"]: one["partitions"] for one in await client.describe_topics()}
    if name not in listed:
        raise NoSuchTopicError(f"no such topic: {name}. Is the prefix right, may this user read it?")
    places = [TopicPartition(name, number) for number in range(len(listed[name]))]
    options = connection.client_options(settings.kafka)
    async with clients.consumer(options, auto_offset_reset="earliest", fetch_max_wait_ms=WAIT_MS) as consumer:
        consumer.assign(places)
        yield consumer, places


async def _seek(consumer: Any, places: list[TopicPartition], from_at: int | None) -> None:
    """Explicitly: what the consumer looks up by itself after an assignment would undo a mere wish for the beginning."""
    if from_at == 0:
        starts = await consumer.beginning_offsets(places)
    else:
        starts = await consumer.end_offsets(places)
        if from_at is not None:
            found = await consumer.offsets_for_times(dict.fromkeys(places, from_at))
            starts |= {place: at.offset for place, at in found.items() if at is not None}
    for place, offset in starts.items():
        consumer.seek(place, offset)


async def _short_of(consumer: Any, ends: dict[TopicPartition, int]) -> bool:
    for place, end in ends.items():
        # the embedded broker tells too early an end when only asked for it; a fetch tells the right one
        if await consumer.position(place) < max(end, consumer.highwater(place) or 0):
            return True
    return False
