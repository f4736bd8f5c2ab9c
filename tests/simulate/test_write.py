"""What is written is the story, all of it and as it is: to files, and to a broker."""

import asyncio
import json
from collections import defaultdict
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sendwatch.partitions import partition_of
from sendwatch.simulate import Message, Story
from sendwatch.simulate.write import pour, read_file, write_files, write_kafka

PARTITIONS = 3


def story() -> Story:
    return Story(6, sends=1500, recipients=500, owners=60, violations=0.1, malformed=0.05, partitions=PARTITIONS)


def by_kind(messages: list[Message]) -> dict[str, list[Message]]:
    kinds = defaultdict(list)
    for message in messages:
        kinds[message.kind].append(message)
    return kinds


def test_files_hold_every_message_and_the_truth(tmp_path: Path) -> None:
    """Also those that are no UTF-8, have no key or no value."""
    told = story()
    truth = write_files(told, tmp_path)
    for kind, messages in by_kind([*told.facts(), *told.sends()]).items():
        assert list(read_file(tmp_path / f"{kind}.jsonl")) == messages
    lines = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert sum("flags" in line for line in lines) == len(truth.flags)
    assert sum(line.get("count", 0) for line in lines) == truth.quarantine.total()


async def read_back(bootstrap: str, topic: str, count: int) -> list[tuple[int, Message]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        found: list[tuple[int, Message]] = []
        async with asyncio.timeout(30):
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [(r.partition, Message(topic, r.key, r.value, r.timestamp)) for r in records]
        return found
    finally:
        await consumer.stop()


async def make_topics(bootstrap: str, names: list[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    finally:
        await admin.close()


async def test_a_broker_gets_every_message_in_order_on_its_partition(bootstrap: str, prefix: str) -> None:
    """Small batches fill up often, and nothing is lost at their edges; keys, times and misplacement are kept."""
    told = story()
    messages = by_kind([*told.facts(), *told.sends()])
    topics = {kind: f"{prefix}{kind}" for kind in messages}
    await make_topics(bootstrap, list(topics.values()))
    written = await write_kafka(told, bootstrap, topics, PARTITIONS, max_batch_size=4096)
    assert written == sum(map(len, messages.values()))
    for kind in ("sends", "consents", "signatures"):
        found = await read_back(bootstrap, topics[kind], len(messages[kind]))
        expected = defaultdict(list)
        for message in messages[kind]:
            own = partition_of(message.key, PARTITIONS) if message.key is not None else 0
            place = own if message.partition is None else message.partition
            expected[place].append((message.key, message.value, message.timestamp))
        got = defaultdict(list)
        for partition, message in found:
            got[partition].append((message.key, message.value, message.timestamp))
        assert got == expected


async def test_a_rate_is_kept(bootstrap: str, prefix: str) -> None:
    """Not faster, and acknowledged all along."""
    topic = f"{prefix}slow"
    seen: list[tuple[str, int]] = []
    await make_topics(bootstrap, [topic])
    messages = [Message("sends", b"k%d" % number, b"{}", 1_794_153_600_000) for number in range(300)]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        began = asyncio.get_running_loop().time()
        await pour(
            messages, producer, {"sends": topic}, PARTITIONS, rate=300, acknowledged=lambda *told: seen.append(told)
        )
        assert 0.8 < asyncio.get_running_loop().time() - began < 5
    assert {kind for kind, _ in seen} == {"sends"}
    assert sum(records for _, records in seen) == 300
