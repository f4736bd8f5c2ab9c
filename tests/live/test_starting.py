"""What is asked to stop while it still connects ends, and at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer

from sendwatch.app import build, build_aggregator, build_roller

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.app import Application
    from sendwatch.demo.stage import Stage
    from sendwatch.settings import Settings

PARTITIONS = 2


@pytest.mark.parametrize("made", [build, build_aggregator, build_roller])
@pytest.mark.parametrize("fails", [False, True])
async def test_it_ends_though_it_never_began(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, made: Callable[[Settings], Application], fails: bool
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
    service = made(stage.settings).live
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
