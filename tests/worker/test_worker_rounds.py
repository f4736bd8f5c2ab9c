"""A worker's rounds: what it waits for before it judges, what it refuses to go on without, and how it gives up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from engine_builders import (
    CODE,
    DAY,
    HOUR,
    NOW,
    Cluster,
    Fault,
    a_complaint,
    a_consent,
    a_filing,
    a_reply,
    a_report,
    a_send,
    assign,
    flags_of,
    quarantine_of,
    rules_of,
    settings_of,
    settle,
)
from sendwatch import ledger
from sendwatch.partitions import partition_of
from sendwatch.worker.take_over import LostRecordsError


async def test_a_worker_judges_what_is_there() -> None:
    """Facts and sends in, flags and books out; every kind of record is accounted for."""
    cluster = Cluster()
    cluster.produce(a_send("s1"), a_consent(), a_reply(at=NOW - HOUR), a_report("s1"), a_complaint(), a_send("s2"))
    worker = await settle(await cluster.worker())
    assert rules_of(cluster.flags()) == {"s1": {"C5"}, "s2": {"C5"}}
    books = cluster.books()
    assert books["sends"].judged == 2
    assert {kind: each.accepted for kind, each in books.items() if kind != "sends"} == dict.fromkeys(
        ("consents", "replies", "reports", "complaints"), 1
    )
    assert worker.finished
    assert worker.ready


async def test_what_comes_later_is_judged_in_later_rounds() -> None:
    """Sends one by one, a consent between them; the ranges join."""
    cluster = Cluster()
    worker = await cluster.worker()
    late = a_consent(at=NOW - DAY, arrived=NOW + 1)
    for event in (a_send("s1"), late, a_send("s2"), a_send("s3", recipient="13612345678")):
        cluster.produce(event)
        await settle(worker)
    assert rules_of(cluster.flags()) == {"s3": {"C1"}}
    assert cluster.books()["sends"].judged == 3


async def test_an_idle_worker_writes_nothing() -> None:
    """Reading its own flags again, or nothing at all, is no reason for a ledger record."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await settle(await cluster.worker())
    written = cluster.writes
    for _ in range(3):
        await settle(worker)
    assert cluster.writes == written


async def test_partitions_keep_to_themselves() -> None:
    """Each partition has its claim, its ledger, its flags; a key on a partition that is not its own is misplaced."""
    settings = settings_of(topics__partitions="2")
    cluster = Cluster(settings)
    sends = [a_send(recipient=f"1391234567{digit}") for digit in range(10)]
    here, there = (next(each for each in sends if partition_of(each.key or b"", 2) == number) for number in (0, 1))
    cluster.produce(here, there)
    cluster.produce(there, partition=1)
    worker = await cluster.worker(assigned=[0, 1])
    worker._judging.partitions = 2
    await settle(worker)
    reasons = quarantine_of(cluster.records("quarantine", 0) + cluster.records("quarantine", 1))
    assert reasons == {"sms.sends/0/1": "misplaced"}
    for number in (0, 1):
        (flag,) = flags_of(cluster.records("flags", number))
        assert (flag.source.partition, flag.source.offset) == (number, 0)


# -- what it waits for ---------------------------------------------------------------------------------------


async def test_sends_wait_for_facts_that_were_there() -> None:
    """Facts come in many small fetches, sends at once: nothing is judged before the last consent is folded."""
    cluster = Cluster()
    people = [f"139{number:08}" for number in range(50)]
    cluster.produce(*(a_send(f"s{number}", recipient=who) for number, who in enumerate(people)))
    cluster.produce(*(a_consent(f"c{number}", recipient=who) for number, who in enumerate(people)))
    worker = await cluster.worker()
    worker._batch = 1
    await settle(worker)
    assert cluster.records("flags") == []
    assert cluster.books()["sends"].judged == 50


