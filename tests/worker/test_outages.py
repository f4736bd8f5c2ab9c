"""While Kafka is away: the worker waits and says so, stops when told to, ends only where waiting cannot help."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NotEnoughReplicasError,
    TopicAuthorizationFailedError,
)

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
    a_send,
    a_withdrawal,
    judged,
    net,
    rules_of,
    settings_of,
    settle,
)
from sendwatch import ledger
from sendwatch.app import take_leave
from sendwatch.worker.worker import LATELY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sendwatch.worker.worker import Worker

LOOKING = "sendwatch.worker.worker.LOOK_SECONDS"
FIRST_HALF: dict[str, Any] = {"part": {"ref": 7, "no": 1, "total": 2}, "text": "【云岭商贸】会员日全场女装八折，"}
SECOND_HALF: dict[str, Any] = {"part": {"ref": 7, "no": 2, "total": 2}, "text": "满300减50，欢迎选购。拒收请回复R"}


async def seconds_to_stop(worker: Worker) -> float:
    """Let a worker work for a moment, tell it to stop, and see how long it takes."""
    worker._consumer.on_idle = lambda: None
    await worker._registries.follow(0)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.3)
    assert not running.done()
    began = time.monotonic()
    worker.stop()
    async with asyncio.timeout(5):
        await running
    await worker.close()
    return time.monotonic() - began


def failures(worker: Worker, doing: str) -> float | None:
    """How many errors of Kafka were counted under this."""
    return worker._metrics.registry.get_sample_value("sendwatch_kafka_failures_total", {"doing": doing})


# -- stopping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 2, 3], ids=["claim", "flag", "range"])
async def test_a_worker_stops_while_kafka_refuses(at: int) -> None:
    """No write succeeds any more: it ends at once, and the next owner does again what was under way."""
    cluster = Cluster()
    cluster.produce(a_send())
    cluster.faults = [Fault(number, KafkaTimeoutError(), written=False) for number in range(at, 1000)]
    assert await seconds_to_stop(await cluster.worker()) < 1
    cluster.faults = []
    await settle(await cluster.worker())
    assert net(cluster.flags()) == net(judged([a_send()]).flags)
    assert cluster.books()["sends"].judged == 1


@pytest.mark.parametrize("what", ["publish", "append"])
async def test_a_worker_stops_while_kafka_does_not_answer(what: str) -> None:
    """A write that hangs, and nobody knows whether it was done: the same, a moment later."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await cluster.worker()
    outlet: Any = worker._publisher
    done = getattr(outlet, what)

    async def hang(*args: Any) -> Any:
        if what == "append" and args[2] == b"claim":
            return await done(*args)
        await done(*args)
        return await asyncio.Event().wait()

    setattr(outlet, what, hang)
    assert await seconds_to_stop(worker) < 3
    await settle(await cluster.worker())
    assert rules_of(cluster.flags()) == {"s": {"C1"}}
    assert cluster.books()["sends"].judged == 1


async def test_a_worker_that_stops_in_peace_finishes_its_round() -> None:
    """A write that takes a second is waited for: nothing is left to be done again."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await cluster.worker()
    outlet: Any = worker._publisher
    publish = outlet.publish

    async def slowly(messages: Any) -> None:
        await asyncio.sleep(1)
        await publish(messages)

    outlet.publish = slowly
    assert await seconds_to_stop(worker) < 2
    assert cluster.books()["sends"].judged == 1


class Closing:
    """A client that ends in its own way when it is closed."""

    def __init__(self, end: Callable[[], Awaitable[object]]) -> None:
        self.stop = end


async def cancelled() -> None:
    """End in a cancellation that nobody asked for."""
    raise asyncio.CancelledError


async def failed() -> None:
    """End in an error."""
    raise KafkaConnectionError


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (lambda: asyncio.sleep(0), None),
        (cancelled, "no answer"),
        (failed, "Connection"),
        (asyncio.Event().wait, "no ans"),
    ],
    ids=["well", "cancelled", "failed", "hanging"],
)
async def test_closing_goes_on_however_a_client_ends(
    end: Callable[[], Awaitable[object]], told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """The stores are closed after the consumer: nothing that aiokafka does may keep us from it."""
    await take_leave(Closing(end), 0.05)
    errors: list[Any] = caplog.records
    assert [told in each.error for each in errors] == ([] if told is None else [True])


# -- having nothing to do -----------------------------------------------------------------------------------------


async def refuse(*_: object) -> None:
    """As a server that is gone."""
    raise KafkaConnectionError


@pytest.mark.parametrize(
    ("answer", "told"), [(refuse, "KafkaConnectionError"), (asyncio.Event().wait, "no answer within")]
)
async def test_an_idle_worker_tells_that_kafka_is_away(
    answer: Callable[..., Awaitable[object]],
    told: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes round without Kafka: so it asks now and then, is not ready without an answer, and says why."""
    monkeypatch.setattr(LOOKING, 0.05)
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await settle(await cluster.worker())
    worker.patience.stopping.clear()
    ends, worker._answered_at = worker._consumer.end_offsets, -LATELY
    worker._consumer.end_offsets = lambda _: answer()
    before = failures(worker, "look") or 0
    await worker.measure()
    assert not worker.ready
    error: Any = caplog.records[-1]
    assert (error.doing, error.where, error.servers) == ("look", "sms.sends/0", "nowhere:9092")
    assert told in error.error
    assert failures(worker, "look") == before + 1
    worker._consumer.end_offsets = ends
    await worker.measure()
    assert worker.ready


