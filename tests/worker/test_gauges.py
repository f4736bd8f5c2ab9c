"""What the gauges say of a worker: how far it is behind, by what it knows anyway; nothing of what it no longer owns."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from engine_builders import (
    ANNE,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    PREPARED,
    SETTINGS,
    Cluster,
    Event,
    a_consent,
    a_filing,
    a_reply,
    a_send,
    assign,
    settings_of,
    settle,
)
from sendwatch.app import _metrics
from sendwatch.worker.worker import LOOK_SECONDS

if TYPE_CHECKING:
    from aiokafka import TopicPartition

    from sendwatch.worker.worker import Worker


async def a_worker(cluster: Cluster, *assigned: int) -> Worker:
    """A worker with metrics of its own."""
    worker = await cluster.worker(assigned=assigned or (0,))
    worker._metrics = worker._committing._metrics = worker.patience._metrics = _metrics(SETTINGS, PREPARED)
    return worker


async def told(worker: Worker) -> dict[str, float]:
    """Every gauge and counter that tells something, after measuring; names without the prefix."""
    await worker.measure()
    page = worker._metrics.page().decode().splitlines()
    lines = [line.removeprefix("sendwatch_").rsplit(" ", 1) for line in page if line.startswith("sendwatch_")]
    return {name: float(value) for name, value in lines}


def at(worker: Worker, moment: int) -> None:
    """Set a worker's clock, in ms."""
    worker._clock = lambda: moment / 1000


def lag(kind: str, partition: int = 0) -> str:
    """The name of a partition's lag in records."""
    return f'consumer_lag_records{{partition="{partition}",topic="sms.{kind}"}}'


SENDS_SECONDS = 'consumer_lag_seconds{topic="sms.sends"}'
WATERMARK = 'watermark_timestamp_seconds{topic="sms.sends"}'


# -- lag ----------------------------------------------------------------------------------------------------------


async def test_a_worker_that_has_read_everything_is_not_behind() -> None:
    """However old what it read was."""
    cluster = Cluster()
    cluster.produce(a_send(at=NOW - DAY), a_consent(at=NOW - 9 * DAY))
    worker = await settle(await a_worker(cluster))
    found = await told(worker)
    assert {found[lag(kind)] for kind in ("sends", "consents", "replies", "reports", "complaints")} == {0}
    assert found[SENDS_SECONDS] == 0


async def test_sends_that_are_held_are_behind() -> None:
    """Tables catch up, no send is fetched: they count from the ledger's position to the end of the topic."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    await settle(await cluster.worker())
    cluster.produce(a_send("s2", at=NOW - HOUR), a_send("s3", at=NOW - MINUTE), a_consent())
    worker = await a_worker(cluster)
    worker._consumer.pause(worker.place("consents", 0))
    await worker._registries.follow(0)
    await worker._take_over()
    assert worker.owned[0].held
    found = await told(worker)
    assert found[lag("sends")] == 2
    assert found[SENDS_SECONDS] == 3600
    cluster.produce(a_send("s4"))
    assert (await told(worker))[lag("sends")] == 3


async def test_the_lag_is_that_of_the_partition_furthest_behind() -> None:
    """One partition reads fresh records, the other is an hour behind."""
    cluster = Cluster(settings_of(topics__partitions="2"))
    cluster.produce(a_send(at=NOW - HOUR), partition=1)
    worker = await a_worker(cluster, 0, 1)
    worker._consumer.pause(worker.place("sends", 1))
    resume = worker._consumer.resume
    worker._consumer.resume = lambda *places: resume(*(set(places) - {worker.place("sends", 1)}))
    cluster.produce(a_send("fresh"))
    await settle(worker)
    found = await told(worker)
    assert (found[lag("sends", 0)], found[lag("sends", 1)]) == (0, 1)
    assert found[SENDS_SECONDS] == 3600


async def test_a_batch_under_way_is_as_old_as_its_oldest_record() -> None:
    """Kafka does not take its flags: the age of what waits grows from the first record on, not from the last."""
    cluster = Cluster()
    worker = await settle(await a_worker(cluster))
    cluster.produce(a_send("s1", at=NOW - HOUR), a_send("s2"))
    outlet: Any = worker._publisher
    seen: list[dict[str, float]] = []

    async def publish(_: Any) -> None:
        seen.append(await told(worker))

    outlet.publish = publish
    await settle(worker)
    assert seen[0][SENDS_SECONDS] == 3600


async def test_one_record_after_a_quiet_hour_is_not_an_hour_late() -> None:
    """What came last was read then; nobody was behind since."""
    cluster = Cluster()
    cluster.produce(a_send("s1"))
    worker = await settle(await a_worker(cluster))
    at(worker, NOW + HOUR - 5000)
    await told(worker)
    at(worker, NOW + HOUR)
    cluster.produce(a_send("s2", at=NOW + HOUR))
    found = await told(worker)
    assert found[lag("sends")] == 1
    assert found[SENDS_SECONDS] == 5


# -- event time ---------------------------------------------------------------------------------------------------


async def test_event_time_is_that_of_the_partition_furthest_behind() -> None:
    """Where sends wait, it is the newest one judged; the partition next to it is up to date."""
    cluster = Cluster(settings_of(topics__partitions="2"))
    cluster.produce(a_send("s1", at=NOW - HOUR))
    worker = await settle(await a_worker(cluster, 0, 1))
    cluster.produce(a_send("s2"))
    assert (await told(worker))[WATERMARK] == (NOW - HOUR) / 1000


async def test_an_idle_partition_holds_nobody_back() -> None:
    """Of one nobody has got a message for an hour, of the other none ever: where nothing waits, it is now."""
    cluster = Cluster(settings_of(topics__partitions="2"))
    cluster.produce(a_send("s1", at=NOW - HOUR))
    worker = await settle(await a_worker(cluster, 0, 1))
    assert (await told(worker))[WATERMARK] == NOW / 1000


# -- what is no longer owned --------------------------------------------------------------------------------------


async def test_a_worker_that_loses_its_partitions_tells_nothing_of_them() -> None:
    """Another has them, and tells; the registries are everybody's."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent(), a_reply())
    worker = await settle(await a_worker(cluster))
    await told(worker)
    await assign(worker)
    await settle(worker)
    found = await told(worker)
    gone = ("consumer_lag", "committed_offset", "watermark", "table_")
    assert {name for name in found if name.startswith(gone) and "recipient" not in name} == {
        f'{name}{{table="{kind}"}}'
        for name in ("table_keys", "table_recovering", "table_heartbeat_timestamp_seconds")
        for kind in ("signatures", "ports", "owners")
    }
    assert found["worker_ready"] == 0


