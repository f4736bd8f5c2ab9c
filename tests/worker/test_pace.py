"""A pause between two looks at the same metadata."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from sendwatch.kafka.pace import PAUSE_SECONDS, paced


@pytest.mark.parametrize("kind", [AIOKafkaConsumer, AIOKafkaProducer])
async def test_the_same_is_asked_for_after_a_pause(kind: Any) -> None:
    """At once the first time and for other topics; what is answered is handed on."""
    client, asked = kind(bootstrap_servers="127.0.0.1:1"), list[tuple[object, float]]()
    inner = client.client if kind is AIOKafkaProducer else client._client

    async def answer(_cluster: object, topics: list[str] | None) -> int:
        asked.append((topics, time.monotonic()))
        return len(asked)

    inner._metadata_update = answer
    assert paced(client) is client
    said = [await inner._metadata_update(None, topics) for topics in (["a"], ["a"], ["b", "a"], ["a", "b"], None)]
    assert said == [1, 2, 3, 4, 5]
    gaps = [later - before for (_, before), (_, later) in pairwise(asked)]
    await client.stop()
    assert [gap > PAUSE_SECONDS * 0.9 for gap in gaps] == [True, False, True, False]
