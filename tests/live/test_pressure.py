"""Twice the load that a worker can take, and what becomes of it: seen from outside, in small numbers.

`make bench ARGS='--pressure'` asks the same of a worker with a core of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest
from msgspec import Struct
from test_pipe import a_story, finish, until

from sendwatch.demo import Progress, until_ready, write
from sendwatch.demo.audience import Audience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from sendwatch.demo.stage import Stage, Worker

PARTITIONS = 4
SENDS = 12_000
PROBE, UNDER, CALM = 0.25, 0.75, 0.95  # of the sends, up to: what it can take, twice that, what it can take again
AWAKE, ASLEEP = 0.02, 0.18  # seconds: a worker that has a tenth of the time can be overrun by a small simulator
TOLD_WITHIN = 6.0  # seconds; gauges are set every 5
MEGABYTES_MORE = 20
LAG = re.compile(r'^sendwatch_consumer_lag_records\{.*topic="[^"]*sends".*\} (\S+)$', re.MULTILINE)
RESIDENT = re.compile(r"^process_resident_memory_bytes (\S+)$", re.MULTILINE)


class Look(Struct):
    """What its pages tell at a moment."""

    ready: bool
    lag: float
    resident: float


async def look(worker: Worker) -> Look:
    """Ask the worker's pages."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{worker.address}/-/ready") as answer:
            ready = answer.status == 200
        async with session.get(f"{worker.address}/metrics") as answer:
            page = await answer.text()
    return Look(ready, sum(map(float, LAG.findall(page))), float(RESIDENT.findall(page)[0]))


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Have something go on meanwhile; it ends with the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def hold_back(worker: Worker) -> None:
    """Let the worker run for a tenth of the time, in short turns."""
    try:
        while True:
            worker.pause(paused=True)
            await asyncio.sleep(ASLEEP)
            worker.pause(paused=False)
            await asyncio.sleep(AWAKE)
    finally:
        worker.pause(paused=False)


async def keep_looking(worker: Worker, seen: list[Look]) -> None:
    """Look at its pages again and again."""
    while True:
        seen.append(await look(worker))
        await asyncio.sleep(0.5)


@pytest.mark.long
async def test_what_a_worker_cannot_take_waits_in_kafka_and_is_made_up_for(stage: Stage) -> None:
    """Lag grows and is told, memory does not; let go, it does twice what arrives; in the end nothing is lost."""
    story, worker, progress = a_story(71, SENDS), stage.worker("pressed"), Progress()
    seen: list[Look] = []
    await write(story.facts(), stage, None, progress.add)
    sends = list(story.sends())
    probe, under, calm = (int(len(sends) * part) for part in (PROBE, UNDER, CALM))
    audience = Audience(stage.settings)
    await worker.start()
    await audience.start()
    try:
        await until_ready(worker)
        async with beside(hold_back(worker)):
            began = time.monotonic()
            await write(sends[:probe], stage, None, progress.add)
            await until(audience, lambda: audience.judged() > probe * 0.98)
            can_take = probe / (time.monotonic() - began)
            before = await look(worker)
            async with beside(keep_looking(worker, seen)):
                await write(sends[probe:under], stage, 2 * can_take, progress.add)
                await audience.look(0)
                waiting = progress.written - audience.judged()
                await asyncio.sleep(TOLD_WITHIN)
        began, judged, written = time.monotonic(), audience.judged(), progress.written
        arriving = asyncio.create_task(write(sends[under:calm], stage, can_take, progress.add))
        await until(audience, lambda: progress.written - audience.judged() < can_take)
        seconds = time.monotonic() - began
        made_up = (audience.judged() - judged) / max(progress.written - written, can_take * seconds)
        await arriving
        await write(sends[calm:], stage, None, progress.add)
        score = await finish(story, audience, progress, stage, began)
    finally:
        await audience.stop()
        status = await worker.stop()
    pressed = under - probe
    assert waiting > 0.25 * pressed, f"it was not under pressure: {waiting} of {pressed} were waiting"
    assert max(each.lag for each in seen) > 0.5 * waiting, "the lag was not told"
    assert all(each.ready for each in seen), "it judges, and says that it does not"
    most = max(each.resident for each in seen)
    assert most < 1.1 * before.resident + MEGABYTES_MORE * 2**20, f"memory grew from {before.resident} to {most}"
    assert made_up >= 2, f"it did {made_up:.1f} times what arrived"
    assert score.good, str(score)
    assert status == 0
