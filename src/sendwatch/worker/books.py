"""The books of every partition, read from the ledger topic: does each offset of each source stand in them, once?

Belongs here: reading the ledger from outside, by anybody with read access. Not here: what the records mean
(`ledger.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from msgspec import Struct, field

from sendwatch import ledger
from sendwatch.kafka import clients, connection
from sendwatch.kafka.log_reader import LogReader

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

    from sendwatch.ledger import Gap, GivenUp, Span
    from sendwatch.settings import Settings

SOURCES = ("sends", "consents", "replies", "reports", "complaints")


class PartitionBooks(Struct):
    """One partition's books: a span per source, how much of it is not read yet, gaps, void records, epochs.

    `given_up`: what operators have accepted as gone.
    """

    partition: int
    epoch: int
    void: int
    spans: dict[str, Span]
    behind: dict[str, int]
    gaps: list[Gap]
    given_up: list[GivenUp] = field(default_factory=list)


async def read_books(settings: Settings) -> list[PartitionBooks]:
    """The books of every partition as they stand now."""
    consumer = clients.consumer(connection.client_options(settings.kafka))
    await consumer.start()
    try:
        reader = LogReader(consumer)
        return [await _read_one(settings, consumer, reader, p) for p in range(settings.topics.partitions)]
    finally:
        await consumer.stop()


async def _read_one(
    settings: Settings, consumer: AIOKafkaConsumer, reader: LogReader, partition: int
) -> PartitionBooks:
    name = settings.topics.name("ledger")
    first, end = await reader.bounds(name, partition)
    records: list[ledger.Record] = []
    async for fetched in reader.read(name, partition, first, end):
        records += [ledger.decode.decode(record.value) for record in fetched]
    standing, spans, gaps, void = ledger.audit(records, whole=first == 0)
    places = {kind: TopicPartition(settings.topics.name(kind), partition) for kind in SOURCES}
    ends = await consumer.end_offsets(list(places.values()))
    behind = {
        kind: ends[place] - (spans[kind].next if kind in spans else 0)
        for kind, place in places.items()
        if ends[place] > (spans[kind].next if kind in spans else 0)
    }
    return PartitionBooks(partition, standing.epoch, void, spans, behind, gaps, ledger.given_up(records))
