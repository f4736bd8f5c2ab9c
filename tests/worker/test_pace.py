"""A pause between two looks at the same metadata, of every client there is."""

from __future__ import annotations

import ast
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

import sendwatch
from sendwatch.kafka import clients
from sendwatch.kafka.pace import PAUSE_SECONDS

OPTIONS = {"bootstrap_servers": "127.0.0.1:1"}


@pytest.mark.parametrize("kind", ["consumer", "producer"])
async def test_the_same_is_asked_for_after_a_pause(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once the first time and for other topics; what is answered is handed on."""
    asked = list[tuple[object, float]]()

    async def answer(_client: object, _cluster: object, topics: list[str] | None) -> int:
        asked.append((topics, time.monotonic()))
        return len(asked)

    monkeypatch.setattr(AIOKafkaClient, "_metadata_update", answer)
    client: Any = clients.consumer(OPTIONS) if kind == "consumer" else clients.producer(OPTIONS, idempotence=False)
    inner = client.client if isinstance(client, AIOKafkaProducer) else client._client
    said = [await inner._metadata_update(None, topics) for topics in (["a"], ["a"], ["b", "a"], ["a", "b"], None)]
    assert said == [1, 2, 3, 4, 5]
    gaps = [later - before for (_, before), (_, later) in pairwise(asked)]
    await client.stop()
    assert [gap > PAUSE_SECONDS * 0.9 for gap in gaps] == [True, False, True, False]


def test_every_client_is_made_in_one_place() -> None:
    """Or somebody forgets the pause, and a broker that goes takes a core with it."""
    root = Path(sendwatch.__file__).parent
    makers = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("AIOKafkaConsumer", "AIOKafkaProducer"))
    }
    assert makers == {"kafka/clients.py"}
