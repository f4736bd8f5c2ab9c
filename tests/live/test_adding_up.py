"""What many sends together amount to, against a broker: workers judge, one process adds up, and is killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from engine_builders import DAY, MINUTE, NOW, REGISTRIES, a_filing, a_send
from sendwatch.aggregator.breaches import add_up
from sendwatch.config import variable
from sendwatch.demo import until_ready, write
from sendwatch.demo.stage import Stage, free_port
from sendwatch.outgoing import BreachEvent, read_breach
from sendwatch.simulate.truth import Message
from sendwatch.windows.asked import total

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine_builders import Event

PARTITIONS = 4
PEOPLE = [f"139{number:08}" for number in range(300)]
IMITATION = "【支付寶】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"


def messages(*events: Event) -> list[Message]:
    """Events as the writer of stories takes them."""
    return [Message(event.kind, event.key, event.value, event.timestamp) for event in events]


def a_day(day: int, *more: Event) -> list[Event]:
    """Three hundred ordinary sends, one to each of the people, and others among them."""
    began = NOW + (day - 10) * DAY
    usual = [a_send(f"{day}-{n}", began + n * MINUTE, recipient=one) for n, one in enumerate(PEOPLE)]
    return sorted([*usual, *more], key=lambda event: event.timestamp)


class Process:
    """`sendwatch aggregate`, or any other command, with the stage's settings."""

    def __init__(self, stage: Stage, name: str) -> None:
        """Its state lies in a folder of its own."""
        more = {"engine.data_dir": str(stage.folder / name), "web.port": str(free_port()), "logs.format": "json"}
        self.log = stage.folder / f"{name}.log"
        given = {variable(key): value for key, value in {**stage.overrides, **more}.items()}
        self._environment = {**os.environ, **stage.worker(name)._environment, **given}

    async def start(self, *command: str) -> asyncio.subprocess.Process:
        """Start it."""
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sendwatch", *command,
                env=self._environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    async def say(self, *command: str) -> tuple[int | None, str]:
        """Run it to its end: exit status and standard output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sendwatch", *command, env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()


async def published(stage: Stage) -> list[BreachEvent]:
    """Every record of the topic of breaches."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, group_id=None, enable_auto_commit=False)
    place, events = TopicPartition(stage.settings.topics.name("breaches"), 0), list[BreachEvent]()
    async with consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        while fetched := await consumer.getmany(timeout_ms=700):
            events += [read_breach(record.value) for record in fetched[place]]
    return events


async def until(reached: Callable[[list[BreachEvent]], Any], stage: Stage, within: float = 60) -> list[BreachEvent]:
    """Wait until the topic of breaches tells something."""
    give_up_at = time.monotonic() + within
    while not reached(events := await published(stage)):
        assert time.monotonic() < give_up_at, events
    return events


@pytest.mark.kafka  # the embedded broker keeps members that were killed, and may elect one
async def test_what_is_planted_opens_and_closes_once_though_the_one_who_adds_up_is_killed(stage: Stage) -> None:
    """A name that looks like a filed one: open, killed, closed by another process, told under one id throughout."""
    worker, first, second = stage.worker("judge"), Process(stage, "first"), Process(stage, "second")
    await write(messages(*REGISTRIES, a_filing("z", signature="支付宝", owner="O2")), stage)
    await worker.start()
    adding = await first.start("aggregate")
    try:
        await until_ready(worker)
        fake = a_send("fake", NOW - 9 * DAY + 299 * MINUTE, recipient=PEOPLE[7], text=IMITATION)  # last of the day
        await write(messages(*a_day(1, fake)), stage)
        (opened,) = await until(lambda events: events, stage)
        assert (opened.rule, opened.subject, opened.status) == ("B5_EVASION", {"signature": "支付寶"}, "open")
        adding.kill()
        await adding.wait()
        adding = await second.start("aggregate")
        await write(messages(*a_day(2)), stage)
        await write(messages(*a_day(3)), stage)
        events = await until(lambda events: any(event.status == "closed" for event in events), stage)
        assert {event.breach_id for event in events} == {opened.breach_id}
        status, said = await second.say("breaches", "--output", "json")
        assert (status, msgspec.json.decode(said)["open"]) == (0, [])
        added = await add_up(stage.settings)
        assert total(added.board, "all", (), "30d").sends == 3 * len(PEOPLE) + 1
        adding.terminate()
        assert await adding.wait() == 0
    finally:
        if adding.returncode is None:
            adding.kill()
        await worker.stop()
