"""What Kafka does to a worker: gone for a while, killed, frozen, slow. It waits aloud, and goes on unaided."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import pytest
from kafka import RealKafka
from test_pipe import a_story, finish, judged_more_than, until

from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.demo import Progress, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path
    from typing import Any

    from sendwatch.demo.stage import Worker
    from sendwatch.simulate import Message

    Outage = Callable[[RealKafka, float], Coroutine[Any, Any, None]]

pytestmark = pytest.mark.kafka

PARTITIONS = 4
SENDS = 3000
AT_ONCE = 300
UNREADY_AFTER = 10.0  # seconds without a round
LINES = 500  # for people to read; 100 to 200 are usual


async def stopped(kafka: RealKafka, seconds: float) -> None:
    """Ended in order, and started again on what it held."""
    await kafka.stop()
    await asyncio.sleep(seconds)
    await kafka.start()


async def killed(kafka: RealKafka, seconds: float) -> None:
    """Ended by SIGKILL, and started again."""
    await kafka.kill()
    await asyncio.sleep(seconds)
    await kafka.start()


async def frozen(kafka: RealKafka, seconds: float) -> None:
    """It takes connections and answers nothing; then it goes on."""
    pid = kafka.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


async def slow(kafka: RealKafka, seconds: float) -> None:
    """Four fifths of the time it does nothing."""
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        await frozen(kafka, 0.4)
        await asyncio.sleep(0.1)


async def write_gently(messages: Iterable[Message], stage: Stage, progress: Progress, up: asyncio.Event) -> None:
    """Write a few at a time, with short pauses, and nothing new while Kafka is away."""
    waiting: list[Message] = []
    for message in messages:
        waiting.append(message)
        if len(waiting) == AT_ONCE:
            await up.wait()
            await write(waiting, stage, None, progress.add)
            await asyncio.sleep(0.1)
            waiting.clear()
    await up.wait()
    await write(waiting, stage, None, progress.add)


async def is_ready(worker: Worker) -> bool:
    """What its page says."""
    async with aiohttp.ClientSession() as session, session.get(f"{worker.address}/-/ready") as answer:
        return answer.status == 200


OUTAGES = [
    pytest.param(stopped, 13.0, id="stopped"),
    pytest.param(frozen, 13.0, id="frozen", marks=pytest.mark.long),
    pytest.param(killed, 5.0, id="killed", marks=pytest.mark.long),
    pytest.param(slow, 13.0, id="slow", marks=pytest.mark.long),
    pytest.param(stopped, 60.0, id="stopped-a-minute", marks=pytest.mark.long),
    pytest.param(frozen, 60.0, id="frozen-a-minute", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("outage", "seconds"), OUTAGES)
async def test_kafka_goes_away_under_load_and_comes_back(tmp_path: Path, outage: Outage, seconds: float) -> None:
    """The same worker waits, is not ready meanwhile, says why, and goes on: in the end what an audit computes apart."""
    async with RealKafka() as kafka:
        stage = Stage(kafka.bootstrap, tmp_path, partitions=PARTITIONS, embedded=False)
        await stage.make_topics()
        story, progress, up = a_story(71, SENDS, late=0.2), Progress(), asyncio.Event()
        worker, audience = stage.worker("patient"), Audience(stage.settings)
        await write(story.facts(), stage, None, progress.add)
        await worker.start()
        await audience.start()
        up.set()
        try:
            await until_ready(worker)
            began = time.monotonic()
            writing = asyncio.create_task(write_gently(story.sends(), stage, progress, up))
            await until(audience, partial(judged_more_than, audience, SENDS * 0.3))
            up.clear()
            away = asyncio.create_task(outage(kafka, seconds))
            judged, ready = audience.judged(), True
            while not away.done():
                await asyncio.sleep(0.5)
                ready &= await is_ready(worker)
            await away
            up.set()
            worker.check()
            await writing
            score = await finish(story, audience, progress, stage, began)
        finally:
            await audience.stop()
            status = await worker.stop()
        difference = await audit(stage.settings)
    assert status == 0
    assert len(worker.log.read_text(encoding="utf-8").splitlines()) < LINES, "its log was flooded"
    assert judged < story.truth.counts["sends"], "it went when all was done"
    if outage is not slow and seconds > UNREADY_AFTER:
        assert not ready, "its page said that it judged"
    assert score.good, str(score)
    assert difference.empty, "\n".join(as_lines(difference))
