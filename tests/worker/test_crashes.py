"""Whatever dies between two writes, loses its disk or comes back with an old one: the same flags stand."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError
from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine_builders import (
    BODO,
    CODE,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    Cluster,
    CrashError,
    Fault,
    a_consent,
    a_reply,
    a_send,
    judged,
    net,
    optouts_of,
    rules_of,
    settle,
    standing_of,
    tallied,
)
from histories import LONG_TIMES, histories
from sendwatch import ledger
from sendwatch.engine.store import MemoryStore
from sendwatch.kafka import patience

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine_builders import Event
    from sendwatch.engine.store import Store
    from sendwatch.worker import worker as worker_module


HISTORIES = histories(most=8) | histories(most=8, times=LONG_TIMES)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that waits for Kafka to recover does not wait long."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0)


def check(cluster: Cluster, events: Sequence[Event], *, tallies: bool = False) -> None:
    """The cluster is where a desk would be that worked on these events in peace."""
    desk = judged(events)
    assert net(cluster.flags()) == net(desk.flags)
    books = cluster.books()
    assert books == desk.books()
    for kind, records in desk.topics.items():
        assert books[kind].offsets == len(records) if records else kind not in books
    if tallies:
        assert tallied(cluster.ranges()) == Counter(flag.rule for flag in standing_of(cluster.flags()))


async def work(cluster: Cluster, disk: dict[int, Store] | None = None) -> bool:
    """Have a new worker work until all is done; False where it died on the way."""
    try:
        await settle(await cluster.worker(disk=disk))
    except CrashError:
        return False
    return True


def copied(disk: dict[int, Store]) -> dict[int, Store]:
    """The disk as it is now."""
    copy: dict[int, Store] = {number: MemoryStore() for number in disk}
    for number, store in disk.items():
        copy[number].write(dict(store.scan(b"")))
    return copy


def a_cluster(seed: int) -> Cluster:
    """A cluster whose fetches bring topics in no order, and not all at once."""
    cluster = Cluster()
    cluster.whims = Random(seed)
    return cluster


@settings(max_examples=40, deadline=None)
@given(
    HISTORIES,
    st.integers(1, 8),
    st.integers(1, 8),
    st.integers(2, 9),
    st.booleans(),
    st.sampled_from(["kept", "lost", "old"]),
    st.integers(0, 1000),
)
def test_a_crash_at_any_write_changes_nothing(
    events: Sequence[Event], first: int, second: int, at: int, written: bool, disk: str, whims: int
) -> None:
    """Killed before or after any write; restarted with its disk, without, or with an older one; more has come since."""

    async def story() -> None:
        cluster = a_cluster(whims)
        cluster.produce(*events[:first])
        await work(cluster)
        old = copied(cluster.disks)
        cluster.produce(*events[first : first + second])
        cluster.faults = [Fault(cluster.writes + at, CrashError(), written)]
        event("crashed" if not await work(cluster) else "came through")
        cluster.faults = []
        cluster.produce(*events[first + second :])
        if disk != "kept":
            cluster.disks = {} if disk == "lost" else old
        assert await work(cluster)
        check(cluster, events)

    asyncio.run(story())


@settings(max_examples=30, deadline=None)
@given(HISTORIES, st.integers(1, 7), st.integers(1, 7), st.integers(0, 1000))
def test_a_partition_goes_from_a_to_b_and_back(events: Sequence[Event], first: int, second: int, whims: int) -> None:
    """Two workers take turns, each with its own disk, which is out of date when it comes back."""

    async def story() -> None:
        cluster = a_cluster(whims)
        disks: tuple[dict[int, Store], dict[int, Store]] = ({}, {})
        for turn, part in enumerate([events[:first], events[first : first + second], events[first + second :], []]):
            cluster.produce(*part)
            assert await work(cluster, disks[turn % 2])
        check(cluster, events)

    asyncio.run(story())


@settings(max_examples=25, deadline=None)
@given(HISTORIES, st.lists(st.integers(1, 12), min_size=1, max_size=4), st.booleans())
def test_a_broker_that_fails_now_and_then_changes_nothing(
    events: Sequence[Event], at: list[int], written: bool
) -> None:
    """Writes that time out, be they written or not, are repeated until they are acknowledged; no range stands twice."""

    async def story() -> None:
        cluster = a_cluster(len(at))
        cluster.produce(*events)
        cluster.faults = [Fault(number, KafkaTimeoutError(), written) for number in at]
        assert await work(cluster)
        check(cluster, events, tallies=True)

    asyncio.run(story())


@pytest.mark.parametrize("written", [False, True])
async def test_a_claim_that_fails_is_tried_again(written: bool) -> None:
    """Nothing is read before the partition is claimed; if the failed claim was written, the next epoch is claimed."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(1, KafkaTimeoutError(), written)]
    assert await work(cluster)
    claims = [each.epoch for each in cluster.entries() if isinstance(each, ledger.Claim)]
    assert claims == ([1, 2] if written else [1])
    check(cluster, [a_send()], tallies=True)


