"""A month against a broker: exactly the planted breaches open and close, and every sum is right, whoever is killed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sendwatch.cli import main
from sendwatch.demo.month import Play, Wish, prepare
from sendwatch.demo.stage import Worker
from sendwatch.simulate.month import Month

if TYPE_CHECKING:
    from sendwatch.demo.month_score import MonthScore
    from sendwatch.demo.stage import Stage

PARTITIONS = 4


async def play(stage: Stage, seed: int, workers: int, *, kill: bool) -> MonthScore:
    """Play a month with a small background to its end."""
    month = Month(seed, 2000, recipients=600, owners=60, partitions=PARTITIONS)
    prepare(stage, month)
    async with Play(stage, month, Wish(workers=workers, kill=kill), lambda _: None) as playing:
        return await playing.to_the_end()


async def test_a_month_opens_exactly_the_planted_breaches(stage: Stage) -> None:
    """One worker, and one process that adds up; what they count is what the topics hold."""
    score = await play(stage, 1, 1, kill=False)
    assert score.good, str(score)
    assert sum(score.planted.values()) == 12
    assert sum(score.closed.values()) == 8
    assert score.totals["flagged"] > 100
    assert score.totals["complaints"] > 30
    assert score.totals["honeypots"] == 2


@pytest.mark.parametrize("wrong", [["--kill"], ["--workers", "2"], ["--story", "month", "--audit"]])
def test_what_belongs_to_the_other_story_is_refused(wrong: list[str]) -> None:
    """Rather than left out without a word."""
    result = CliRunner().invoke(main, ["demo", "--exit", *wrong])
    assert result.exit_code == 2
    assert "are a" in result.output


@pytest.mark.kafka
async def test_two_stages_open_exactly_the_planted_breaches_though_all_are_killed(stage: Stage) -> None:
    """A worker, the process that adds up, and one of two that roll up for it; every sum is right to the last send."""
    stage.overrides |= {"breaches.rollups": "true", "breaches.rollup_seconds": "0.2"}
    rollers = [
        Worker(stage, name, ("rollup",), {"kafka.instance_id": name})  # started again, it has its partitions at once
        for name in ("roller-0", "roller-1")
    ]
    for process in rollers:
        await process.start()
    killed: list[str] = []
    killing = asyncio.create_task(kill_now_and_then(rollers[0], killed))
    try:
        score = await play(stage, 21, 2, kill=True)
        assert killing.cancel(), "it ended before its time"
    finally:
        killing.cancel()
        for process in rollers:
            await process.stop()
    assert score.ran.killed == ["worker-1", "aggregator"]
    assert len(killed) > 2
    assert score.good, str(score)


async def kill_now_and_then(process: Worker, killed: list[str]) -> None:
    """Kill it, and start it again, as long as it goes."""
    while True:
        await asyncio.sleep(8)
        process.kill()
        await process.wait(10)
        killed.append(process.name)
        await process.start()


@pytest.mark.kafka
@pytest.mark.parametrize("workers", [1, 3])
async def test_a_killed_worker_and_a_killed_aggregator_change_nothing(stage: Stage, workers: int) -> None:
    """Kill -9 of a worker, and of the process that adds up, in the middle of the month."""
    score = await play(stage, 10 + workers, workers, kill=True)
    assert score.ran.killed == ["worker-1", "aggregator"]
    assert score.good, str(score)
