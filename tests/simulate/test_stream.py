"""The simulated carrier live: into topics that exist, by the clock, and only what can be judged as it was meant."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sendwatch.cli import main
from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import KEYS, Stage
from sendwatch.follow import follow
from sendwatch.simulate import Message, Story, stream
from sendwatch.simulate.stream import CannotSimulateError, Wish, by_the_clock, due_at, moment, sends_of

if TYPE_CHECKING:
    from pathlib import Path

NOON = 1_767_585_600_000  # 2026-01-05; a real Kafka refuses times more than an hour ahead
SMALL = Wish(rate=50.0, recipients=500, owners=60)


def a_send(sent_at: int, arrives: int) -> Message:
    """A send that comes so many ms after it was sent."""
    return Message("sends", b"r", json.dumps({"id": "s", "sent_at": sent_at}).encode(), sent_at + arrives)


def test_a_send_is_due_when_it_is_sent() -> None:
    """What is late on purpose comes late, and what cannot be read when its record says."""
    assert due_at(a_send(NOON, 1500)) == NOON
    assert due_at(a_send(NOON, 60_000)) == NOON + 60_000
    assert due_at(Message("sends", b"r", b"{", NOON)) == NOON
    assert due_at(Message("sends", None, None, NOON)) == NOON


async def test_it_goes_by_the_clock() -> None:
    """Nothing before its time, what is due at once, all as of the moment of writing."""
    seconds, written = [NOON], list[tuple[int, int, int]]()

    async def write(some: list[Message]) -> int:
        written.extend((seconds[0], due_at(each), each.timestamp) for each in some)
        return len(some)

    async def sleep(pause: float) -> None:
        seconds[0] += int(pause * 1000)

    due = [NOON - 500, NOON + 1, NOON + 250, NOON + 5000]
    told = await by_the_clock([a_send(at, 20) for at in due], write, lambda: seconds[0], sleep)
    assert told == len(due)
    assert [at for _, at, _ in written] == due
    assert all(at <= clock <= at + 600 for clock, at, _ in written)
    assert all(clock - 100 <= stamped <= clock for clock, _, stamped in written)


def test_what_is_long_past_is_left_out() -> None:
    """It would be measured as late; what is late on purpose is not."""
    early, just, late = a_send(NOON - 60_000, 20), a_send(NOON - 500, 20), a_send(NOON - 60_000, 60_000)
    assert list(stream.still_due([early, just, late], NOON)) == [just, late]


async def test_what_is_overdue_goes_out_in_portions() -> None:
    """A machine that slept does not gather all that it missed in memory."""
    portions: list[int] = []

    async def write(some: list[Message]) -> int:
        portions.append(len(some))
        return len(some)

    assert await by_the_clock([a_send(NOON, 20)] * 2500, write, lambda: NOON) == 2500
    assert portions == [1000, 1000, 500]


def test_a_story_told_again_later_has_other_ids() -> None:
    """Or its sends would be in conflict with those that are kept."""
    stories = [Story(1, 2000, 500, 60, start_at=NOON + later) for later in (0, 1000)]
    first, second = ({json.loads(m.value or b"")["id"] for m in islice(sends_of(story), 40)} for story in stories)
    assert first
    assert not first & second


def test_now_and_dates_are_understood() -> None:
    """Dates without a zone are Beijing's."""
    assert moment("now") is None
    assert moment("2026-11-11") == moment("2026-11-10T16:00:00+00:00") == 1_794_326_400_000
    with pytest.raises(ValueError, match="tomorrow"):
        moment("tomorrow")


async def test_it_tells_a_story_into_topics_that_exist(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """As many sends as wished for, on their own partitions; before the topics are there it refuses."""
    stage, told = Stage(bootstrap, tmp_path, partitions=4, embedded=True, prefix=prefix), list[str]()
    wish = Wish(rate=2000.0, sends=600, start_at=NOON, recipients=500, owners=60)
    with pytest.raises(CannotSimulateError, match=f"no such topics: {prefix}sms.sends, .*sendwatch topics apply"):
        await stream.run(stage.settings, wish, told.append)
    await stage.make_topics()
    assert await stream.run(stage.settings, wish, told.append) == 600
    (sentence,) = told
    assert "registry rows and consents written" in sentence
    worker = stage.worker("once", until_end=True)
    await worker.start()
    assert await worker.wait(60) == 0
    audience = Audience(stage.settings)
    await audience.start()
    while not await audience.caught_up():
        await audience.look()
    await audience.stop()
    assert audience.by_rule().total() > 10
    assert "key_mismatch" not in {event.reason for event in audience.quarantined.values() if not event.size}


async def test_started_now_it_is_of_today(
    bootstrap: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes by the clock from now on, and ends after as many sends as wished for."""
    monkeypatch.setattr(stream, "FOLDED_A_SECOND", 1_000_000)
    stage = Stage(bootstrap, tmp_path, partitions=4, embedded=True, prefix=prefix)
    await stage.make_topics()
    began, wish = stream.now(), Wish(rate=100.0, sends=60, recipients=500, owners=60)
    assert await stream.run(stage.settings, wish, lambda _: None) == 60
    found = [record async for record in follow(stage.settings, "sends", 0, to_end=True)]
    assert len(found) == 60
    assert all(began < record.timestamp <= stream.now() for record in found)


async def test_another_time_needs_topics_that_take_it(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """Where the broker stamps records, a week of another time would be judged as of now."""
    stage = Stage(bootstrap, tmp_path, partitions=4, embedded=True, prefix=prefix)
    settings = stage.settings_of({"topics.timestamps": "broker"})
    with pytest.raises(CannotSimulateError, match="sends of another time"):
        await stream.run(settings, Wish(start_at=NOON), lambda _: None)


def test_on_the_command_line_a_wrong_start_is_a_wrong_call() -> None:
    """And no server is a finding."""
    environment = KEYS | {"SENDWATCH_KAFKA__BOOTSTRAP": "127.0.0.1:1", "SENDWATCH_KAFKA__WAIT_SECONDS": "0"}
    wrong = CliRunner().invoke(main, ["simulate", "--start", "soon"], env=environment)
    assert wrong.exit_code == 2
    assert "'soon' is neither now nor an ISO date" in wrong.output
    nobody = CliRunner().invoke(main, ["simulate"], env=environment)
    assert nobody.exit_code == 1
    assert "nobody listens there" in nobody.output