async def test_a_failed_append_that_was_written_is_not_repeated() -> None:
    """The broker wrote the range and then said it had timed out: it stands once, and is applied."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(3, KafkaTimeoutError(), written=True)]  # claim, flag, range
    worker = await settle(await cluster.worker())
    assert len(cluster.ranges()) == 1
    assert worker.owned[0].partition.position.ledger_next == len(cluster.entries())


async def test_a_failed_append_that_was_not_written_is_repeated() -> None:
    """The range stands in the ledger in the end."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(at, KafkaTimeoutError(), written=False) for at in (3, 4)]
    await settle(await cluster.worker())
    assert len(cluster.ranges()) == 1
    check(cluster, [a_send()])


async def test_a_failed_append_that_is_written_later_counts_once() -> None:
    """The broker said that it had timed out, and wrote the range after the second attempt: it is void then."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await cluster.worker()
    outlet: Any = worker._publisher
    append = outlet.append
    late: list[Any] = []

    async def slowly(kind: str, partition: int, key: bytes | None, value: bytes) -> Any:
        if key is None and not late:
            late.append(value)
            raise KafkaTimeoutError
        offset = await append(kind, partition, key, value)
        if key is None and len(late) == 1:
            late.append(await append(kind, partition, key, late[0]))
        return offset

    outlet.append = slowly
    await settle(worker)
    cluster.produce(a_send("s2"))
    await settle(worker)
    check(cluster, [a_send(), a_send("s2")], tallies=True)


# -- stale and strange flags ---------------------------------------------------------------------------------

HEAD: dict[str, Any] = {
    "port": "10700000",
    "part": {"ref": 7, "no": 1, "total": 2},
    "text": "【云岭商贸】会员日全场女装八折，",
}
TAIL: dict[str, Any] = {
    "port": "10700000",
    "part": {"ref": 7, "no": 2, "total": 2},
    "text": "满300减50，欢迎选购。拒收请回复R",
}


async def crashed_after_raising() -> Cluster:
    """A worker has raised C1 of a send, and died before its ledger record was written; a consent has come since."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(3, CrashError(), written=False)]
    assert not await work(cluster)
    assert rules_of(cluster.flags()) == {"s": {"C1"}}
    cluster.produce(a_consent(at=NOW - DAY, arrived=NOW + HOUR))
    return cluster


async def test_a_stale_raise_of_a_crashed_attempt_is_cleared() -> None:
    """The next owner judges the send anew, finds it lawful, and clears what the dead one had raised."""
    cluster = await crashed_after_raising()
    assert await work(cluster)
    assert rules_of(cluster.flags()) == {}
    cleared = cluster.flags()[-1]
    assert (cleared.status, cleared.epoch, cleared.revision) == ("cleared", 2, 2)


async def test_tallies_add_up_after_a_stale_raise() -> None:
    """The sums of the ledger are those of the flags that stand: none, not minus one."""
    cluster = await crashed_after_raising()
    assert await work(cluster)
    assert tallied(cluster.ranges()) == Counter()


