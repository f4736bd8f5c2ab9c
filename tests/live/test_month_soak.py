"""Half an hour at full speed: what a worker and the aggregator hold in memory is no more at its end than half way.

`SENDWATCH_SOAK_SECONDS` for another length. The traffic has months in minutes, so that every window is full, and
forgets, long before. The first half is for warming up: caches fill, and cycles are collected rarely
(`worker/garbage.py`).
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import pytest

from sendwatch.demo import Progress, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.month import gauge
from sendwatch.simulate import stream
from sendwatch.simulate.month_sheet import Sheet
from sendwatch.simulate.phrases import OTP, RETAIL, SERVICE
from sendwatch.simulate.story import Story
from sendwatch.simulate.truth import DAY, HOUR, Message
from sendwatch.simulate.write import pour

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.demo.stage import Stage, Worker

PARTITIONS = 4
SECONDS = float(os.environ.get("SENDWATCH_SOAK_SECONDS", "1800"))
A_DAY = max(400, int(SECONDS * 0.8))  # sends: years of them in half an hour, but not more than there have been
WAYS, PEOPLE = 60, 3000
CHUNK, AHEAD = 1000, 10_000
LOOK_SECONDS = 2.0
MORE, MEGABYTES = 1.05, 8  # by how much memory may grow from the third quarter to the last


class Traffic:
    """Sends without end, with reports and a few complaints; day after day from long ago."""

    def __init__(self) -> None:
        """A carrier of which nothing but the registries is used, and people who have consented to everybody's."""
        began = (int(time.time() * 1000) - 3800 * DAY) // DAY * DAY
        story = Story(1, 0, 500, 60, began, 1, violations=0.01, malformed=0.0, partitions=PARTITIONS)
        self._story, self._random, self._made = story, Random("soak"), 0
        self._sheet = Sheet(story.world)
        self._ways = [self._sheet.way() for _ in range(WAYS)]
        people = [self._sheet.people(PEOPLE // WAYS, way) for way in self._ways]
        self._pairs = [(way, person) for way, some in zip(self._ways, people, strict=True) for person in some]
        self._bodies = {klass: [self._sheet.body(klass) for _ in range(100)] for klass in (OTP, SERVICE, RETAIL)}

    @property
    def days(self) -> float:
        """How long it has lasted, in its own time."""
        return self._made / A_DAY

    def facts(self) -> Iterator[Message]:
        """The registries, and the consents."""
        yield from self._story.facts()
        yield from self._sheet.consents()

    def chunk(self) -> list[Message]:
        """The next sends and what comes back, in order."""
        sheet, random = self._sheet, self._random
        sheet.messages.clear()
        for _ in range(CHUNK):
            self._made += 1
            at = sheet.at(0, 0) + self._made * DAY // A_DAY
            way, person = random.choice(self._pairs)
            by_day = 9 <= (at - sheet.at(0, 0)) // HOUR % 24 < 20
            klass = RETAIL if by_day and random.random() < 0.6 else random.choice((OTP, SERVICE))
            sent = sheet.send(way, at, person, klass, random.choice(self._bodies[klass]))
            if klass == RETAIL:
                sheet.report(sent, "UNDELIV" if random.random() < 0.03 else "DELIVRD")
                if random.random() < 0.0005:
                    sheet.complain(sent)
        return sorted(sheet.messages, key=lambda message: message.timestamp)


def memory_of(process: Worker) -> float:
    """Its resident memory, in megabytes."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def flat(sizes: list[float]) -> bool:
    """Whether the last quarter is no greater than the third, but for little."""
    quarter = len(sizes) // 4
    return median(sizes[-quarter:]) < MORE * median(sizes[2 * quarter : 3 * quarter]) + MEGABYTES


def test_growth_is_told_from_swinging() -> None:
    """A leak of a fifth is one; what goes up and down, or up at first only, is none."""
    assert flat([100.0 + 30 * (number % 2) for number in range(80)])
    assert flat([100.0 + 5 * min(number, 10) for number in range(80)])
    assert not flat([100.0 + number for number in range(80)])


@pytest.mark.long
async def test_memory_stays_flat_at_full_speed(stage: Stage) -> None:
    """Of a worker and of the aggregator, once warm."""
    stage.overrides |= {"engine.cache_mb": "16", "engine.write_buffer_mb": "16"}  # which fill at once
    traffic, progress = Traffic(), Progress()
    worker, aggregator = stage.worker("worker"), stage.aggregator("aggregator")
    audience = Audience(stage.settings)
    await write(traffic.facts(), stage, None, progress.add)
    await worker.start()
    await aggregator.start()
    await audience.start()
    sizes: dict[str, list[float]] = {"worker": [], "aggregator": []}
    try:
        for process in (worker, aggregator):
            await until_ready(process)
        until, looked_at = time.monotonic() + SECONDS, time.monotonic()
        async with stream.writing(stage.settings) as outlet:
            while time.monotonic() < until:
                await pour(traffic.chunk(), *outlet, None, progress.add)
                while progress.written - audience.judged() > AHEAD:
                    await audience.look()
                if time.monotonic() - looked_at > LOOK_SECONDS:
                    looked_at = time.monotonic()
                    for process in (worker, aggregator):
                        process.check()
                        sizes[process.name].append(memory_of(process))
        lag = await asyncio.wait_for(gauge(aggregator, "sendwatch_ledger_behind_records"), 10)
    finally:
        await audience.stop()
        await worker.stop()
        await aggregator.stop()
    told = {name: [round(size) for size in some] for name, some in sizes.items()}
    print(f"{audience.judged():,} sends, {traffic.days:.0f} days, {lag:.0f} ledger records behind; memory {told}")  # noqa: T201
    assert traffic.days > 60, "the windows were not filled twice"
    assert lag is not None
    assert lag < 1000, "the aggregator does not keep up"
    assert flat(sizes["worker"]), told["worker"]
    assert flat(sizes["aggregator"]), told["aggregator"]