async def test_sends_wait_for_the_registries() -> None:
    """A worker that has not read the filings yet judges nothing, and says that it is not ready."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent())
    worker = await cluster.worker()
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.2)
    before = worker.ready
    assert cluster.records("flags") == []
    await worker._registries.follow(0)
    async with asyncio.timeout(5):
        await running
    assert (before, worker.ready) == (False, True)
    assert cluster.records("flags") == []
    assert cluster.books()["sends"].judged == 1


async def test_a_worker_without_partitions_is_not_ready() -> None:
    """It owns nothing, so nothing is judged here; it is not done either."""
    worker = await settle(await Cluster().worker(assigned=[]))
    assert not worker.ready
    assert not worker.finished


async def test_offsets_without_records_are_accounted_for() -> None:
    """Holes that compaction or markers leave before a record are absent in the books."""
    cluster = Cluster()
    cluster.leave_holes("sends", 2)
    cluster.produce(a_send("s1"))
    cluster.leave_holes("sends", 3)
    cluster.produce(a_send("s2"), a_consent())
    await settle(await cluster.worker())
    assert (cluster.books()["sends"].judged, cluster.books()["sends"].absent) == (2, 5)


@pytest.mark.parametrize("kind", ["consents", "replies", "reports", "complaints", "sends"])
async def test_a_topic_may_end_in_offsets_without_records(kind: str) -> None:
    """A transaction marker at the end of a topic is read past: the worker becomes ready, and comes to an end."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent(), a_reply(at=NOW - HOUR), a_report(), a_complaint())
    cluster.leave_holes(kind, 1)
    worker = await cluster.worker()
    worker._batch = 1  # the next fetch brings the marker, and nothing else
    worker._pace = lambda *_: None  # type: ignore[method-assign]
    await settle(worker)
    assert worker.ready
    assert worker.finished


@pytest.mark.parametrize("kind", ["reports"])
async def test_a_topic_may_have_expired_altogether(kind: str) -> None:
    """All of them are older than their retention: there is nothing to wait for."""
    cluster = Cluster()
    cluster.produce(a_report(), a_consent(), a_reply(), a_complaint(), a_send())
    cluster.expire(kind)
    worker = await settle(await cluster.worker())
    assert worker.ready


async def test_flags_may_have_expired_altogether() -> None:
    """Of the own flags partition nothing is left since the last ledger record: there is nothing to wait for."""
    cluster = Cluster()
    cluster.produce(a_send())
    await settle(await cluster.worker())
    cluster.expire("flags")
    worker = await settle(await cluster.worker(disk={}))
    assert worker.ready


# -- what it refuses to go on without ------------------------------------------------------------------------


async def test_sends_that_expired_unjudged_are_told() -> None:
    """Retention was faster than the worker: it ends, and names topic, partition and the exact offsets."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    await settle(await cluster.worker())
    cluster.produce(a_send("s2"), a_send("s3"), a_send("s4"))
    cluster.expire("sends", 3)
    with pytest.raises(LostRecordsError, match=r"sms\.sends/0.*\[1, 3\)"):
        await settle(await cluster.worker())


async def test_sends_that_expire_while_it_works_are_told() -> None:
    """The same while it runs: offsets that retention took are no markers, and not to be passed over in silence."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    worker = await settle(await cluster.worker())
    cluster.produce(a_send("s2"), a_send("s3"), a_send("s4"))
    cluster.expire("sends", 3)
    with pytest.raises(LostRecordsError, match=r"sms\.sends/0.*\[1, 3\)"):
        await settle(worker)


async def test_consents_that_expired_unread_are_told() -> None:
    """A store is rebuilt from consents of which the first are gone: nobody's consent may be judged by the rest."""
    cluster = Cluster()
    cluster.produce(a_consent("c1"), a_consent("c2"), a_send())
    await settle(await cluster.worker())
    cluster.expire("consents", 1)
    with pytest.raises(LostRecordsError, match=r"sms\.consents/0"):
        await settle(await cluster.worker(disk={}))


async def test_a_ledger_that_was_made_anew_is_told() -> None:
    """The store has read further than the ledger reaches: it belongs to other topics."""
    cluster = Cluster()
    cluster.produce(a_send())
    await settle(await cluster.worker())
    cluster.logs[TopicPartition("sms.ledger", 0)].clear()
    with pytest.raises(LostRecordsError, match=r"sms\.ledger/0.*made anew"):
        await settle(await cluster.worker())


