"""What Kafka holds for an audit: partition by partition, first what came out, then what went in. Read-only, no group.

Belongs here: which stretches of which topics are read, and what published records say. Not here: any judgement.

The ledger is read before anything else, and inputs no further than it accounts for them: so the audit of a system at
work is about one moment. Flags that were published since are about later sends, and are left out.
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from aiokafka import TopicPartition
from msgspec import Struct

from sendwatch.audit.books import Pages, decode
from sendwatch.audit.compare import Seen
from sendwatch.audit.compute import FOREVER, Recalled, Span
from sendwatch.audit.expected import Flagged
from sendwatch.audit.logs import RECIPIENT_KINDS
from sendwatch.days import DAY, HOUR
from sendwatch.events import REGISTRIES
from sendwatch.kafka import clients
from sendwatch.kafka.connection import client_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.settings import Settings

LOOKBACK = 8 * DAY
"""How long before the span, less the window, a send can have been written that matters to one in it: a repeat is one
for the window and a day after `t`; both may be delayed for 3 days, and a clock may be a day ahead."""
PATIENCE = 60.0


class StalledError(Exception):
    """A topic could not be read to the end that it told; the message names it."""


class Taken(NamedTuple):
    """One partition as it lies in Kafka: records by topic kind, and what came out."""

    number: int
    records: dict[str, Sequence[ConsumerRecord]]
    registry_ends: dict[str, int]
    recalled: Recalled
    seen: Seen


class _Send(Struct):
    id: str
    at: int


class _Law(Struct):
    pack: str


class _Source(Struct):
    topic: str
    partition: int
    offset: int


class _Flag(Struct):
    flag_id: str
    status: str
    rule: str
    shadow: bool
    law: _Law
    send: _Send
    evidence: dict[str, object]
    source: _Source


class _Optout(Struct):
    owners: tuple[str, ...]
    source: _Source


class _Quarantined(Struct):
    reason: str
    source: _Source


class Topics:
    """Reads the topics of an installation; made by `connected`."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings, span: Span) -> None:
        """Bind a started consumer without a group."""
        self._consumer = consumer
        self._settings = settings
        self._span = span
        self._pages: dict[int, Pages] = {}
        self._kinds = {settings.topics.name(kind): kind for kind in (*RECIPIENT_KINDS, *REGISTRIES)}

    async def open_books(self) -> None:
        """Read the ledger of every partition to its end: what follows is about this moment."""
        for number in range(self._settings.topics.partitions):
            first, records = await self._read("ledger", number)
            pages = self._pages[number] = Pages(whole=first == 0)
            for record in records:
                pages.turn(decode(record.value))

    async def registries(self) -> dict[str, Sequence[ConsumerRecord]]:
        """Every registry's records."""
        return {kind: (await self._read(kind, 0))[1] for kind in sorted(REGISTRIES)}

    async def partitions(self) -> AsyncIterator[Taken]:
        """The partitions one after the other."""
        for number, pages in self._pages.items():
            seen = Seen(pages={number: pages})
            await self._read_published(number, seen)
            records: dict[str, Sequence[ConsumerRecord]] = {}
            for kind in RECIPIENT_KINDS:
                start = await self._start(number) if kind == "sends" else 0
                end = pages.positions.get(kind, 0)
                first, records[kind] = await self._read(kind, number, start, end)
                seen.starts[kind, number] = max(start, first)
                seen.behind[kind] = max(0, await self._end(kind, number) - max(end, first))
            for kind, end in sorted(pages.registries.items()):
                seen.behind[kind] = max(0, await self._end(kind, 0) - end)
            recalled = Recalled()
            if self._span.since > -FOREVER:
                owners = {offset: each for (_, offset), each in seen.optouts.items()}
                recalled = Recalled(self._span.since - DAY, owners)
            yield Taken(number, records, pages.registries, recalled, seen)

    async def _start(self, number: int) -> int:
        """The offset from which sends can matter to those of the span."""
        if self._span.since == -FOREVER:
            return 0
        place = self._place("sends", number)
        lookback = LOOKBACK + self._settings.judging.window_hours * HOUR
        found = await self._consumer.offsets_for_times({place: max(self._span.since - lookback, 0)})
        at = found.get(place)
        return await self._end("sends", number) if at is None else int(at.offset)

    async def _read_published(self, number: int, seen: Seen) -> None:
        for topic in ("flags", "canary", "quarantine", "optouts"):
            first, records = await self._read(topic, number)
            if topic == "quarantine":
                seen.quarantine_whole = first == 0
            for record in records:
                if record.value is not None:
                    take(topic, record.value, number, self._kinds, seen)

    async def _read(
        self, kind: str, number: int, start: int = 0, end: int | None = None
    ) -> tuple[int, list[ConsumerRecord]]:
        """Where a partition begins, and its records in [start, end), `end` None: to the end as it is now."""
        consumer, place = self._consumer, self._place(kind, number)
        first: int = (await consumer.beginning_offsets([place]))[place]
        last = await self._end(kind, number) if end is None else end
        records: list[ConsumerRecord] = []
        if max(start, first) >= last:
            return first, records
        consumer.assign([place])
        consumer.seek(place, max(start, first))
        moved_at, position = time.monotonic(), -1
        while position < last:
            records += (await consumer.getmany(place, timeout_ms=200)).get(place, ())
            if end is None:  # some servers tell too early an end when only asked for it; a fetch tells the right one
                last = max(last, consumer.highwater(place) or 0)
            if (now := await consumer.position(place)) != position:
                moved_at, position = time.monotonic(), now
            elif time.monotonic() - moved_at > PATIENCE:
                raise StalledError(f"{place.topic}/{number}: offsets [{position}, {last}) do not come")
        consumer.unsubscribe()  # or it would go on fetching what nobody reads
        return first, records if end is None else [record for record in records if record.offset < end]

    async def _end(self, kind: str, number: int) -> int:
        place = self._place(kind, number)
        end: int = (await self._consumer.end_offsets([place]))[place]
        return end

    def _place(self, kind: str, number: int) -> TopicPartition:
        return TopicPartition(self._settings.topics.name(kind), number)


