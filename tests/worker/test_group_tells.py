"""Where a worker's pages are, told by way of the consumer group."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from engine_builders import settings_of
from sendwatch.kafka.group import addresses, telling
from sendwatch.worker.lookup import address_of


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "127.0.0.1:8066"),
        ({"web__host": "10.0.0.8", "web__port": "9000"}, "10.0.0.8:9000"),
        ({"web__host": "::1"}, "[::1]:8066"),
        ({"web__host": "0.0.0.0", "web__advertised": "worker-3.sendwatch:8066"}, "worker-3.sendwatch:8066"),
    ],
)
def test_a_worker_tells_where_it_listens_unless_told_otherwise(given: dict[str, Any], told: str) -> None:
    """Behind a name service it is told otherwise."""
    assert address_of(settings_of(**given).web) == told


def test_a_worker_that_listens_everywhere_tells_its_machines_name() -> None:
    """Nobody else could use 0.0.0.0."""
    assert not address_of(settings_of(web__host="0.0.0.0").web).startswith("0.0.0.0")


@pytest.mark.kafka
async def test_kafka_hands_round_where_the_members_of_a_group_are(bootstrap: str, prefix: str) -> None:
    """A real one does; assignments stay as they were."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(prefix + "t", 1, 1)])
    options = {"bootstrap_servers": bootstrap, "group_id": prefix + "g"}
    assignor = telling("10.0.0.8:8066")
    async with AIOKafkaConsumer(prefix + "t", **options, partition_assignment_strategy=(assignor,)) as consumer:
        async with asyncio.timeout(30):
            while not await addresses(admin, prefix + "g"):
                await consumer.getmany(timeout_ms=200)
        assert await addresses(admin, prefix + "g") == {"10.0.0.8:8066"}
    await admin.close()
