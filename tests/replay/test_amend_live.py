"""A replay that publishes, on a broker: it corrects what another configuration says, and fights nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from replay_builders import group_of, judge

from sendwatch.audit import audit
from sendwatch.audit.show import as_lines
from sendwatch.demo import until_ready, write
from sendwatch.replay import Wish, replay
from sendwatch.replay.publish import CannotReplayError, publish
from sendwatch.simulate import Story
from sendwatch.worker.books import read_books

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.demo.stage import Stage

PARTITIONS = 3


@pytest.fixture
def stage(stage: Stage, tmp_path: Path) -> Stage:
    """The usual one, with a folder for the replay."""
    stage.overrides["engine.data_dir"] = str(tmp_path / "replay")
    stage.settings = stage.settings_of({})
    return stage


async def test_what_was_judged_by_other_settings_is_put_right(stage: Stage) -> None:
    """Quiet hours that ended too late, a rule that was off: cleared, raised, and the next worker leaves it so."""
    story = Story(
        6, 2500, recipients=800, owners=200, violations=0.1, partitions=PARTITIONS, neighbours=True, replies=True
    )
    await write(story.facts(), stage)
    sends = list(story.sends())
    again = [message for message in sends if message.kind == "sends"][-300:]  # so that the flags are accounted for
    settings = {"judging.quiet_until": "11", "rules.C8_NO_OPT_OUT_TEXT.mode": "off"}
    await judge(stage, "before", settings, [sends, again])
    expected = await replay(stage.settings, Wish())
    assert expected.cleared["B1_QUIET_HOURS"] > 20
    assert expected.raised["C8_NO_OPT_OUT_TEXT"] > 5

    done = await publish(stage.settings_of(group_of(stage, "again")), Wish())
    assert done.done == set(range(PARTITIONS))
    assert done.found.cleared["B1_QUIET_HOURS"] > 20
    assert not done.left
    found = await replay(stage.settings, Wish())
    assert found.empty, found.examples
    difference = await audit(stage.settings)
    assert difference.empty, "\n".join(as_lines(difference))
    assert not any(each.gaps for each in await read_books(stage.settings))

    await judge(stage, "after", {}, [again])
    assert (await replay(stage.settings, Wish())).empty
    assert (await audit(stage.settings)).empty


async def test_it_is_refused_while_workers_run(stage: Stage) -> None:
    """Two would only take partitions from each other."""
    worker = stage.worker("at-work")
    await worker.start()
    try:
        await until_ready(worker)
        with pytest.raises(CannotReplayError, match="has members"):
            await publish(stage.settings, Wish())
    finally:
        await worker.stop()
