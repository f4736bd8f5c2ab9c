"""The registries as a worker follows them: in full, in order, never half, and what is refused is told once."""

from __future__ import annotations

import msgspec
from aiokafka import TopicPartition

from engine_builders import (
    DAY,
    HOUR,
    NOW,
    PREPARED,
    Cluster,
    Consumer,
    Event,
    a_filing,
    a_port,
    a_row,
    settle,
)
from sendwatch.engine.judging import REGISTRY_KINDS, Judging
from sendwatch.registry import Registry
from sendwatch.worker.registries import Registries


async def following(cluster: Cluster) -> tuple[Registries, Judging]:
    """Registries that have begun to follow, and what is judged with."""
    registry = Registry(window=PREPARED.parameters.window)
    judging = msgspec.structs.replace(PREPARED, registry=registry, registry_positions={})
    registries = Registries(Consumer(cluster), judging, cluster.names)
    await registries.start()
    return registries, judging


def filed(judging: Judging, t: int = NOW) -> list[str]:
    """The ids of the filings of 云岭商贸 that are valid at `t`."""
    standing = judging.registry.standing("云岭商贸", None, "10690001", "sp1", "cm", "53", t, text_known=True)
    return sorted(filing.id for filing in standing.valid)


async def test_everything_is_read_from_the_beginning() -> None:
    """Rows of all five topics are there, and the positions say how far each was read."""
    registries, judging = await following(Cluster())
    before = registries.caught_up
    await registries.follow(0)
    assert (before, registries.caught_up) == (False, True)
    assert filed(judging) == ["f1"]
    assert judging.registry_positions == {"signatures": 2, "ports": 1, "letters": 0, "templates": 0, "owners": 2}


async def test_what_comes_later_is_taken_in() -> None:
    """New rows, changed rows, deleted rows."""
    cluster = Cluster(registries=[a_filing(), a_port()])
    registries, judging = await following(cluster)
    await registries.follow(0)
    cluster.produce(a_filing("f9"), a_filing("f1", valid_until=NOW - DAY))
    await registries.follow(0)
    assert filed(judging) == ["f9"]
    cluster.produce(Event("signatures", NOW, b"f9", None))
    await registries.follow(0)
    assert filed(judging) == []


async def test_a_row_speaks_from_its_arrival_less_the_window() -> None:
    """A filing that arrived late does not count for a send whose window had passed by then."""
    cluster = Cluster(registries=[a_filing(), a_port()])
    filing = a_filing("f9")._replace(timestamp=NOW + 73 * HOUR)
    cluster.produce(filing)
    registries, judging = await following(cluster)
    await registries.follow(0)
    assert filed(judging, NOW) == ["f1"]
    assert filed(judging, NOW + HOUR) == ["f1", "f9"]


async def test_empty_topics_are_caught_up_with() -> None:
    """Nobody has filed anything yet: that is no reason to wait."""
    registries, _ = await following(Cluster(registries=[]))
    await registries.follow(0)
    assert registries.caught_up


async def test_offsets_without_records_are_caught_up_with() -> None:
    """Compaction and markers leave holes at the end of a topic: the position counts, not the last record."""
    cluster = Cluster()
    cluster.leave_holes("signatures", 3)
    registries, judging = await following(cluster)
    await registries.follow(0)
    assert registries.caught_up
    assert judging.registry_positions["signatures"] == 5


async def test_more_than_one_fetch_is_read_before_it_is_caught_up() -> None:
    """With 5,000 filings it takes three fetches, and not before the last has it caught up."""
    cluster = Cluster(registries=[a_filing(f"f{number}") for number in range(5000)])
    registries, judging = await following(cluster)
    reached = []
    while not registries.caught_up:
        await registries.follow(0)
        reached.append(judging.registry_positions["signatures"])
    assert reached == [2000, 4000, 5000]


async def test_a_malformed_row_is_refused_and_the_row_stays() -> None:
    """The earlier record of the row goes on to speak; the refused one waits for its quarantine."""
    cluster = Cluster(registries=[a_filing(), a_port(), a_filing("f1", uses=["nonsense"]), a_row("owners", "O9")])
    registries, judging = await following(cluster)
    await registries.follow(0)
    assert filed(judging) == ["f1"]
    told = {(place.topic, place.partition, place.offset): rejected.reason for place, rejected, _ in registries.refused}
    assert told == {("sms.signatures", 0, 1): "impossible_value", ("sms.owners", 0, 0): "missing_field"}


async def test_a_refused_row_is_quarantined_once() -> None:
    """By the owner of partition 0, without any send, with the place where it lies; and not again with what follows."""
    cluster = Cluster()
    cluster.produce(a_filing("f1", ports=[]), a_row("owners", "O9"))
    worker = await settle(await cluster.worker())
    cluster.produce(a_row("templates", "t9"))
    await settle(worker)
    keys = [(record.key or b"").decode() for record in cluster.records("quarantine")]
    assert sorted(keys) == ["sms.owners/0/2", "sms.templates/0/0"], "a filing without ports is none that is refused"
    await settle(worker)
    assert len(cluster.records("quarantine")) == 2


async def test_a_new_owner_does_not_repeat_what_was_quarantined() -> None:
    """The ledger says how far the registries had been read when the refused records were quarantined."""
    cluster = Cluster()
    cluster.produce(a_row("owners", "O9"))
    await settle(await cluster.worker())
    assert len(cluster.records("quarantine")) == 1
    await settle(await cluster.worker())
    assert len(cluster.records("quarantine")) == 1


async def test_only_the_owner_of_partition_0_quarantines_rows() -> None:
    """Every worker reads the registries; one tells of them."""
    cluster = Cluster()
    cluster.produce(a_row("owners", "O9"))
    worker = await settle(await cluster.worker(assigned=[1]))
    assert cluster.records("quarantine") == cluster.records("quarantine", 1) == []
    await worker.close()


async def test_the_ledger_carries_how_far_the_registries_were_read() -> None:
    """So that anybody can tell by what a range was judged."""
    cluster = Cluster()
    cluster.produce(a_filing("f9"))
    cluster.produce(Event("sends", NOW, b"13912345678", b"{}"))
    await settle(await cluster.worker())
    (written,) = cluster.ranges()
    assert written.registries == {"signatures": 3, "ports": 1, "letters": 0, "templates": 0, "owners": 2}


async def test_consumers_are_not_asked_for_places_that_are_not_theirs() -> None:
    """The follower has the five registry topics, one partition each, and no group."""
    cluster = Cluster()
    registries, _ = await following(cluster)
    places = registries._consumer.assignment()
    assert places == {TopicPartition(cluster.names[kind], 0) for kind in REGISTRY_KINDS}
