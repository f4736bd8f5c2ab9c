"""The simulated carrier live: its registries and consents, then its sends, into the topics that a configuration names.

Belongs here: which story is told, and when each of its messages is due. Not here: the story (`story.py`), batches
(`write.py`), making topics (`sendwatch topics apply`).

Started now, a story runs by the clock: a day of it takes a day, by night there is less than by day, and the rate is
its mean. Then the next day follows in the same world. A story of another time is told at an even rate, once.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiokafka.errors import InvalidTimestampError
from msgspec import Struct

from sendwatch.days import instant
from sendwatch.kafka import clients, connection, topics
from sendwatch.simulate.story import Story
from sendwatch.simulate.traffic import Traffic
from sendwatch.simulate.truth import Message, Truth
from sendwatch.simulate.write import pour
from sendwatch.topics import declared

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from aiokafka import AIOKafkaProducer

    from sendwatch.settings import Settings

DAY_SECONDS: Final = 86_400
MOST_A_SECOND: Final = 10_000
FOLDED_A_SECOND: Final = 10_000  # facts that a worker reads in a second, at least
BREATH: Final = 0.1  # seconds
MOST_AT_ONCE: Final = 1_000
LATEST: Final = 2_000  # ms after a send at which it still counts as written at once
BATCHES: Final[dict[str, Any]] = {"compression_type": "lz4", "max_batch_size": 1 << 19}


class Wish(Struct, frozen=True):
    """What the caller asked for. `rate`: sends a second; `sends` None: without end; `start_at` None: now."""

    rate: float = 20.0
    seed: int = 1
    sends: int | None = None
    start_at: int | None = None
    recipients: int = 20_000
    owners: int = 2_000


class CannotSimulateError(Exception):
    """The topics are not such that a story could be told. The message says why, and what to do."""


async def run(settings: Settings, wish: Wish, tell: Callable[[str], None]) -> int:
    """Tell stories until there have been as many sends as wished for; returns how many.

    Raises CannotSimulateError, CannotConnectError.
    """
    await check(settings, wish)
    try:
        return await _tell(settings, wish, tell)
    except InvalidTimestampError:
        raise CannotSimulateError(
            "Kafka refuses times more than an hour ahead (message.timestamp.after.max.ms): start at least a week ago."
        ) from None


async def _tell(settings: Settings, wish: Wish, tell: Callable[[str], None]) -> int:
    async with writing(settings) as (producer, names, partitions):
        written = 0
        while wish.sends is None or written < wish.sends:
            story = story_of(wish, settings, now() if wish.start_at is None else wish.start_at)
            facts = await pour(story.facts(), producer, names, partitions)
            tell(f"{facts:,} registry rows and consents written; now sends, {wish.rate:g} a second")
            left = None if wish.sends is None else wish.sends - written
            if wish.start_at is not None:
                return await pour(islice(sends_of(story), left), producer, names, partitions, wish.rate)
            await asyncio.sleep(facts / FOLDED_A_SECOND)  # or the first sends would be judged late
            sends = islice(still_due(sends_of(story), now()), left)
            written += await by_the_clock(sends, lambda some: pour(some, producer, names, partitions))
        return written


async def check(settings: Settings, wish: Wish) -> None:
    """Raise CannotSimulateError where a topic is missing or made otherwise, or such a story would be refused."""
    if wish.start_at is not None and settings.topics.timestamps != "producer":
        raise CannotSimulateError(
            'topics.timestamps is "broker": sends of another time would arrive now and be judged as such. '
            'Set it to "producer" and make the topics anew, or start now.'
        )
    found = await topics.survey(settings)
    missing = [change.topic.name for change in found.changes if change.need == "create"]
    if missing:
        raise CannotSimulateError(f"no such topics: {', '.join(missing)}. Make them: sendwatch topics apply")
    if found.refusals:
        raise CannotSimulateError("\n".join(found.refusals))


def story_of(wish: Wish, settings: Settings, start_at: int) -> Story:
    """A day of the clock, or the week of another time."""
    days = 1 if wish.start_at is None else 7
    count = int(wish.rate * DAY_SECONDS * days) if wish.start_at is None or wish.sends is None else wish.sends
    return Story(
        wish.seed,
        count,
        recipients=wish.recipients,
        owners=wish.owners,
        start_at=start_at,
        days=days,
        partitions=settings.topics.partitions,
        recipient_form=settings.recipients.form,
        neighbours=True,
        replies=True,
        long_messages=True,
    )


def sends_of(story: Story) -> Iterator[Message]:
    """The story's sends, under ids that no story of another start has: else they would be in conflict."""
    traffic = Traffic(story.world, Truth())
    traffic.made = story.settings.start_at // 1000 * MOST_A_SECOND
    return traffic.messages()


def still_due(messages: Iterable[Message], at: int) -> Iterator[Message]:
    """What was not due long before a time: while the facts were written, the clock went on."""
    return (message for message in messages if due_at(message) >= at - LATEST)


async def by_the_clock(
    messages: Iterable[Message],
    write: Callable[[list[Message]], Any],
    clock: Callable[[], int] | None = None,
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> int:
    """Write each message when its time has come, as of then; returns how many."""
    clock = clock or now
    waiting: list[Message] = []
    written = 0
    for message in messages:
        due = due_at(message)
        while due > clock() or len(waiting) == MOST_AT_ONCE:
            if waiting:
                written += await write(waiting)
                waiting = []
            if due > clock():
                await sleep(BREATH)
        waiting.append(msgspec.structs.replace(message, timestamp=clock()))
    return written + (await write(waiting) if waiting else 0)


class Dated(Struct):
    """What is looked at of a send."""

    sent_at: int


read = msgspec.json.Decoder(Dated).decode


def due_at(message: Message) -> int:
    """When a message is due, in ms: a send when it is sent, what comes late on purpose (or cannot be read) later."""
    try:
        sent_at = read(message.value or b"").sent_at
    except msgspec.MsgspecError:
        return message.timestamp
    return sent_at if 0 <= message.timestamp - sent_at <= LATEST else message.timestamp


async def write(
    messages: Iterable[Message],
    settings: Settings,
    rate: float | None = None,
    acknowledged: Callable[[str, int], None] | None = None,
) -> int:
    """Write messages to the topics of a configuration; returns how many."""
    async with writing(settings) as (producer, names, partitions):
        return await pour(messages, producer, names, partitions, rate, acknowledged)


@asynccontextmanager
async def writing(settings: Settings) -> AsyncIterator[tuple[AIOKafkaProducer, dict[str, str], dict[str, int]]]:
    """A producer, and by kind the topics' names and numbers of partitions."""
    wanted = declared(settings.topics)
    options = connection.client_options(settings.kafka)
    async with clients.producer(options, idempotence=settings.kafka.idempotence, **BATCHES) as producer:
        yield producer, {each.kind: each.name for each in wanted}, {each.kind: each.partitions for each in wanted}


def moment(text: str) -> int | None:
    """The time that `now` or an ISO date and time stands for, in ms; None is now. Without a zone it is UTC+8.

    Raises ValueError.
    """
    return None if text == "now" else instant(text)


def now() -> int:
    """The clock, in ms."""
    return int(time.time() * 1000)
