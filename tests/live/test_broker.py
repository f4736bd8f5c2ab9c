"""What the project leans on in a broker, true of the embedded one and of a real Kafka alike."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from kafka import RealKafka

from sendwatch.broker import LOOPBACK, BrokerFailedError, Embedded

LONG_AGO = 1_700_000_000_000


async def create(bootstrap: str, topic: str, partitions: int = 1) -> int:
    """Create the topic and return Kafka's error code, 0 for none."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs={"retention.ms": "-1"})])
    finally:
        await admin.close()
    code: int = answer.topic_errors[0][1]
    return code


async def produce_batch(bootstrap: str, topic: str, values: list[bytes]) -> int:
    """Write `values` as one batch to partition 0 and return the first one's offset."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        batch = producer.create_batch()
        for value in values:
            assert batch.append(key=b"k", value=value, timestamp=LONG_AGO) is not None
        batch.close()
        acknowledged = await producer.send_batch(batch, topic, partition=0)
        offset: int = (await acknowledged).offset
    return offset


async def read(bootstrap: str, topic: str, count: int) -> list[ConsumerRecord]:
    """Read partition 0 from the beginning until `count` records are there."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(20):
            return [await consumer.getone() for _ in range(count)]


@pytest.mark.parametrize("compression", [None, "lz4", "zstd", "snappy", "gzip"])
async def test_what_goes_in_comes_out(bootstrap: str, prefix: str, compression: str | None) -> None:
    """Key, value, headers and the record's own time come back as written, at the offset acknowledged."""
    topic = prefix + "echo"
    await create(bootstrap, topic)
    written = [
        (b"k1", b"v1", LONG_AGO, [("h", b"1"), ("h", b""), ("none", None)]),
        (b"k2", None, LONG_AGO + 2, []),
        (b"", b"", LONG_AGO + 1, []),
        (None, "短信".encode(), LONG_AGO, []),
    ]

    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", compression_type=compression) as producer:
        pending = [
            await producer.send(topic, value, key, 0, timestamp_ms=at, headers=headers)
            for key, value, at, headers in written
        ]
        acknowledged = [(await each).offset for each in pending]
    records = await read(bootstrap, topic, len(written))

    assert acknowledged == [0, 1, 2, 3]
    assert [record.offset for record in records] == acknowledged
    assert [(r.key, r.value, r.timestamp, list(r.headers)) for r in records] == written
    assert {record.timestamp_type for record in records} == {0}  # CreateTime


async def test_a_batch_gets_consecutive_offsets_after_what_is_there(bootstrap: str, prefix: str) -> None:
    """A batch's acknowledgement names the first offset; the others follow without holes."""
    topic = prefix + "batches"
    await create(bootstrap, topic)

    values = [b"%d" % n for n in range(100)]

    first = [await produce_batch(bootstrap, topic, part) for part in (values[:50], values[50:])]
    records = await read(bootstrap, topic, 100)

    assert first == [0, 50]
    assert [(record.offset, record.value) for record in records] == list(enumerate(values))


async def test_a_fetch_tells_the_true_end(bootstrap: str, prefix: str) -> None:
    """The high watermark that comes with records is the end, the last batch's inside included."""
    topic = prefix + "end"
    await create(bootstrap, topic)
    await produce_batch(bootstrap, topic, [b"x"] * 50)
    partition = TopicPartition(topic, 0)

    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([partition])
        async with asyncio.timeout(20):
            await consumer.getone()

        assert consumer.highwater(partition) == 50


