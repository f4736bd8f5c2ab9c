"""When the collector of cycles runs."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from sendwatch.worker import garbage

if TYPE_CHECKING:
    from collections.abc import Iterator


def fetched() -> PartitionRecords:
    """Two records, of which one has been read."""
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, 0, 1 << 20)
    for number in range(2):
        batch.append(number, timestamp=1, key=b"k", value=b"v", headers=[])
    place = TopicPartition("sms.sends", 0)
    records = PartitionRecords(place, MemoryRecords(bytes(batch.build())), [], 0, None, None, True, 0)
    waiting: Iterator[object] = iter(records)
    next(waiting)
    return records


@pytest.mark.parametrize(("old", "after"), [(False, 1_000_000), (True, 5)], ids=["young", "old"])
async def test_what_is_dropped_half_read_is_let_go(monkeypatch: pytest.MonkeyPatch, old: bool, after: int) -> None:
    """It is few objects and many bytes: nobody who counts objects would find it."""
    monkeypatch.setattr(garbage, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(garbage, "ALL_AFTER", after)
    gc.disable()
    try:
        half_read = fetched()
        if old:
            gc.collect()
        dropped = weakref.ref(half_read)
        del half_read
        assert dropped() is not None, "it has no cycle any more"
        collecting = asyncio.create_task(garbage.collect_by_the_clock())
        await asyncio.sleep(0.5)
        collecting.cancel()
        assert dropped() is None
    finally:
        gc.enable()
