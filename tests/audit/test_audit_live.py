"""The audit of topics on a broker: read-only, without a group, and about one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from sendwatch.audit import audit, run
from sendwatch.demo import write
from sendwatch.simulate import Story
from sendwatch.topics import declared

if TYPE_CHECKING:
    import pytest
    from aiokafka import ConsumerRecord

    from sendwatch.demo.stage import Stage

PARTITIONS = 3
DAY = 86_400_000


async def last_flag(stage: Stage) -> ConsumerRecord:
    """A raised flag that is the last record of its partition."""
    name = stage.settings.topics.name("flags")
    async with AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, auto_offset_reset="earliest") as consumer:
        for number in range(PARTITIONS):
            place = TopicPartition(name, number)
            consumer.assign([place])
            found = (await consumer.getmany(place, timeout_ms=5000)).get(place)
            if found:
                return found[-1]
    raise AssertionError("no flags")


async def test_a_judged_week_has_no_difference_and_a_tampered_one_has(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """As planted, for a day of it too; then a flag is cleared behind the workers' backs, and found missing."""
    story = Story(5, 3000, recipients=1000, owners=200, partitions=PARTITIONS)
    await write(story.facts(), stage)
    await write(story.sends(), stage)
    assert (await audit(stage.settings)).behind["sends"] > 2900, "nothing is judged yet"
    worker = stage.worker("alone", until_end=True)
    await worker.start()
    try:
        assert await worker.wait(240) == 0
    finally:
        await worker.stop()

    found = await audit(stage.settings)
    assert found.empty
    assert found.agreed.total() == sum(map(len, story.truth.flags.values()))
    assert found.sends == story.truth.counts["sends"]
    assert not found.behind.total()
    day = await audit(stage.settings, story.settings.start_at + DAY, story.settings.start_at + 2 * DAY)
    assert day.empty
    assert 0 < day.agreed.total() < found.agreed.total()

    flag = await last_flag(stage)
    value = msgspec.json.encode({**msgspec.json.decode(flag.value), "status": "cleared"})
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        await producer.send_and_wait(flag.topic, value, key=flag.key, partition=flag.partition)
    assert await run(stage.settings, None, None, "json") == 1
    told = msgspec.json.decode(capsys.readouterr().out)
    assert [each["flag_id"] for each in told["missing"]] == [flag.key.decode()]


async def test_an_audit_leaves_no_trace(stage: Stage) -> None:
    """No topic grows."""
    names = [topic.name for topic in declared(stage.settings.topics)]
    await audit(stage.settings)
    async with AIOKafkaConsumer(bootstrap_servers=stage.bootstrap) as consumer:
        ends = await consumer.end_offsets([TopicPartition(name, 0) for name in names])
    assert set(ends.values()) == {0}