async def test_a_flag_that_was_corrected_meanwhile_is_not_strange() -> None:
    """The new owner clears what its predecessor raised, by a reply; reading the old raise then, it need do nothing."""
    cluster = Cluster()
    cluster.produce(a_send())
    assert await work(cluster)
    cluster.produce(a_reply(at=NOW - MINUTE))
    assert await work(cluster, {})
    assert rules_of(cluster.flags()) == {}
    assert [flag.status for flag in cluster.flags()] == ["raised", "cleared"]
    assert tallied(cluster.ranges()) == {}


async def test_a_stale_raise_is_cleared_for_good() -> None:
    """Another restart, with an empty disk, has nothing to add."""
    cluster = await crashed_after_raising()
    await work(cluster)
    before = len(cluster.records("flags"))
    cluster.disks = {}
    assert await work(cluster)
    assert len(cluster.records("flags")) == before


async def test_a_lost_correction_is_published_after_all() -> None:
    """The consent was folded and its correction died with the worker: the fact is read again, and corrects."""
    cluster = Cluster()
    cluster.produce(a_send())
    assert await work(cluster)
    cluster.produce(a_consent(at=NOW - DAY, arrived=NOW + HOUR))
    cluster.faults = [Fault(cluster.writes + 2, CrashError(), written=False)]  # after the claim
    assert not await work(cluster)
    assert rules_of(cluster.flags()) == {"s": {"C1"}}
    assert await work(cluster)
    assert rules_of(cluster.flags()) == {}


async def test_a_stale_raise_of_a_part_is_cleared_when_the_message_is_whole() -> None:
    """Two parts came after the dead owner had judged the last one alone: nothing is said of that one by itself."""
    events = [a_send("tail", **TAIL), a_send("later", NOW + HOUR, recipient=BODO)]
    more = [a_send("head", **HEAD), a_consent(at=NOW - DAY)]
    cluster = Cluster()
    cluster.produce(*events)
    cluster.faults = [Fault(4, CrashError(), written=False)]
    assert not await work(cluster)
    assert rules_of(cluster.flags())["tail"] == {"G8"}
    cluster.produce(*more)
    assert await work(cluster)
    assert "tail" not in rules_of(cluster.flags())
    check(cluster, [*events, *more], tallies=True)


async def test_a_message_that_ended_with_its_batch_stays_as_it_was_judged() -> None:
    """Days passed within the batch, so nothing is kept of it: whoever compares its flags has it from the ledger."""
    events = [a_send("head", **HEAD), a_send("tail", **TAIL), a_send("later", NOW + 5 * DAY, recipient=BODO)]
    cluster = Cluster()
    cluster.produce(*events)
    assert await work(cluster, {})
    assert "G8" in rules_of(cluster.flags())["head"]
    before = len(cluster.records("flags"))
    assert await work(cluster, {})
    assert len(cluster.records("flags")) == before
    check(cluster, events, tallies=True)


async def test_a_late_clear_of_a_frozen_owner_is_undone() -> None:
    """A frozen owner wakes up after it was replaced and clears a flag that stands: the new owner raises it again."""
    cluster = Cluster()
    cluster.produce(a_send())
    assert await work(cluster, {})
    frozen = await settle(await cluster.worker(disk={}))
    owner = await settle(await cluster.worker(disk={}))
    raised = cluster.records("flags")[-1]
    kept = judged([a_send()], [a_consent(at=NOW - DAY)]).messages[-1]
    headers = [(name, kept_id(value, 2) if name == "ce_id" else value) for name, value in kept.headers]
    place = TopicPartition("sms.flags", 0)
    cluster.append(place, NOW, raised.key, kept.value, headers)
    assert rules_of(cluster.flags()) == {}
    await settle(owner)
    assert rules_of(cluster.flags()) == {"s": {"C1"}}
    assert cluster.flags()[-1].epoch == 3
    assert frozen.owned[0].partition.epoch == 2