# -- registries ---------------------------------------------------------------------------------------------------


async def test_registry_records_are_counted_as_they_are_read() -> None:
    """Once each, however often is measured."""
    cluster = Cluster(registries=[a_filing()])
    worker = await settle(await a_worker(cluster))
    name = 'events_consumed_total{carrier="unknown",topic="sms.signatures"}'
    assert (await told(worker))[name] == 1
    cluster.produce(a_filing("f2"), a_filing("f3"))
    await settle(worker)
    await told(worker)
    assert (await told(worker))[name] == 3


async def test_rows_of_a_registry_are_counted_and_not_their_records() -> None:
    """One that is written again is one; one that is taken back is none."""
    cluster = Cluster(registries=[a_filing(), a_filing("f2")])
    cluster.produce(a_filing("f2", owner="O9"), a_filing("f3"), Event("signatures", NOW, b"f1", None))
    worker = await settle(await a_worker(cluster))
    assert (await told(worker))['table_keys{table="signatures"}'] == 2
    cluster.produce(Event("signatures", NOW, b"f1", None), Event("signatures", NOW, b"f2", None), a_filing("f1"))
    await settle(worker)
    assert (await told(worker))['table_keys{table="signatures"}'] == 2


# -- while Kafka is away ------------------------------------------------------------------------------------------


async def test_measuring_waits_for_nobody() -> None:
    """Kafka does not say where the held topics end: what is known is told soon."""
    cluster = Cluster()
    cluster.produce(a_send())
    worker = await a_worker(cluster)
    await worker._registries.follow(0)
    await worker._take_over()
    consumer: Any = worker._consumer
    consumer.end_offsets = lambda _: asyncio.Event().wait()
    async with asyncio.timeout(LOOK_SECONDS + 1):
        found = await told(worker)
    assert found[lag("sends")] == 1


async def test_measuring_in_the_middle_of_a_rebalance_does_no_harm() -> None:
    """The group has taken the partitions away, the worker does not know yet."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent(recipient=ANNE))
    worker = await settle(await a_worker(cluster))
    consumer: Any = worker._consumer
    consumer.positions = {}

    def highwater(place: TopicPartition) -> int:
        assert place in consumer.positions, "as aiokafka does"
        return cluster.end(place)

    consumer.highwater = highwater
    assert (await told(worker))[lag("sends")] == 0
    assert msgspec.json.encode(worker.finished)
