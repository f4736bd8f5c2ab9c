"""Reading stretches of topics: exactly [from, to), one reader at a time, whatever was deleted."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from engine_builders import Cluster, Consumer, a_send
from sendwatch.kafka.log_reader import NEAR, LogReader, stretches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine_builders import Rec


def a_cluster(sends: int = 10) -> Cluster:
    """Ten sends."""
    cluster = Cluster()
    cluster.produce(*(a_send(f"s{number}") for number in range(sends)))
    return cluster


async def offsets(reader: LogReader, start: int, end: int | None = None) -> list[int]:
    """The offsets of the records of [start, end), or to the end."""
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


class TellsTooEarly(Consumer):
    """As the embedded broker: the end that it tells when asked is in the last batch, until something is fetched."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._fetched = False

    def assign(self, places: Iterable[TopicPartition]) -> None:
        super().assign(places)
        self._fetched = False

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: min(self.cluster.first[place] + 1, self.cluster.end(place)) for place in places}

    def highwater(self, place: TopicPartition) -> int | None:  # type: ignore[override]
        return super().highwater(place) if self._fetched else None

    async def getmany(self, *places: TopicPartition, **how: Any) -> dict[TopicPartition, list[Rec]]:
        fetched = await super().getmany(*places, **how)
        self._fetched = True
        return fetched


async def test_the_end_is_the_one_that_a_fetch_tells() -> None:
    """Ten sends written at once, of which a server tells one when asked; an empty topic ends where it begins."""
    reader = LogReader(TellsTooEarly(a_cluster()))
    assert await reader.bounds("sms.sends", 0) == (0, 10)
    assert await offsets(reader, 0) == list(range(10))
    assert await offsets(reader, 8) == [8, 9]
    assert await reader.bounds("sms.replies", 0) == (0, 0)
    assert await reader.bounds("sms.sends", 0) == (0, 10)


async def test_one_record_is_read_or_none() -> None:
    """It is there, was deleted, was compacted, or is not written yet: nobody waits for it."""
    cluster = a_cluster()
    cluster.logs[TopicPartition("sms.sends", 0)][6] = None
    cluster.expire("sends", 4)
    reader = LogReader(TellsTooEarly(cluster), stall_seconds=0.05)
    found = [await reader.one("sms.sends", 0, offset) for offset in (3, 4, 6, 9, 10, 11)]
    assert [record and record.offset for record in found] == [None, 4, None, 9, None, None]


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


async def test_nothing_is_fetched_after_an_error_either() -> None:
    """Kafka does not say where the topic begins: the consumer is left without partitions, and free for the next."""
    cluster = a_cluster()
    cluster.outages = [KafkaTimeoutError()]
    consumer = Consumer(cluster)
    reader = LogReader(consumer)
    with pytest.raises(KafkaTimeoutError):
        await offsets(reader, 0, 3)
    assert consumer.assignment() == set()
    assert await offsets(reader, 0, 3) == [0, 1, 2]


async def test_a_stretch_that_nothing_comes_of_is_an_error() -> None:
    """A partition without a leader: whoever reads must hear of it, and not wait for ever."""
    consumer = Consumer(a_cluster())
    consumer.getmany = lambda *_, **__: asyncio.sleep(0.01, {})  # type: ignore[method-assign]
    with pytest.raises(KafkaTimeoutError, match=r"sms\.sends/0: nothing comes at offset 3 of 7"):
        async with asyncio.timeout(2):
            await offsets(LogReader(consumer, stall_seconds=0.05), 3, 7)


async def test_single_records_are_picked() -> None:
    """Those at the offsets, as far as they are there."""
    cluster = a_cluster()
    cluster.logs[TopicPartition("sms.sends", 0)][6] = None
    cluster.expire("sends", 2)
    records = await LogReader(Consumer(cluster)).pick("sms.sends", 0, {8, 1, 2, 6, 4})
    assert [record.offset for record in records] == [2, 4, 8]


async def test_records_that_lie_near_each_other_are_picked_in_one_go() -> None:
    """A hundred strange flags of one range are one reading, not a hundred."""
    consumer = Consumer(a_cluster(3 * NEAR))
    asked: list[int] = []
    seek = consumer.seek
    consumer.seek = lambda place, offset: (asked.append(offset), seek(place, offset))[1]  # type: ignore[method-assign,func-returns-value]
    await LogReader(consumer).pick("sms.sends", 0, {*range(5, 60, 5), 2 * NEAR, 3 * NEAR - 1})
    assert asked == [5, 2 * NEAR]


@given(st.sets(st.integers(0, 5 * NEAR)))
def test_stretches_hold_every_offset_and_little_else(wanted: set[int]) -> None:
    """In order, apart from each other, and no gap within one is as long as `NEAR`."""
    found = list(stretches(wanted))
    assert {offset for start, end in found for offset in range(start, end)} >= wanted
    assert all(start in wanted and end - 1 in wanted for start, end in found)
    assert all(later - end >= NEAR for (_, end), (later, _) in pairwise(found))
    for start, end in found:
        inside = sorted(offset for offset in wanted if start <= offset < end)
        assert all(b - a <= NEAR for a, b in pairwise(inside))