def kept_id(ce_id: bytes, epoch: int) -> bytes:
    """The same event id, written by another epoch."""
    return b"%s/%d" % (ce_id.rpartition(b"/")[0], epoch)


# -- two owners ----------------------------------------------------------------------------------------------


async def test_a_replaced_owner_is_fenced() -> None:
    """It does not know yet that another has claimed: what it appends is void, and it lets the partition go."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    frozen = await settle(await cluster.worker(disk={}))
    cluster.produce(a_send("s2"))
    owner = await settle(await cluster.worker(disk={}))
    cluster.produce(a_send("s3"))
    frozen._consumer.on_idle = frozen.stop
    claims = len([each for each in cluster.entries() if isinstance(each, ledger.Claim)])
    await one_round(frozen)
    assert frozen.owned == {}
    assert len([each for each in cluster.entries() if isinstance(each, ledger.Claim)]) == claims
    await settle(owner)
    check(cluster, [a_send("s1"), a_send("s2"), a_send("s3")])


async def one_round(worker: worker_module.Worker) -> None:
    """Read once and work on it, as `run` does."""
    await worker._round(await worker._consumer.getmany(max_records=200))


async def test_what_a_replaced_owner_published_is_put_right() -> None:
    """The frozen owner raises a flag that a consent, which only the new owner has read, makes wrong."""
    cluster = Cluster()
    other = a_consent("other", at=NOW - HOUR, recipient=BODO)  # so recent that the send need not wait
    cluster.produce(other)
    frozen = await settle(await cluster.worker(disk={}))
    cluster.produce(a_consent(at=NOW - DAY))
    owner = await settle(await cluster.worker(disk={}))
    cluster.produce(a_send())
    frozen._consumer.pause(frozen.place("consents", 0))
    await one_round(frozen)
    assert rules_of(cluster.flags()) == {"s": {"C1"}}
    await settle(owner)
    assert rules_of(cluster.flags()) == {}
    check(cluster, [other, a_consent(at=NOW - DAY), a_send()])


async def test_of_two_claims_at_once_one_wins() -> None:
    """Two workers claim with the same epoch at the same time: the second to be written is void, and tries again."""
    cluster = Cluster()
    one, other = await cluster.worker(disk={}), await cluster.worker(disk={})
    for worker in (one, other):
        await worker._registries.follow(0)
    outlet: Any = other._publisher
    append = outlet.append

    async def after_the_other(*args: Any) -> Any:
        outlet.append = append
        await settle(one)
        return await append(*args)

    outlet.append = after_the_other
    await settle(other)
    assert one.owned[0].partition.epoch != other.owned[0].partition.epoch


async def test_records_of_a_lower_epoch_are_void() -> None:
    """A range of a lower epoch after a claim is in the ledger, and is applied by nobody."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    await work(cluster, {})
    stale = cluster.records("ledger")[1]
    await work(cluster, {})
    cluster.append(TopicPartition("sms.ledger", 0), NOW, None, stale.value)
    cluster.produce(a_send("s2"))
    worker = await settle(await cluster.worker(disk={}))
    assert worker.owned[0].partition.position.standing.positions["sends"] == 2
    check(cluster, [a_send("s1"), a_send("s2")])


# -- a store that is lost ------------------------------------------------------------------------------------


def without(last: TopicPartition, getmany: Any) -> Any:
    """A fetch that brings of one topic nothing as long as there is something of the others."""

    async def others_first(*places: TopicPartition, **options: Any) -> Any:
        fetched = await getmany(*places, **options)
        consumer = getmany.__self__
        if last in fetched and len(fetched) > 1:
            consumer.seek(last, fetched.pop(last)[0].offset)
        return fetched

    return others_first


