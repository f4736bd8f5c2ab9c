"""The canary: every partition is proven by sends that are known to flag, and nothing else is any different for it."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from engine_builders import JUDGING, NOW, Desk, Event
from sendwatch.demo import until_ready
from sendwatch.demo.audience import Audience
from sendwatch.demo.stage import Stage
from sendwatch.events import Send
from sendwatch.outgoing import read_flag
from sendwatch.partitions import partition_of
from sendwatch.reader import Reader
from sendwatch.settings import FLAG_THE_CANARY
from sendwatch.worker.books import read_books
from sendwatch.worker.canary import EVERY, PEOPLE, PORT, SLOTS, Rounds, people

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.outgoing import FlagEvent

BEGAN = NOW - 60_000


def rounds(partitions: int = 4, name: str = "mine") -> Rounds:
    """A canary that has not sent anything."""
    return Rounds(partitions, "SP-CANARY", name, BEGAN)


def flags_of(canary: Rounds, owned: set[int], at: int) -> dict[int, list[FlagEvent]]:
    """The flags that the sends of one turn get from a partition that is driven by hand."""
    judging = msgspec.structs.replace(JUDGING, canaries=frozenset({"SP-CANARY"}))
    found: dict[int, list[FlagEvent]] = {}
    for chirp in canary.chirps(owned, at):
        desk = Desk(judging=judging)
        desk.write(Event("sends", at, chirp.key, chirp.value)).work()
        assert {message.topic for message in desk.messages} == {"canary"}
        found[chirp.partition] = [read_flag(message.value) for message in desk.messages]
    return found


@pytest.mark.parametrize("partitions", [1, 4, 12])
def test_its_recipients_lie_on_every_partition(partitions: int) -> None:
    """As many on each, each once, always the same, and numbers that nobody has."""
    found = people(partitions)
    assert found == people(partitions)
    assert [len(some) for some in found] == [PEOPLE] * partitions
    assert len({number for some in found for number in some}) == PEOPLE * partitions
    for partition, some in enumerate(found):
        assert {partition_of(number.encode(), partitions) for number in some} == {partition}
        assert all(re.fullmatch("00999[0-9]{8}", number) for number in some)


@pytest.mark.parametrize("form", ["number", "token"])
def test_its_sends_are_in_order(form: Any) -> None:
    """Both forms of recipients take them."""
    (chirp,) = (chirp for canary in [rounds(1)] for _ in range(SLOTS) for chirp in canary.chirps({0}, NOW))
    send = Reader("sends", recipient_form=form)(chirp.key, chirp.value, NOW, Counter())
    assert isinstance(send, Send)
    assert (send.sp, send.sent_at, send.port) == ("SP-CANARY", NOW, PORT)


def test_every_owned_partition_has_its_turn_and_no_other() -> None:
    """One each in so many turns; recipients and ids change from one to the next."""
    canary, sent = rounds(12), []
    for turn in range(SLOTS * 2):
        sent += list(canary.chirps({1, 5, 6, 11}, NOW + turn))
    assert Counter(chirp.partition for chirp in sent) == {1: 2, 5: 2, 6: 2, 11: 2}
    assert len({chirp.key for chirp in sent}) == 8
    assert len({(chirp.key, json.loads(chirp.value)["id"]) for chirp in sent}) == 8


def test_its_sends_are_flagged_whatever_is_known() -> None:
    """By the rules that it counts on, one of which must be on."""
    canary = rounds(1)
    ((_, events),) = [found for turn in range(SLOTS) for found in flags_of(canary, {0}, NOW + turn).items()]
    assert {event.rule for event in events} == set(FLAG_THE_CANARY)
    assert {event.status for event in events} == {"raised"}


def test_a_round_trip_is_measured_once() -> None:
    """From the send to its first flag, by whoever sent it."""
    mine, other = rounds(2), rounds(2, "other")
    found: dict[int, list[FlagEvent]] = {}
    for turn in range(SLOTS):
        found |= flags_of(mine, {0, 1}, NOW + turn)
    first, second = found[0]
    at = first.send.at
    assert mine.hear(0, first, at + 250) == 0.25
    assert mine.hear(0, second, at + 300) is None
    assert other.hear(0, first, at + 250) is None


def test_it_proves_no_more_than_its_worst_partition() -> None:
    """Another worker's sends prove as much; old flags that come again prove nothing."""
    mine, other = rounds(2), rounds(2, "other")
    found: dict[int, list[FlagEvent]] = {}
    for turn in range(SLOTS):
        found |= flags_of(other, {0, 1}, NOW + turn)
    assert mine.proven == BEGAN
    mine.hear(0, found[0][0], NOW + 500)
    assert mine.proven == BEGAN
    mine.hear(1, found[1][0], NOW + 500)
    assert mine.proven == min(found[number][0].send.at for number in (0, 1))
    later = mine.answered[0] = NOW + 9000
    mine.hear(0, found[0][0], NOW + 9500)
    assert mine.answered[0] == later


async def test_it_goes_through_the_whole_pipe_and_into_no_count(bootstrap: str, prefix: str, tmp_path: Path) -> None:
    """On a broker: every partition comes back, `sms.flags` stays empty, no send is counted, the books balance."""
    stage = Stage(bootstrap, tmp_path, partitions=4, embedded=True, prefix=prefix)
    stage.overrides |= {"kafka.group": f"{prefix}group", "engine.canary_sp": "SP-CANARY"}
    stage.settings = stage.settings_of({})
    await stage.make_topics()
    worker, audience, began = stage.worker("singing"), Audience(stage.settings), time.time()
    await worker.start()
    await audience.start()
    try:
        await until_ready(worker)
        give_up_at = time.monotonic() + SLOTS * EVERY + 30
        told = await metrics_of(worker.address)
        while told["sendwatch_canary_roundtrip_seconds_count"] < 4 or audience.judged() < 4:
            worker.check()
            assert time.monotonic() < give_up_at, told
            await audience.look()
            told = await metrics_of(worker.address)
    finally:
        await audience.stop()
        assert await worker.stop() == 0
    assert told["sendwatch_canary_last_success_timestamp_seconds"] > began
    assert told["sendwatch_canary_roundtrip_seconds_sum"] < 4 * EVERY
    assert not sum(value for name, value in told.items() if name.startswith("sendwatch_events_decided_total"))
    assert not sum(value for name, value in told.items() if name.startswith("sendwatch_flags_"))
    assert not audience.flags
    assert not [gap for books in await read_books(stage.settings) for gap in books.gaps]
    assert "Unclosed" not in worker.log.read_text(encoding="utf-8")


async def metrics_of(address: str) -> dict[str, float]:
    """The samples of a worker's page."""
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}
