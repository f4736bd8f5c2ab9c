"""Fills the input topics, once per wish: `python -m bench.loading BOOTSTRAP FOLDER WISH` (a JSON object).

Belongs here: writing town and traffic to Kafka from two processes, as fast as it goes, and the expected flags to a
file. Not here: making the topics. None of its time counts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka import AIOKafkaProducer
from msgspec import Struct

from bench.town import Consents, Town, Wish
from bench.traffic import Record, Traffic
from sendwatch.cluster import Names
from sendwatch.simulate.truth import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TRUTH = "truth.json"
BATCH_BYTES = 256 * 1024
BATCH_RECORDS = 600
IN_FLIGHT = 32
NAMES = Names()


class Truth(Struct):
    """What must be found, by send id; how many records went to each topic; how many shapes of text there are."""

    flags: dict[str, list[str]]
    counts: dict[str, int]
    shapes: int


def main() -> None:
    """Build the town once, share it between processes by forking, and write what they say together."""
    bootstrap, folder, wish = sys.argv[1], Path(sys.argv[2]), msgspec.json.decode(sys.argv[3], type=Wish)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    traffic = Traffic(Town(wish))
    shares = min(2, wish.partitions)
    with multiprocessing.get_context("fork").Pool(shares, _inherit, (traffic, bootstrap, shares)) as pool:
        parts = pool.map(_fill, range(shares), chunksize=1)
    flags: dict[str, list[str]] = {}
    counts, shapes = Counter[str](), set[int]()
    for part_flags, part_counts, part_shapes in parts:
        flags |= part_flags
        counts.update(part_counts)
        shapes |= part_shapes
    (folder / TRUTH).write_bytes(msgspec.json.encode(Truth(flags, dict(counts), len(shapes))))


_given: list[Any] = []


def _inherit(*given: Any) -> None:
    _given[:] = given


def _fill(share: int) -> tuple[dict[str, list[str]], Counter[str], set[int]]:
    traffic, bootstrap, shares = _given
    return asyncio.run(_write_all(traffic, bootstrap, share, shares))


async def _write_all(
    traffic: Traffic, bootstrap: str, share: int, shares: int
) -> tuple[dict[str, list[str]], Counter[str], set[int]]:
    options: dict[str, Any] = {"compression_type": "lz4", "acks": "all", "max_batch_size": BATCH_BYTES}
    counts = Counter[str]()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0, **options) as producer:
        for kind, records in records_of(traffic, share, shares):
            counts[kind] += await _pour(producer, getattr(NAMES, kind), records)
    return traffic.flags, counts, traffic.shapes


def records_of(traffic: Traffic, share: int, shares: int) -> Iterator[tuple[str, Iterable[Record]]]:
    """What is written to each topic, by kind; facts first, of the partitions that fall to this share."""
    town = traffic.town
    if share == 0:
        early = traffic.timestamp[0] - 40 * DAY  # before any reply: later rows would not count for it
        for kind in ("owners", "ports", "signatures", "letters", "templates"):
            rows = [row for row in town.carrier.rows if row.kind == kind]
            yield kind, (Record(0, int(early) + at, row.id.encode(), _value(row.value)) for at, row in enumerate(rows))
    replies: list[Record] = []
    yield "consents", _consents(traffic, share, shares, replies)
    yield "replies", replies
    yield "sends", traffic.write(share, shares)


def _value(row: dict[str, Any] | None) -> bytes | None:
    return None if row is None else msgspec.json.encode(row)


def _consents(traffic: Traffic, share: int, shares: int, replies: list[Record]) -> Iterator[Record]:
    """What recipients have agreed to, in their order; replies are put aside."""
    town = traffic.town
    consents = Consents(town, share)
    begins_at, name_of = int(traffic.timestamp[0]) - 20 * HOUR, town.recipients.name
    step = 18 * HOUR / town.wish.recipients
    for index, partition in enumerate(traffic.partition.tolist()):
        if partition % shares != share:
            continue
        at, name = begins_at + int(index * step), name_of(index).encode()
        if not town.is_odd(index):
            for value in consents.of(index, name):
                yield Record(partition, at, name, value)
            continue
        odd = town.odd(index)
        for act in odd.acts:
            yield Record(partition, at, name, msgspec.json.encode(act))
        if odd.reply is not None:
            replies.append(Record(partition, at, name, msgspec.json.encode(odd.reply)))


async def _pour(producer: AIOKafkaProducer, topic: str, records: Iterable[Record]) -> int:
    """Write records to one topic in batches; the order within a partition is kept."""
    waiting: dict[int, list[Record]] = {}
    flight: deque[asyncio.Future[Any]] = deque()
    count = 0
    for record in records:
        count += 1
        some = waiting.setdefault(record.partition, [])
        some.append(record)
        if len(some) >= BATCH_RECORDS:
            await _send(producer, topic, some, flight)
    for some in waiting.values():
        await _send(producer, topic, some, flight)
    for future in flight:
        await future
    return count


async def _send(producer: AIOKafkaProducer, topic: str, some: list[Record], flight: deque[asyncio.Future[Any]]) -> None:
    batch = producer.create_batch()
    for record in some:
        given = {"timestamp": record.timestamp, "key": record.key, "value": record.value}
        if batch.append(**given) is None:  # full
            flight.append(await producer.send_batch(batch, topic, partition=record.partition))
            batch = producer.create_batch()
            batch.append(**given)
    if some:
        flight.append(await producer.send_batch(batch, topic, partition=some[0].partition))
    some.clear()
    while len(flight) > IN_FLIGHT:
        await flight.popleft()


if __name__ == "__main__":
    main()