async def test_the_beginning_of_a_ledger_may_have_expired() -> None:
    """A store is rebuilt from a ledger whose first claim is gone: its ranges still say how far was judged."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    worker = await settle(await cluster.worker())
    cluster.produce(a_send("s2"))
    await settle(worker)
    cluster.expire("ledger", 2)  # the claim and the first range
    after = await settle(await cluster.worker(disk={}))
    first = after.owned[0].partition.position.standing.positions
    assert first["sends"] == 2
    judged = sum(each.spans["sends"].books.judged for each in cluster.ranges() if "sends" in each.spans)
    assert judged <= 1, "judged again"


async def test_a_record_that_no_topic_takes_ends_the_worker() -> None:
    """A ledger record above the limit of its topic is no passing trouble: it is an error, not a pause."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(at, MessageSizeTooLargeError(), written=False) for at in range(3, 1000)]
    worker = await cluster.worker()
    await worker._registries.follow(0)
    with pytest.raises(Exception, match=r"(?i)size|large"):
        async with asyncio.timeout(1.5):
            await worker.run()


# -- giving up and taking over -------------------------------------------------------------------------------


async def test_every_take_over_claims_with_the_next_epoch() -> None:
    """Also when a rebalance leaves a partition where it was."""
    cluster = Cluster()
    worker = await settle(await cluster.worker())
    await assign(worker, 0)
    await settle(worker)
    await settle(await cluster.worker(disk={}))
    claims = [each for each in cluster.entries() if isinstance(each, ledger.Claim)]
    assert [claim.epoch for claim in claims] == [1, 2, 3]
    assert {claim.worker for claim in claims} == {"tester"}


async def test_a_rebalance_that_changes_nothing_repeats_nothing() -> None:
    """The partition stays: its sends are not judged again, its flags not published again."""
    cluster = Cluster()
    cluster.produce(a_send("s1"), a_consent(at=NOW - DAY))
    worker = await settle(await cluster.worker())
    cluster.produce(a_send("s2", recipient="13612345678"))
    await settle(worker)
    before = len(cluster.records("flags"))
    await assign(worker, 0)
    await settle(worker)
    assert len(cluster.records("flags")) == before
    cluster.produce(a_send("s3", recipient="13612345678"))
    await settle(worker)
    assert cluster.books()["sends"].judged == 3
    assert worker.ready


async def test_a_partition_that_goes_elsewhere_is_let_go() -> None:
    """After the rebalance the worker knows nothing of it, and reads nothing of it."""
    cluster = Cluster(settings_of(topics__partitions="2"))
    worker = await settle(await cluster.worker(assigned=[0, 1]))
    await assign(worker, 1)
    await settle(worker)
    assert set(worker.owned) == {1}
    cluster.produce(a_send())
    await settle(worker)
    assert cluster.records("flags") == []


async def test_records_fetched_before_a_rebalance_are_left_alone() -> None:
    """They come back from the fetch when the partitions are somebody else's, or are to be read again."""
    cluster = Cluster()
    worker = await settle(await cluster.worker())
    cluster.produce(a_send())
    getmany = worker._consumer.getmany

    async def rebalanced_meanwhile(*args: Any, **options: Any) -> Any:
        fetched = await getmany(*args, **options)
        worker._consumer.getmany = getmany
        await assign(worker, 0)
        return fetched

    worker._consumer.getmany = rebalanced_meanwhile
    await settle(worker)
    assert cluster.books()["sends"].judged == 1
    assert len(cluster.records("flags")) == 1


async def test_a_worker_that_stops_has_committed_what_it_read() -> None:
    """It ends after the round under way; what was read is in the ledger, what was not is for the next."""
    cluster = Cluster()
    cluster.produce(*(a_send(f"s{number}", text=CODE, category="otp") for number in range(20)))
    worker = await cluster.worker()
    worker._batch = 5
    worker._pace = lambda *_: None  # type: ignore[method-assign]
    await worker._registries.follow(0)
    round_of = worker._round
    rounds = 0

    async def counted(fetched: Any) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            worker.stop()
        await round_of(fetched)

    worker._round = counted  # type: ignore[method-assign]
    await worker.run()
    await worker.close()
    judged = cluster.books()["sends"].judged
    assert 0 < judged < 20
    await settle(await cluster.worker())
    assert cluster.books()["sends"].judged == 20


async def test_until_the_end_means_what_was_there_at_take_over() -> None:
    """It is finished when everything that was there has been judged and committed, not before."""
    cluster = Cluster()
    cluster.produce(a_send("s1"), a_filing("f9"))
    worker = await cluster.worker()
    before = worker.finished
    await settle(worker)
    assert (before, worker.finished) == (False, True)
    cluster.produce(a_send("s2"))
    assert worker.finished
