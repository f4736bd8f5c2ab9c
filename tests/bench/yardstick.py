"""The fixed yardstick: read and decode the sends, and nothing else. `python -m bench.yardstick BOOTSTRAP TOPIC COUNT`.

Belongs here: the least that anybody must do who reads this topic with aiokafka and msgspec. It never changes with the
project, so that ratios to it can be compared across machines and commits. Prints records, seconds, CPU-seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec import Struct

MOST = 5000  # records at once


class Bare(Struct, gc=False):
    """The fields that a judge needs of a send."""

    id: str
    recipient: str
    sp: str
    port: str
    sent_at: int
    text: str | None = None
    category: str | None = None
    template: str | None = None
    carrier: str | None = None
    province: str | None = None
    deliver_at: int | None = None


async def measure(bootstrap: str, topic: str, partitions: int) -> dict[str, Any]:
    """Read the topic to its end; the clock runs from the first fetch on."""
    decode = msgspec.json.Decoder(Bare).decode
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = sum((await consumer.end_offsets(places)).values())
        records = 0
        began, cpu_began = time.perf_counter(), time.process_time()
        while records < left:
            for some in (await consumer.getmany(timeout_ms=1000, max_records=MOST)).values():
                for record in some:
                    decode(record.value)
                records += len(some)
        seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    finally:
        await consumer.stop()
    return {"records": records, "seconds": seconds, "cpu_seconds": cpu_seconds}


if __name__ == "__main__":
    found = asyncio.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
    print(msgspec.json.encode(found).decode())  # noqa: T201 - read by who started it
