"""Two stages against a broker: several processes roll the ledger up, one adds up, some are gone meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from test_adding_up import IMITATION, PEOPLE, a_day, messages, published, until

from engine_builders import DAY, MINUTE, NOW, REGISTRIES, a_filing, a_send
from sendwatch.aggregator.breaches import add_up
from sendwatch.aggregator.rollup_fold import RollupFolding
from sendwatch.demo import until_ready, write
from sendwatch.demo.stage import Worker
from sendwatch.engine.store import RocksShared, RocksStore
from sendwatch.windows.asked import total
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits

if TYPE_CHECKING:
    from sendwatch.demo.stage import Stage

PARTITIONS = 4
ROLLUPS = {"breaches.rollups": "true", "breaches.rollup_seconds": "0.3"}


def held(board: Board) -> dict[str, Any]:
    """Every count of every table of hours, by subject and bucket; but for nothings."""
    return {
        name: {
            (subject, what, at): count
            for subject, row in table.rows.items()
            for what, line in row.items()
            for at, count in line.within(0, 1 << 40)
            if count
        }
        for name, table in board.tables().items()
        if not name.startswith("m.")
    }


async def counted(stage: Stage, sends: int) -> Board:
    """What rollups amount to, once so many sends are among them."""
    give_up_at = time.monotonic() + 60
    while total((board := (await add_up(stage.settings_of(ROLLUPS))).board), "all", (), "30d").sends < sends:
        assert time.monotonic() < give_up_at, total(board, "all", (), "30d")
    return board


@pytest.mark.parametrize(
    "how",
    [
        "frozen",
        pytest.param("stopped", marks=pytest.mark.kafka),  # for time: an embedded one takes long to share out anew
        pytest.param("killed", marks=pytest.mark.kafka),  # an embedded one keeps members that were killed
    ],
)
async def test_two_stages_count_and_tell_what_one_does(stage: Stage, how: str) -> None:
    """A name that looks like a filed one: open while one of two is gone, closed after; all counts as of one process."""
    worker, adding = stage.worker("judge"), Worker(stage, "adding", ("aggregate",), ROLLUPS)
    rollers = [Worker(stage, f"roller-{number}", ("rollup",), ROLLUPS) for number in range(2)]
    processes = [worker, adding, *rollers]
    await write(messages(*REGISTRIES, a_filing("z", signature="支付宝", owner="O2")), stage)
    try:
        for process in processes:
            await process.start()
        for process in processes:
            await until_ready(process)
        await write(messages(*a_day(1)), stage)
        await counted(stage, len(PEOPLE))
        await let_go(rollers[0], how)
        fake = a_send("fake", NOW - 8 * DAY + 299 * MINUTE, recipient=PEOPLE[7], text=IMITATION)  # last of the day
        await write(messages(*a_day(2, fake)), stage)
        (opened,) = await until(lambda events: events, stage)
        assert (opened.rule, opened.subject, opened.status) == ("B5_EVASION", {"signature": "支付寶"}, "open")
        if how == "frozen":
            rollers[0].pause(paused=False)
        else:
            await counted(stage, 2 * len(PEOPLE) + 1)  # by the other one alone
            await rollers[0].start()
        await write(messages(*a_day(3)), stage)
        await counted(stage, 3 * len(PEOPLE) + 1)
        await write(messages(*a_day(4)), stage)
        events = await until(lambda events: any(event.status == "closed" for event in events), stage)
        assert {event.breach_id for event in events} == {opened.breach_id}
        board = await counted(stage, 4 * len(PEOPLE) + 1)
        direct = await add_up(stage.settings)
        assert held(board) == held(direct.board)
        assert len(await published(stage)) == 2
    finally:
        for process in processes:
            await process.stop()
    store = RocksStore(adding.data_dir / "breaches", RocksShared(16, 16))
    try:
        folding = RollupFolding(Board(Limits()), store)
        assert held(folding.board) == held(direct.board)
    finally:
        store.close()


async def let_go(process: Worker, how: str) -> None:
    """Have a process be gone, in one of the ways there are."""
    if how == "stopped":
        await process.stop()
    elif how == "killed":
        process.kill()
        await process.wait(10)
    else:
        process.pause(paused=True)
