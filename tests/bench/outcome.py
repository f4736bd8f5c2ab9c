"""What a worker left behind: when it judged how much, and whether its flags are the expected ones.

Belongs here: reading ledger, flags and quarantine as anybody may, and the gate. Not here: how fast that was
(`report.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct, field

from sendwatch.kafka import connection
from sendwatch.ledger import Span  # noqa: TC001 - msgspec reads the annotation
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from sendwatch.settings import Settings


class Mark(Struct):
    """What a ledger record tells of the time: how much it accounts for."""

    record: str
    spans: dict[str, Span] = {}


class FlaggedSend(Struct):
    """The send of a flag."""

    id: str


class Flag(Struct):
    """What of a flag the gate needs."""

    flag_id: str
    status: str
    rule: str
    send: FlaggedSend


read_mark = msgspec.json.Decoder(Mark).decode
read_flag = msgspec.json.Decoder(Flag).decode


class Progress(Struct):
    """When the ledger grew: (seconds since 1970, records of that kind) of every range, in order of time."""

    ranges: list[tuple[float, int]] = field(default_factory=list)
    first_at: dict[int, float] = field(default_factory=dict)

    def when(self, part: float) -> float:
        """When so great a part of them was accounted for."""
        wanted, so_far = part * sum(count for _, count in self.ranges), 0
        for at, count in self.ranges:
            so_far += count
            if so_far >= wanted:
                return at
        return 0.0

    def after(self, at: float) -> int:
        """How many records were accounted for after that."""
        return sum(count for when, count in self.ranges if when > at)

    @property
    def last_at(self) -> float:
        """When the last was."""
        return self.ranges[-1][0] if self.ranges else 0.0


async def progress(settings: Settings, kind: str, since: float = 0.0) -> Progress:
    """How a topic's records came to stand in the ledger, from a time on."""
    found = Progress()
    async for partition, records in read_topic(settings, "ledger"):
        for record in records:
            at = record.timestamp / 1000
            span = read_mark(record.value).spans.get(kind)
            if span is not None and span.next > span.first and at >= since:
                found.ranges.append((at, span.next - span.first))
                found.first_at.setdefault(partition, at)
    found.ranges.sort()
    return found


async def faults(
    settings: Settings, truth: Mapping[str, Sequence[str]], rules: Collection[str], counts: Mapping[str, int]
) -> list[str]:
    """Everything that makes a number void; none where the net flags are exactly the expected ones."""
    wanted = {(send, rule) for send, expected in truth.items() for rule in expected if rule in rules}
    found = await _raised(settings)
    told = [f"missed {count} {rule}" for rule, count in _by_rule(wanted - found).items()]
    told += [f"extra {count} {rule}" for rule, count in _by_rule(found - wanted).items()]
    told += [f"for example {send} {rule}" for send, rule in sorted(wanted ^ found)[:3]]
    refused = sum([len(records) async for _, records in read_topic(settings, "quarantine")])
    if refused:
        told.append(f"{refused} records in quarantine")
    books = await read_books(settings)
    told += [f"partition {each.partition}: {gap}" for each in books for gap in each.gaps]
    told += [f"partition {each.partition}: {each.behind} not read" for each in books if each.behind]
    judged = sum(each.spans["sends"].books.judged for each in books if "sends" in each.spans)
    if judged != counts["sends"]:
        told.append(f"{judged} sends judged of {counts['sends']}")
    return told


def _by_rule(flags: Collection[tuple[str, str]]) -> dict[str, int]:
    return dict(sorted(Counter(rule for _, rule in flags).items()))


async def _raised(settings: Settings) -> set[tuple[str, str]]:
    last: dict[str, tuple[str, str, str]] = {}
    async for _, records in read_topic(settings, "flags"):
        for record in records:
            flag = read_flag(record.value)
            last[flag.flag_id] = (flag.status, flag.send.id, flag.rule)
    return {(send, rule) for status, send, rule in last.values() if status == "raised"}


async def read_topic(settings: Settings, kind: str) -> AsyncIterator[tuple[int, Sequence[ConsumerRecord]]]:
    """All that is in a topic now, by partition, in batches."""
    options = connection.client_options(settings.kafka)
    consumer = AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(settings.topics.name(kind), each) for each in range(settings.topics.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                yield place.partition, records
    finally:
        await consumer.stop()
