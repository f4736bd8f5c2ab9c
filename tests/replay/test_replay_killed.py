"""A replay that is killed between its flags and the ledger: whoever comes next puts right what it left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from replay_builders import group_of, judge

from engine_builders import tallied
from sendwatch import config, ledger
from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.demo import write
from sendwatch.demo.recount import everything
from sendwatch.demo.stage import KEYS
from sendwatch.outgoing import read_flag
from sendwatch.replay import Wish, replay
from sendwatch.replay.publish import publish
from sendwatch.simulate import Story
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from sendwatch.demo.stage import Stage
    from sendwatch.settings import Settings

PARTITIONS = 2
DYING = Path(__file__).with_name("dying.py")
AT_ONCE = 20  # corrections a commit of that one
AS_BEFORE = {"judging.quiet_until": "11", "rules.C8_NO_OPT_OUT_TEXT.mode": "off"}


async def die(stage: Stage, commits: int) -> None:
    """Replay everything, and be killed in the middle of so-manieth commit."""
    overrides = {**stage.overrides, **group_of(stage, "dying"), "engine.data_dir": str(stage.folder / "dying")}
    variables = {config.variable(key): value for key, value in overrides.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(DYING), str(commits), env={**os.environ, **KEYS, **variables}
    )
    async with asyncio.timeout(120):
        assert await process.wait() == -signal.SIGKILL


async def uncommitted(settings: Settings) -> int:
    """How many corrections of replays stand on the flags topic beyond those that the ledger tells of."""
    told = Counter[str]()
    reasons = [read_flag(record.value).because for record in await everything(settings, "flags")]
    for record in await everything(settings, "ledger"):
        entry = ledger.decode.decode(record.value)
        for tally in entry.tallies if isinstance(entry, ledger.Range) else ():
            told.update(tally.corrections)
    return sum(reason is not None and reason.id == "replay" for reason in reasons) - told.total()


async def unaccounted(settings: Settings) -> int:
    """How many flags lie beyond where the ledger says that its writers had read them: the next owner compares those."""
    read_to = dict.fromkeys(range(PARTITIONS), 0)
    for record in await everything(settings, "ledger"):
        entry = ledger.decode.decode(record.value)
        if isinstance(entry, ledger.Range):
            read_to[record.partition] = entry.flags_next
    return sum(record.offset >= read_to[record.partition] for record in await everything(settings, "flags"))


async def miscounted(settings: Settings) -> dict[str, int]:
    """By rule, how many flags more or fewer the ledger's sums tell of than stand."""
    counts, last = Counter[str](), {record.key: record for record in await everything(settings, "flags")}
    standings = {number: ledger.Standing() for number in range(PARTITIONS)}
    for record in await everything(settings, "ledger"):
        entry = ledger.decode.decode(record.value)
        if standings[record.partition].accept(entry) and isinstance(entry, ledger.Range):
            counts.update(tallied([entry]))
    counts.subtract(
        event.rule for event in map(read_flag, (each.value for each in last.values())) if event.status == "raised"
    )
    return {rule: count for rule, count in counts.items() if count}


@pytest.mark.parametrize("next_owner", [pytest.param("replay", marks=pytest.mark.long), "worker"])
async def test_what_a_killed_replay_left_is_put_right(stage: Stage, next_owner: str) -> None:
    """Some commits are whole, of the last the flags stand alone; then the same again, or first a worker."""
    story = Story(6, 1500, recipients=500, owners=150, violations=0.1, partitions=PARTITIONS, replies=True)
    await write(story.facts(), stage)
    sends = list(story.sends())
    again = [message for message in sends if message.kind == "sends"][-200:]
    await judge(stage, "before", AS_BEFORE, [sends, again])
    for number in range(3):  # what the ledger does not account for, a replay corrects before it begins
        if await unaccounted(stage.settings):
            await judge(stage, f"before-{number}", {**AS_BEFORE, **group_of(stage, f"before-{number}")}, [again])
    assert not await unaccounted(stage.settings)
    expected = await replay(stage.settings, Wish())
    wanted = expected.raised.total() + expected.cleared.total()
    assert wanted > 4 * AT_ONCE
    assert await uncommitted(stage.settings) == 0
    assert await miscounted(stage.settings) == {}

    await die(stage, 3)
    left = await replay(stage.settings, Wish())
    assert left.raised.total() + left.cleared.total() == wanted - 3 * AT_ONCE
    assert await uncommitted(stage.settings) == AT_ONCE, "it was not killed between flags and ledger"

    if next_owner == "worker":
        await judge(stage, "after", group_of(stage, "after"), [again])
        between = await replay(stage.settings, Wish())
        assert between.raised.total() + between.cleared.total() <= wanted - 3 * AT_ONCE, "it took corrections back"
    settings = stage.settings_of({**group_of(stage, "again"), "engine.data_dir": str(stage.folder / "again")})
    await publish(settings, Wish())
    assert (await replay(stage.settings, Wish())).empty
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))
    assert await miscounted(stage.settings) == {}
    assert not any(each.gaps for each in await read_books(stage.settings))