async def test_eight_writers_at_once_lose_and_overwrite_nothing(bootstrap: str, prefix: str) -> None:
    """Each acknowledged offset of a partition is one writer's alone, and holds what that writer wrote."""
    topic = prefix + "writers"
    await create(bootstrap, topic)
    acknowledged: dict[int, bytes] = {}

    async def write(name: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            for n in range(25):
                value = b"%d-%d" % (name, n)
                offset = (await producer.send_and_wait(topic, value, partition=0)).offset
                assert offset not in acknowledged
                acknowledged[offset] = value

    await asyncio.gather(*map(write, range(8)))
    records = await read(bootstrap, topic, 200)

    assert {record.offset: record.value for record in records} == acknowledged


async def test_a_topic_is_created_once_with_the_partitions_asked_for(bootstrap: str, prefix: str) -> None:
    """A second creation is refused, whatever it asks for."""
    topic = prefix + "created"

    assert await create(bootstrap, topic, partitions=12) == 0
    assert await create(bootstrap, topic, partitions=4) == 36  # TOPIC_ALREADY_EXISTS

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    [described] = await admin.describe_topics([topic])
    await admin.close()
    assert len(described["partitions"]) == 12


async def test_two_members_share_equal_partition_numbers_of_two_topics(bootstrap: str, prefix: str) -> None:
    """Range assignment gives a member the same numbers of both topics, and the last member all of them."""
    topics = [prefix + "sends", prefix + "consents"]
    for topic in topics:
        await create(bootstrap, topic, partitions=4)

    def member() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=bootstrap,
            group_id=prefix + "group",
            session_timeout_ms=3000,
            heartbeat_interval_ms=500,
            rebalance_timeout_ms=3000,
            partition_assignment_strategy=(RangePartitionAssignor,),
        )

    async def numbers(consumer: AIOKafkaConsumer, expected: int) -> set[int]:
        async with asyncio.timeout(30):
            while len(consumer.assignment()) != 2 * expected:
                await consumer.getmany(timeout_ms=100)
        sends, consents = ({tp.partition for tp in consumer.assignment() if tp.topic == topic} for topic in topics)
        assert sends == consents
        return sends

    async with AsyncExitStack() as members:
        one = await members.enter_async_context(member())
        assert await numbers(one, 4) == {0, 1, 2, 3}
        async with member() as other:
            shares = await asyncio.gather(numbers(one, 2), numbers(other, 2))
            assert sorted(map(sorted, shares)) == [[0, 1], [2, 3]]
        assert await numbers(one, 4) == {0, 1, 2, 3}


async def test_a_taken_port_is_a_clear_error() -> None:
    """A broker that cannot listen says so in its own words, and is not mistaken for who was there first."""
    async with Embedded() as first:
        with pytest.raises(BrokerFailedError, match="AddrInUse"):
            await Embedded(port=int(first.bootstrap.rpartition(":")[2])).start()


async def test_stopping_twice_does_no_harm(tmp_path: Path) -> None:
    """The second stop finds nothing to do, and the output stays where it was asked for."""
    broker = Embedded(log_path=tmp_path / "broker.log")
    await broker.start()
    await broker.stop()
    await broker.stop()

    assert broker.bootstrap in (tmp_path / "broker.log").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
async def test_the_embedded_broker_dies_with_its_parent() -> None:
    """Not even a parent that is killed leaves a broker behind."""
    program = (
        "import asyncio\n"
        "from sendwatch.broker import Embedded\n"
        "async def main():\n"
        "    async with Embedded() as broker:\n"
        "        print(broker.bootstrap, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    port = int((await parent.stdout.readline()).rpartition(b":")[2])
    parent.kill()
    await parent.wait()

    give_up_at = time.monotonic() + 5
    while time.monotonic() < give_up_at:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, port)
        except ConnectionError:  # refused, or reset by one that is dying
            return
        writer.close()
        await asyncio.sleep(0.05)
    pytest.fail(f"a broker still listens on {port}")


@pytest.mark.kafka
async def test_what_a_real_kafka_acknowledged_outlives_its_crash(prefix: str) -> None:
    """After SIGKILL and a new start, on the same port, the records are there."""
    async with RealKafka() as kafka:
        topic = prefix + "crash"
        await create(kafka.bootstrap, topic)
        await produce_batch(kafka.bootstrap, topic, [b"before"] * 10)
        await kafka.kill()
        await kafka.start()

        await produce_batch(kafka.bootstrap, topic, [b"after"])
        records = await read(kafka.bootstrap, topic, 11)

    assert [record.value for record in records] == [b"before"] * 10 + [b"after"]