@asynccontextmanager
async def connected(settings: Settings, span: Span) -> AsyncIterator[Topics]:
    """The installation's topics, for reading."""
    consumer = clients.consumer(client_options(settings.kafka), auto_offset_reset="earliest")
    await consumer.start()
    try:
        topics = Topics(consumer, settings, span)
        await topics.open_books()
        yield topics
    finally:
        await consumer.stop()


def take(topic: str, value: bytes, number: int, kinds: Mapping[str, str], seen: Seen) -> None:
    """Take in a published record of partition `number`: of a flag, a refused record or a reply the last one holds.

    `topic` is its kind; `kinds`: topic kinds by topic name.
    """
    match topic:
        case "flags" | "canary":
            _take_flag(topic, msgspec.json.decode(value, type=_Flag), number, seen)
        case "quarantine":
            refused = msgspec.json.decode(value, type=_Quarantined)
            place = (kinds[refused.source.topic], refused.source.partition, refused.source.offset)
            seen.quarantine[place] = refused.reason
        case "optouts":
            optout = msgspec.json.decode(value, type=_Optout)
            seen.optouts[optout.source.partition, optout.source.offset] = optout.owners


def _take_flag(topic: str, flag: _Flag, number: int, seen: Seen) -> None:
    seen.flags.pop(flag.flag_id, None)
    if flag.status == "raised":
        seen.flags[flag.flag_id] = Flagged(
            flag_id=flag.flag_id,
            rule=flag.rule,
            send_id=flag.send.id,
            at=flag.send.at,
            topic=topic,
            partition=number,
            offset=flag.source.offset,
            evidence=msgspec.json.encode(flag.evidence, order="sorted"),
            pack=flag.law.pack,
            shadow=flag.shadow,
        )
