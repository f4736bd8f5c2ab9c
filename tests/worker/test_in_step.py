"""Sends never run far ahead of the facts that are still to be read, whatever Kafka gives first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine_builders import (
    BODO,
    DAY,
    HOUR,
    NOW,
    Cluster,
    a_complaint,
    a_consent,
    a_filing,
    a_reply,
    a_send,
    rules_of,
    settle,
)
from sendwatch import ledger

if TYPE_CHECKING:
    from sendwatch.worker.worker import Worker


async def rounds(worker: Worker, count: int = 6) -> None:
    """Read a few times and work on it, as `run` does."""
    for _ in range(count):
        await worker._round(await worker._consumer.getmany(max_records=2))


def judged(worker: Worker) -> int:
    """How many sends are committed."""
    return worker.owned[0].known("sends")


async def test_a_backlog_of_sends_waits_for_its_facts() -> None:
    """A consent two days and a half late clears its flag, though five days of sends could be read before it."""
    cluster = Cluster()
    cluster.produce(a_consent("early", at=NOW - HOUR, recipient=BODO))
    worker = await settle(await cluster.worker())
    worker._consumer.pause(worker.place("consents", 0))
    cluster.produce(a_send("s"), a_consent("late", at=NOW - DAY, arrived=NOW + 60 * HOUR))
    cluster.produce(*(a_send(f"later{day}", at=NOW + day * DAY, recipient=BODO) for day in range(1, 6)))
    await rounds(worker)
    assert judged(worker) == 1
    assert "C1" in rules_of(cluster.flags())["s"]
    worker._consumer.resume(worker.place("consents", 0))
    await settle(worker)
    assert judged(worker) == 6
    assert "s" not in rules_of(cluster.flags())


async def test_a_backlog_of_sends_waits_for_its_complaints() -> None:
    """A complaint is joined to its send, though six days of sends could be read before it."""
    cluster = Cluster()
    cluster.produce(a_complaint("early", at=NOW - DAY))
    worker = await settle(await cluster.worker())
    worker._consumer.pause(worker.place("complaints", 0))
    cluster.produce(a_send("s"), a_complaint("about-s", at=NOW + HOUR))
    cluster.produce(*(a_send(f"later{day}", at=NOW + day * DAY, recipient=BODO) for day in range(1, 7)))
    await rounds(worker)
    worker._consumer.resume(worker.place("complaints", 0))
    await settle(worker)
    found = [each for record in cluster.ranges() for each, _ in record.sums.complained]
    assert [(each.owner, each.found) for each in found] == [(None, "nothing"), ("O1", "latest")]


async def test_sends_go_on_as_far_as_facts_have_been_read() -> None:
    """Fact by fact; what lies ahead of the next one by half a day is judged before it."""
    cluster = Cluster()
    cluster.produce(a_reply("m0", at=NOW - HOUR, recipient=BODO))
    worker = await settle(await cluster.worker())
    replies = worker.place("replies", 0)
    worker._consumer.pause(replies)
    cluster.produce(*(a_reply(f"m{day}", at=NOW + day * DAY, recipient=BODO) for day in range(1, 4)))
    cluster.produce(*(a_send(f"s{hours}", at=NOW + hours * HOUR) for hours in (1, 11, 12, 36, 37, 61)))
    seen = []
    for _ in range(3):
        await rounds(worker)
        seen.append(judged(worker))
        worker._consumer.resume(replies)
        await worker._round({replies: worker._consumer._take(replies, 1)})
        worker._consumer.pause(replies)
    await rounds(worker)
    assert seen == [2, 4, 5]
    assert judged(worker) == 6


async def test_where_no_fact_is_left_sends_may_be_as_far_ahead_as_they_like() -> None:
    """Nothing is waited for that is not there."""
    cluster = Cluster()
    cluster.produce(a_consent(at=NOW - 400 * DAY))
    worker = await settle(await cluster.worker())
    cluster.produce(*(a_send(f"s{day}", at=NOW + day * DAY) for day in range(5)))
    await settle(worker)
    assert judged(worker) == 5


async def test_the_ledger_tells_when_the_registries_were_looked_back_for() -> None:
    """Also where nothing came of it: whoever reads the ledger knows that nothing is under way."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await settle(await cluster.worker())
    cluster.produce(a_filing("f9", signature="别处的店", ports=["1070"]))  # which concerns no send
    await settle(worker)
    entries = [entry for entry in cluster.entries() if isinstance(entry, ledger.Range)]
    assert entries[-1].registries["signatures"] == len(cluster.records("signatures"))
    assert len(entries) == len(cluster.ranges())
    count = len(entries)
    await settle(worker)
    assert len([entry for entry in cluster.entries() if isinstance(entry, ledger.Range)]) == count