# -- clocks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jumps", [(-600, 600), (600, -600), (-40 * 86_400, 0), (40 * 86_400, -40 * 86_400)])
async def test_a_clock_that_jumps_changes_no_verdict(jumps: tuple[int, int]) -> None:
    """By ten minutes or forty days, ahead or back, in the middle of the work: what counts is when records arrived."""
    cluster, events = Cluster(), [
        [a_send(), a_send("s2", at=NOW + HOUR), a_send("p1", at=NOW + 2 * HOUR, **FIRST_HALF)],
        [a_consent(at=NOW - DAY, arrived=NOW + HOUR), a_send("p2", at=NOW + 2 * HOUR, **SECOND_HALF)],
        [a_withdrawal(at=NOW + 30 * MINUTE, arrived=NOW + 3 * HOUR), a_send("s3", at=NOW + 4 * HOUR)],
    ]  # fmt: skip
    worker = await cluster.worker()
    for some, jump in zip(events, (0, *jumps), strict=True):
        worker._clock = partial(float, NOW / 1000 + jump)
        cluster.produce(*some)
        await settle(worker)
    desk = judged(*events)
    assert rules_of(cluster.flags()) == desk.rules != {}
    assert net(cluster.flags()) == net(desk.flags)
    assert cluster.books() == desk.books()


# -- waiting ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KafkaTimeoutError(), KafkaConnectionError(), NotEnoughReplicasError()])
async def test_a_take_over_waits_until_kafka_answers(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """Each attempt is told, with the servers and what was being done; then all is judged as ever."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent())
    cluster.outages = [error, error]
    worker = await cluster.worker()
    before = failures(worker, "take_over") or 0
    await settle(worker)
    assert cluster.books()["sends"].judged == 1
    told: list[Any] = [each for each in caplog.records if "taken over; trying again" in each.getMessage()]
    assert [(each.doing, each.servers) for each in told] == [("take_over", "nowhere:9092")] * 2
    assert "while taking over partition 0" in told[0].error
    assert failures(worker, "take_over") == before + 2


@pytest.mark.parametrize("error", [TopicAuthorizationFailedError("sms.ledger"), MemoryError("no")])
async def test_a_take_over_that_waiting_cannot_mend_ends_the_worker(error: Exception) -> None:
    """It lacks a right, or something else is broken: it ends, says why, and lets go of the store."""
    cluster = Cluster()
    cluster.outages = [error]
    worker = await cluster.worker()
    with pytest.raises(type(error)) as told:
        await settle(worker)
    assert told.value.__notes__ == ["while taking over partition 0"]
    assert worker.owned == {}


async def test_what_was_taken_over_is_not_claimed_again() -> None:
    """The second of two partitions has to wait: the first is not claimed once more for that."""
    cluster = Cluster(settings_of(topics__partitions="2"))
    worker = await cluster.worker(assigned=[0, 1])
    cluster.faults = [Fault(2, KafkaTimeoutError(), written=False)]
    await settle(worker)
    assert worker.ready
    for number in (0, 1):
        (claim,) = [ledger.decode.decode(each.value or b"") for each in cluster.records("ledger", number)]
        assert claim.epoch == 1


async def test_a_round_that_cannot_read_begins_anew() -> None:
    """The parts of a long message cannot be read back: everything is taken over anew, and nothing is left out."""
    cluster = Cluster()
    parts = [a_send("p1", **FIRST_HALF), a_send("p2", **SECOND_HALF)]
    cluster.produce(parts[0])
    await settle(await cluster.worker())
    cluster.produce(parts[1], a_send("s2"))
    worker = await cluster.worker()
    pick = worker._again._reader.pick
    tried: list[int] = []

    async def once(*args: Any) -> Any:
        tried.append(1)
        if len(tried) == 2:  # the first is that of the take-over
            raise KafkaTimeoutError
        return await pick(*args)

    worker._again._reader.pick = once  # type: ignore[assignment,method-assign]
    await settle(worker)
    assert len(tried) > 2
    assert net(cluster.flags()) == net(judged([*parts, a_send("s2")]).flags)
    books = cluster.books()["sends"]
    assert (books.judged, books.parts) == (2, 1)


async def test_a_long_message_that_waited_for_a_text_is_judged_whole_by_the_next_owner() -> None:
    """Its owner died before it had read the first part again; by then it is due, but nothing says it is not whole."""
    cluster = Cluster()
    parts = [a_send("p1", **FIRST_HALF), a_send("p2", **SECOND_HALF)]
    later = a_send("later", at=NOW + HOUR, recipient=BODO, text=CODE, category="otp")
    cluster.produce(parts[0])
    await settle(await cluster.worker())
    cluster.produce(parts[1], later)
    worker = await cluster.worker()

    async def die(*_: Any) -> Any:
        raise CrashError

    worker._again.fetch_parts = die  # type: ignore[assignment,method-assign]
    with pytest.raises(CrashError):
        await settle(worker)
    await settle(await cluster.worker())
    assert net(cluster.flags()) == net(judged([*parts, later]).flags)


async def test_a_worker_that_waits_is_not_ready() -> None:
    """Nothing is judged while it waits for a partition."""
    cluster = Cluster()
    worker = await settle(await cluster.worker())
    await worker.on_partitions_assigned(worker._consumer.assignment())
    cluster.outages = [KafkaTimeoutError()] * 100
    worker._consumer.on_idle = lambda: None
    worker.patience.stopping.clear()
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0.1)
    assert not worker.ready
    worker.stop()
    await running
