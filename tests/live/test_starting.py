"""What is asked to stop while it still connects ends, and at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer

from sendwatch.aggregator.aggregator import Aggregator
from sendwatch.aggregator.roller import Roller
from sendwatch.app import Live, _metrics
from sendwatch.engine.judging import prepare

if TYPE_CHECKING:
    from mode import Service

    from sendwatch.demo.stage import Stage
    from sendwatch.settings import Settings

PARTITIONS = 2


def live(settings: Settings) -> Live:
    """A worker."""
    return Live(settings, until_end=False)


def aggregator(settings: Settings) -> Aggregator:
    """What adds up, in a process of its own."""
    return Aggregator(settings, _metrics(settings, prepare(settings)))


def roller(settings: Settings) -> Roller:
    """The first stage of it."""
    return Roller(settings, _metrics(settings, prepare(settings)))


@pytest.mark.parametrize("made", [live, aggregator, roller])
@pytest.mark.parametrize("fails", [False, True])
async def test_it_ends_though_it_never_began(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, made: type[Service], fails: bool
) -> None:
    """Its tasks do not begin any more, so that nobody waits for their end; nor where it cannot start."""
    connecting, go_on, start = asyncio.Event(), asyncio.Event(), AIOKafkaConsumer.start

    async def slowly(consumer: AIOKafkaConsumer) -> None:
        connecting.set()
        await go_on.wait()
        if fails:
            raise ConnectionError("planted")
        await start(consumer)

    monkeypatch.setattr(AIOKafkaConsumer, "start", slowly)
    service = made(stage.settings)
    starting = asyncio.create_task(service.start())
    await asyncio.wait_for(connecting.wait(), 10)
    stopping = asyncio.create_task(service.stop())
    await asyncio.sleep(0.1)
    assert not stopping.done(), "it did not wait for what still starts"
    go_on.set()
    async with asyncio.timeout(10):
        await stopping
        if fails:
            with pytest.raises(ConnectionError, match="planted"):
                await starting
        else:
            await starting