async def test_a_lost_store_raises_nothing_while_it_is_rebuilt() -> None:
    """Replies are read before consents: until all are folded nobody may take a refusal for the last word."""
    cluster = Cluster()
    cluster.produce(a_send("before"), a_reply(at=NOW + HOUR), a_consent(at=NOW + 2 * HOUR), a_send(at=NOW + 3 * HOUR))
    assert await work(cluster)
    cluster.produce(a_send("b", at=NOW + 3 * HOUR, recipient=BODO, text=CODE, category="otp"))
    assert await work(cluster)
    assert rules_of(cluster.flags()) == {"before": {"C1"}}
    before = cluster.records("flags")
    cluster.disks = {}
    worker = await cluster.worker()
    worker._consumer.getmany = without(worker.place("consents", 0), worker._consumer.getmany)
    await settle(worker)
    assert rules_of(cluster.flags()) == {"before": {"C1"}}
    assert cluster.records("flags") == before


async def test_a_lost_store_repeats_no_opt_out() -> None:
    """What was resolved and told is not told again when the store is rebuilt."""
    cluster = Cluster()
    cluster.produce(a_send())
    assert await work(cluster)
    cluster.produce(a_reply(at=NOW + HOUR))
    assert await work(cluster)
    assert [event.owners for event in optouts_of(cluster.records("optouts"))] == [("O1",)]
    cluster.disks = {}
    assert await work(cluster)
    assert len(cluster.records("optouts")) == 1


async def test_an_opt_out_is_not_told_before_the_sends_are_known() -> None:
    """All that lies there at the start is known before anything is said: nobody else is told that he was refused."""
    cluster = Cluster()
    cluster.produce(a_send(), a_reply(at=NOW + HOUR))
    assert await work(cluster)
    assert [event.owners for event in optouts_of(cluster.records("optouts"))] == [("O1",)]


async def test_an_opt_out_that_was_not_told_yet_is_told_by_the_next_owner() -> None:
    """The replies were folded and committed, then the owner died: with its disk or without, nobody is forgotten."""
    for disk in ("kept", "lost"):
        cluster = Cluster()
        cluster.produce(a_send())
        assert await work(cluster)
        cluster.produce(a_reply(at=NOW + HOUR), a_send("s2", at=NOW + 2 * HOUR, recipient=BODO))
        worker = await cluster.worker()

        async def die(*_: Any) -> Any:
            raise CrashError

        worker._again.tell = die  # type: ignore[assignment,method-assign]
        with pytest.raises(CrashError):
            await settle(worker)
        assert cluster.books()["replies"].accepted == 1
        assert cluster.records("optouts") == []
        if disk == "lost":
            cluster.disks = {}
        assert await work(cluster)
        assert [event.owners for event in optouts_of(cluster.records("optouts"))] == [("O1",)]
        cluster.disks = {}
        assert await work(cluster)
        assert len(cluster.records("optouts")) == 1


async def test_a_reply_that_is_aimed_anew_before_the_owner_tells_is_told_anew() -> None:
    """It was told to refuse nobody; the send that it answered comes late, and lies there when the next owner begins."""
    cluster = Cluster()
    cluster.produce(a_reply(at=NOW + HOUR, text="T"))
    assert await work(cluster)
    assert cluster.records("optouts") == []
    cluster.produce(a_send(at=NOW, arrived=NOW + 2 * HOUR))
    assert await work(cluster)
    assert [event.owners for event in optouts_of(cluster.records("optouts"))] == [("O1",)]


async def test_an_opt_out_does_not_wait_for_a_long_backlog() -> None:
    """After a minute it is told by what is known, and corrected afterwards as ever."""
    cluster = Cluster()
    cluster.produce(*(a_send(f"s{number}") for number in range(30)), a_reply(at=NOW + HOUR))
    worker = await cluster.worker()
    worker._batch, told_after = 1, []
    worker._pace = lambda *_: None  # type: ignore[method-assign]
    round_of = worker._round

    async def later(fetched: Any) -> None:
        worker._clock = lambda: NOW / 1000 + 61
        await round_of(fetched)
        told_after.append((len(cluster.records("optouts")), worker.owned[0].known("sends")))

    worker._round = later  # type: ignore[method-assign]
    await settle(worker)
    assert next(sends for optouts, sends in told_after if optouts) < 30
