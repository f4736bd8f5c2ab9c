"""What the tests of replays on a broker share: workers that judge before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.demo import Progress, settled, until_ready, write
from sendwatch.demo.audience import Audience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.demo.stage import Stage
    from sendwatch.simulate import Message


async def judge(stage: Stage, name: str, more: dict[str, str], messages: Sequence[Sequence[Message]] = ()) -> None:
    """Have a worker of these settings judge all that is there, and then what is written while it works."""
    worker, audience, progress = stage.worker(name, more=more), Audience(stage.settings), Progress()
    await worker.start()
    await audience.start()
    try:
        await until_ready(worker)
        for some in messages:
            await write(some, stage, None, progress.add)
            while not await settled(audience, progress):
                worker.check()
                await audience.look()
    finally:
        await audience.stop()
        assert await worker.stop() == 0, worker.log.read_text()[-2000:]


def group_of(stage: Stage, name: str) -> dict[str, str]:
    """The workers' group; another where the embedded broker counts members that have left."""
    embedded = stage.overrides["kafka.idempotence"] == "false"
    return {"kafka.group": f"{stage.settings.kafka.group}-{name}"} if embedded else {}
