"""Reading stretches of topics: exactly [from, to), one reader at a time, whatever was deleted."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition

from engine_builders import Cluster, Consumer, a_send
from sendwatch.engine.log_reader import LogReader


def a_cluster(sends: int = 10) -> Cluster:
    """Ten sends."""
    cluster = Cluster()
    cluster.produce(*(a_send(f"s{number}") for number in range(sends)))
    return cluster


async def offsets(reader: LogReader, start: int, end: int) -> list[int]:
    """The offsets of the records of [start, end)."""
    return [record.offset async for records in reader.read("sms.sends", 0, start, end) for record in records]


async def test_a_stretch_is_read() -> None:
    """From the first to before the last, nothing else."""
    reader = LogReader(Consumer(a_cluster()))
    assert await offsets(reader, 3, 7) == [3, 4, 5, 6]
    assert await offsets(reader, 9, 10) == [9]
    assert await offsets(reader, 4, 4) == []
    assert await reader.bounds("sms.sends", 0) == (0, 10)


async def test_what_was_deleted_is_left_out() -> None:
    """Retention has taken the beginning, or all of it; compaction what lay between."""
    cluster = a_cluster()
    cluster.logs[TopicPartition("sms.sends", 0)][6] = None
    cluster.expire("sends", 4)
    reader = LogReader(Consumer(cluster))
    assert await offsets(reader, 2, 9) == [4, 5, 7, 8]
    assert await offsets(reader, 0, 3) == []
    assert await offsets(reader, 6, 7) == []
    assert await reader.bounds("sms.sends", 0) == (4, 10)


async def test_two_at_once_take_turns() -> None:
    """One consumer serves both; neither gets what the other asked for."""
    reader = LogReader(Consumer(a_cluster()))
    one, other = await asyncio.gather(offsets(reader, 0, 5), offsets(reader, 5, 10))
    assert (one, other) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])


async def test_who_stops_early_does_not_block_the_next() -> None:
    """A reader that has found what it sought leaves; the next can read at once."""
    reader = LogReader(Consumer(a_cluster()))

    async def first() -> int:
        async for records in reader.read("sms.sends", 0, 0, 10):
            return int(records[0].offset)
        return -1

    assert await first() == 0
    async with asyncio.timeout(1):
        assert await offsets(reader, 8, 10) == [8, 9]


async def test_nothing_is_fetched_once_it_has_been_read() -> None:
    """Between two stretches the consumer has no partitions, or it would fetch what nobody reads."""
    consumer = Consumer(a_cluster())
    reader = LogReader(consumer)
    await offsets(reader, 0, 3)
    assert consumer.assignment() == set()
