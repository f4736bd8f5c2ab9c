"""`sendwatch topics plan|apply` against a server."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sendwatch.cluster import Kafka, Topics
from sendwatch.kafka.connection import CannotConnectError
from sendwatch.kafka.topics import Survey, TopicsRefusedError, apply, survey
from sendwatch.settings import Settings
from sendwatch.topics import KEYS


def settings(bootstrap: str, topics: Topics) -> Settings:
    return Settings(kafka=Kafka(bootstrap=bootstrap, wait_seconds=1), topics=topics)


def needs(found: Survey) -> set[str]:
    return {change.need for change in found.changes}


async def names(bootstrap: str) -> set[str]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        return set(await client.list_topics())
    finally:
        await client.close()


async def test_topics_are_made_once_and_then_are_as_declared(bootstrap: str, prefix: str) -> None:
    """Looking makes nothing; making makes everything; making again changes nothing."""
    wanted = settings(bootstrap, Topics(prefix=prefix, partitions=3, timestamps="producer"))
    before = await survey(wanted)
    assert needs(before) == {"create"}
    assert not {name for name in await names(bootstrap) if name.startswith(prefix)}
    assert needs(await apply(wanted)) == {"create"}
    assert len({name for name in await names(bootstrap) if name.startswith(prefix)}) == len(KEYS)
    after = await apply(wanted)
    assert (needs(after), after.notes) == ({"keep"}, [])


async def test_wrong_partitions_are_refused_before_anything_is_made(bootstrap: str, prefix: str) -> None:
    """One topic with another number, and none of the others is made."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    await client.create_topics([NewTopic(f"{prefix}sms.consents", 5, 1)])
    await client.close()
    for _ in range(100):
        if f"{prefix}sms.consents" in await names(bootstrap):
            break
        await asyncio.sleep(0.1)
    with pytest.raises(TopicsRefusedError, match=r"sms\.consents has 5 partitions, 3 wanted") as caught:
        await apply(settings(bootstrap, Topics(prefix=prefix, partitions=3)))
    assert "set topics.partitions = 5" in str(caught.value)
    assert {name for name in await names(bootstrap) if name.startswith(prefix)} == {f"{prefix}sms.consents"}


async def test_a_topic_made_meanwhile_by_somebody_else_is_looked_at_again(bootstrap: str, prefix: str) -> None:
    """Made as declared it is fine, and both may go on."""
    wanted = settings(bootstrap, Topics(prefix=prefix, partitions=3))
    await asyncio.gather(apply(wanted), apply(wanted))
    assert needs(await survey(wanted)) == {"keep"}


async def test_what_differs_is_told_and_left_alone(bootstrap: str, prefix: str) -> None:
    """Retention is not shortened behind anybody's back."""
    await apply(settings(bootstrap, Topics(prefix=prefix, partitions=3, audit_days=10)))
    for _ in range(2):
        found = await apply(settings(bootstrap, Topics(prefix=prefix, partitions=3, audit_days=20)))
        differing = [change.sentence for change in found.changes if change.need == "differs"]
        assert len(differing) == 6
        sentence = f"{prefix}sms.signatures: min.compaction.lag.ms is 864000000, declared is 1728000000"
        assert sentence in differing


async def test_a_server_that_is_not_there_is_named(unused_tcp_port: int) -> None:
    """A bounded wait, the reason while it lasts, the address, what was being done."""
    told: list[str] = []
    with pytest.raises(CannotConnectError) as caught:
        await survey(settings(f"127.0.0.1:{unused_tcp_port}", Topics()), told.append)
    why = f"looking at topics: no Kafka server can be used. 127.0.0.1:{unused_tcp_port}: nobody listens there"
    assert str(caught.value) == f"{why} (waited 1 s)"
    assert told == [f"{why}; trying for 1 s more"]
