"""A replay of topics on a broker, from the command line: what it finds, and that it leaves no trace."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from sendwatch import config
from sendwatch.demo import write
from sendwatch.demo.stage import KEYS, Stage
from sendwatch.replay import Wish, replay
from sendwatch.simulate import Story
from sendwatch.topics import declared

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

PARTITIONS = 3
DAY = 86_400_000


async def ends(stage: Stage) -> dict[TopicPartition, int]:
    """Where every topic ends."""
    places = [
        TopicPartition(each.name, number)
        for each in declared(stage.settings.topics)
        for number in range(each.partitions)
    ]
    async with AIOKafkaConsumer(bootstrap_servers=stage.bootstrap) as consumer:
        found: dict[TopicPartition, int] = await consumer.end_offsets(places)
    return found


async def a_flag(stage: Stage) -> ConsumerRecord:
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


def asked(stage: Stage, *arguments: str) -> tuple[int, str, str]:
    """What the command line answers: status, output, errors."""
    variables = {config.variable(key): value for key, value in stage.overrides.items()}
    done = subprocess.run(
        [sys.executable, "-m", "sendwatch", "replay", *arguments],
        env={**os.environ, **KEYS, **variables}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


async def test_a_judged_week_is_judged_alike_again_and_otherwise_under_another_law(stage: Stage) -> None:
    """Nothing would change; a flag cleared by mistake would be raised; without Order 74 every C3 would be cleared."""
    story = Story(5, 2500, recipients=800, owners=200, partitions=PARTITIONS, neighbours=True, replies=True)
    await write(story.facts(), stage)
    await write(story.sends(), stage)
    worker = stage.worker("alone", until_end=True)
    await worker.start()
    try:
        assert await worker.wait(240) == 0
    finally:
        await worker.stop()
    planted, before = story.truth.by_rule(), await ends(stage)

    found = await replay(stage.settings, Wish())
    assert found.empty, found.examples
    assert found.stands == planted
    since = story.settings.start_at + DAY
    day = await replay(stage.settings, Wish(since, since + DAY))
    assert day.empty, day.examples
    assert 0 < day.stands.total() < found.stands.total()

    flag = await a_flag(stage)
    value: dict[str, Any] = msgspec.json.decode(flag.value)
    async with AIOKafkaProducer(bootstrap_servers=stage.bootstrap) as producer:
        told = msgspec.json.encode({**value, "status": "cleared"})
        await producer.send_and_wait(flag.topic, told, key=flag.key, partition=flag.partition)
    assert {place: end for place, end in (await ends(stage)).items() if end != before[place]}.keys() == {
        TopicPartition(flag.topic, flag.partition)
    }
    before = await ends(stage)
    status, out, _ = asked(stage, "--dry-run", "--output", "json")
    answer = msgspec.json.decode(out)
    assert status == 1
    assert answer["raised"] == {value["rule"]: 1}
    assert [each["flag_id"] for each in answer["examples"]] == [flag.key.decode()]

    status, out, _ = asked(
        stage, "--dry-run", "--law", "miit-31", "--rules", "C3,C1_CONSENT_MISSING", "--from", "2026-11-09"
    )
    assert status == 1
    assert out.splitlines()[1].split() == ["C1_CONSENT_MISSING", str(planted["C1_CONSENT_MISSING"]), "0", "0", "0"]
    assert out.splitlines()[2].split() == ["C3_PROOF_MISSING", "0", "0", str(planted["C3_PROOF_MISSING"]), "0"]
    assert await ends(stage) == before, "a replay has written something"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--law", "miit-31"], "would not be true"),
        (["--rules", "C1"], "--dry-run"),
        (["--dry-run", "--rules", "C77"], "no rule C77"),
        (["--dry-run", "--from", "yesterday"], "no time"),
        (["--dry-run", "--law", "miit-99"], "miit-74"),
    ],
)
async def test_a_call_that_can_not_be_answered_is_refused(stage: Stage, arguments: list[str], told: str) -> None:
    """With status 2, and what is wrong."""
    status, _, errors = asked(stage, *arguments)
    assert status == 2
    assert told in errors
