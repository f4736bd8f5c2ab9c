"""Reading a stretch of a topic from a real broker, and being done with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer

from engine_builders import REGISTRIES, a_send
from sendwatch import readout
from sendwatch.demo import write
from sendwatch.kafka.log_reader import LogReader
from sendwatch.simulate.truth import Message
from sendwatch.worker.evidence import read_topics

if TYPE_CHECKING:
    from sendwatch.demo.stage import Stage

PARTITIONS = 1


@pytest.mark.parametrize("_again", range(3))
async def test_what_explain_reads_it_reads_to_the_end_and_lets_go(stage: Stage, _again: int) -> None:
    """The consumer's fetcher is in the middle of a request when it is stopped, and stops."""
    events = [*REGISTRIES, *(a_send(f"s{number}") for number in range(20))]
    await write([Message(each.kind, each.key, each.value, each.timestamp) for each in events], stage)
    reading = asyncio.create_task(read_topics(stage.settings, 0, 7))
    await asyncio.wait({reading}, timeout=10)
    assert reading.done(), "it was not let go"
    case = reading.result()
    assert [send.offset for send in case.sends] == [7]
    assert [send.offset for send in case.records["sends"]] == list(range(20)), "the last batch counts too"


async def test_what_is_read_to_its_end_has_its_last_records(stage: Stage) -> None:
    """Ten sends written at once: the end is behind the last, and one that isn't there is not waited for."""
    await write([Message(each.kind, each.key, each.value, each.timestamp) for each in map(a_send, "abcdefghij")], stage)
    settings = stage.settings
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka.bootstrap, group_id=None) as consumer:
        reader, topic = LogReader(consumer), settings.topics.name("sends")
        assert await reader.bounds(topic, 0) == (0, 10)
        assert await reader.bounds(settings.topics.name("replies"), 0) == (0, 0)
        assert [record.offset async for records in reader.read(topic, 0, 8) for record in records] == [8, 9]
        for offset, found in ((9, 9), (10, None), (11, None)):
            record = await reader.one(topic, 0, offset)
            assert (record and record.offset) == found
    async with readout.reading(settings, "a test") as topics:
        assert [record.offset async for records in topics.read("sends", 0) for record in records] == list(range(10))
