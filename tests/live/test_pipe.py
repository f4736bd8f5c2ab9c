"""The whole pipe against a broker: a simulated week in, flags out, with crashes in the middle."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import aiohttp
import pytest

from sendwatch import rules
from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.demo import Progress, score_of, settled, until_ready, write
from sendwatch.demo.audience import Audience
from sendwatch.demo.recount import everything
from sendwatch.simulate import Canary, Story
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sendwatch.demo.show import Score
    from sendwatch.demo.stage import Stage, Worker

PARTITIONS = 4
QUIET_SECONDS = 10.0
NUMBER, SENTENCE = "19912345678", "此句只为查验隐私而写绝不可外泄"


def a_story(seed: int, sends: int, canary: Canary | None = None, late: float = 0.0, repeats: float = 0.003) -> Story:
    """A small week with everything planted in it."""
    return Story(
        seed, sends, recipients=2000, owners=200, partitions=PARTITIONS, canary=canary, repeats=repeats,
        neighbours=True, replies=True, long_messages=True, late=late,
    )  # fmt: skip


async def until(audience: Audience, reached: Callable[[], bool], within: float = 120.0) -> None:
    """Follow what comes out until something is the case."""
    give_up_at = time.monotonic() + within
    while not reached():
        assert time.monotonic() < give_up_at, "it did not come so far in time"
        await audience.look()


def judged_more_than(audience: Audience, sends: float) -> bool:
    """Whether so many sends have been judged."""
    return audience.judged() > sends


async def finish(story: Story, audience: Audience, progress: Progress, stage: Stage, began: float) -> Score:
    """Follow until everything written is judged, and hold it against the truth.

    The ledger accounts for records: it does not tell whether all is put right that a crashed attempt had published.
    So where the truth is missed, the flags are followed for as long as any come, and a while longer.
    """
    while not await settled(audience, progress):
        assert time.monotonic() - began < 300, "the workers did not come to an end"
        await audience.look()
    books = await read_books(stage.settings)
    took, gaps = time.monotonic() - began, sum(len(each.gaps) for each in books)
    score, quiet_since = score_of(story, audience, took, gaps), time.monotonic()
    while not score.good and time.monotonic() - quiet_since < QUIET_SECONDS:
        flags = audience.records["flags"]
        await audience.look()
        if audience.records["flags"] > flags:
            score, quiet_since = score_of(story, audience, took, gaps), time.monotonic()
    return score


@asynccontextmanager
async def at_work(
    stage: Stage, story: Story, progress: Progress, *names: str
) -> AsyncIterator[tuple[Audience, list[Worker]]]:
    """Facts written, workers started and ready, and somebody who looks; stopped at the end, come what may."""
    workers, audience = [stage.worker(name) for name in names], Audience(stage.settings)
    await write(story.facts(), stage, None, progress.add)
    for worker in workers:
        await worker.start()
    await audience.start()
    try:
        for worker in workers:
            await until_ready(worker)
        yield audience, workers
    finally:
        await audience.stop()
        for worker in workers:
            await worker.stop()


async def test_a_week_is_judged_as_it_was_planted(stage: Stage) -> None:
    """One worker finds every planted flag and refuses every malformed record, and nothing else."""
    story, progress = a_story(11, 4000), Progress()
    async with at_work(stage, story, progress, "alone") as (audience, (worker,)):
        began = time.monotonic()
        await write(story.sends(), stage, None, progress.add)
        score = await finish(story, audience, progress, stage, began)
        status = await worker.stop()
    assert score.good, str(score)
    assert score.planted.keys() == rules.discover().keys()
    assert len(score.refused) >= 8
    assert status == 0


async def test_late_facts_correct_the_record(stage: Stage) -> None:
    """A fifth of the facts come after sends that they bear on: flags are cleared and raised, and all ends well."""
    story, progress = a_story(12, 4000, late=0.2), Progress()
    async with at_work(stage, story, progress, "alone") as (audience, _):
        began = time.monotonic()
        await write(story.sends(), stage, 1000, progress.add)
        score = await finish(story, audience, progress, stage, began)
    assert score.good, str(score)
    assert score.cleared.get("C1_CONSENT_MISSING"), "no consent was late"
    assert score.raised_late.get("C5_AFTER_OPT_OUT"), "no withdrawal was late"
    assert score.raised_late.get("G3_SIGNATURE_LAPSED"), "no revocation was looked back for"
    assert score.cleared.get("G5_SUBLEASE"), "no letter was looked back for"
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))


SEEDS = [21, pytest.param(22, marks=pytest.mark.kafka), pytest.param(23, marks=pytest.mark.kafka)]
LONG_SEEDS = [pytest.param(seed, marks=[pytest.mark.kafka, pytest.mark.long]) for seed in range(24, 31)]


@pytest.mark.parametrize("seed", [*SEEDS, *LONG_SEEDS])
async def test_a_crash_in_the_middle_changes_nothing(stage: Stage, seed: int) -> None:
    """Two workers, one killed and restarted and at last asked to stop, give the flags that one alone gives."""
    sends = int(os.environ.get("SENDWATCH_TEST_SENDS", "6000"))
    story, progress = a_story(seed, sends), Progress()
    async with at_work(stage, story, progress, "first", "second") as (audience, (first, second)):
        began = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, sends / 10, progress.add))
        await until(audience, lambda: audience.judged() > sends * 0.3)
        epochs = sum(standing.epoch for standing in audience.standing.values())
        first.kill()
        assert await first.wait(10) == -signal.SIGKILL
        judged_at_kill = audience.judged()
        await first.start()
        await until_ready(first)
        await until(audience, lambda: audience.judged() > sends * 0.7)
        asked_at = time.monotonic()
        assert await second.stop() == 0
        assert time.monotonic() - asked_at < 15
        await writing
        score = await finish(story, audience, progress, stage, began)
    assert score.good, str(score)
    assert judged_at_kill < story.truth.counts["sends"], "the kill came when all was done"
    assert sum(standing.epoch for standing in audience.standing.values()) > epochs, "nobody took over"


@pytest.mark.kafka
async def test_a_frozen_owner_that_wakes_changes_nothing(stage: Stage) -> None:
    """Frozen past its session in the middle of its work, and taken over from: what it writes when it wakes is void."""
    sends = int(os.environ.get("SENDWATCH_TEST_SENDS", "6000"))
    story, progress = a_story(31, sends, late=0.2), Progress()
    async with at_work(stage, story, progress, "first", "second") as (audience, (first, _)):
        began = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, sends / 16, progress.add))
        await until(audience, partial(judged_more_than, audience, sends * 0.3))
        epochs = {number: standing.epoch for number, standing in audience.standing.items()}
        first.pause(paused=True)
        judged_when_frozen = audience.judged()
        await until(
            audience, lambda: 2 * sum(each.epoch > epochs[at] for at, each in audience.standing.items()) >= len(epochs)
        )
        first.pause(paused=False)
        await writing
        score = await finish(story, audience, progress, stage, began)
    assert score.good, str(score)
    assert judged_when_frozen < story.truth.counts["sends"], "it was frozen when all was done"
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))


LATE_SEEDS = [pytest.param(seed, marks=pytest.mark.kafka) for seed in range(51, 54)]
LONG_LATE_SEEDS = [pytest.param(seed, marks=[pytest.mark.kafka, pytest.mark.long]) for seed in range(54, 71)]


@pytest.mark.parametrize("seed", [*LATE_SEEDS, *LONG_LATE_SEEDS])
async def test_late_facts_and_two_crashes_change_nothing(stage: Stage, seed: int) -> None:
    """Late facts, duplicates and parts, and both of two workers killed: in the end, what an audit computes apart."""
    sends = int(os.environ.get("SENDWATCH_TEST_SENDS", "6000"))
    story, progress = a_story(seed, sends, late=0.2, repeats=0.03), Progress()
    judged_at_kill = []
    async with at_work(stage, story, progress, "first", "second") as (audience, workers):
        began = time.monotonic()
        writing = asyncio.create_task(write(story.sends(), stage, sends / 16, progress.add))
        epochs = sum(standing.epoch for standing in audience.standing.values())
        for worker, part in zip(workers, (0.2, 0.6), strict=True):
            await until(audience, partial(judged_more_than, audience, sends * part))
            worker.kill()
            assert await worker.wait(10) == -signal.SIGKILL
            judged_at_kill.append(audience.judged())
            await worker.start()
        await writing
        score = await finish(story, audience, progress, stage, began)
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))
    assert score.good, str(score)
    assert max(judged_at_kill) < story.truth.counts["sends"], "the kill came when all was done"
    assert sum(standing.epoch for standing in audience.standing.values()) > epochs + 1, "nobody took over"
    assert sum(score.raised_late.values()), "no late fact raised a flag"
    assert sum(score.cleared.values()), "no late fact cleared a flag"
    accounted = difference.accounted
    assert accounted["sends"]["duplicates"] > 50
    assert accounted["sends"]["parts"] > 10
    assert accounted["consents"]["duplicates"] > 100


async def test_nothing_personal_comes_out(stage: Stage) -> None:
    """A planted number and a planted sentence are in no flag, quarantine or ledger record, log line or metric."""
    story, progress = a_story(41, 3000, Canary(NUMBER, SENTENCE)), Progress()
    async with at_work(stage, story, progress, "discreet") as (audience, (worker,)):
        await write(story.sends(), stage, None, progress.add)
        await finish(story, audience, progress, stage, time.monotonic())
        async with aiohttp.ClientSession() as session, session.get(f"{worker.address}/metrics") as answer:
            metrics = await answer.read()
            assert answer.status == 200
    went_in = await content(stage, "sends")
    assert NUMBER.encode() in went_in
    assert SENTENCE.encode() in went_in, "nothing was planted"
    outputs = {kind: await content(stage, kind) for kind in ("flags", "quarantine", "ledger", "optouts", "canary")}
    outputs |= {"log": worker.log.read_bytes(), "metrics": metrics}
    assert outputs["flags"], "there were no flags to look at"
    assert b"sendwatch_flags_total" in outputs["metrics"], "there were no metrics to look at"
    assert b"Unclosed" not in outputs["log"], "the worker did not close what it opened"
    for name, told in outputs.items():
        assert NUMBER.encode() not in told, name
        assert SENTENCE.encode() not in told, name
        assert SENTENCE.encode("unicode_escape") not in told, name


async def content(stage: Stage, kind: str) -> bytes:
    """Keys, values and headers of a whole topic, run together."""
    records = await everything(stage.settings, kind)
    return b"\n".join((each.key or b"") + (each.value or b"") + repr(each.headers).encode() for each in records)
