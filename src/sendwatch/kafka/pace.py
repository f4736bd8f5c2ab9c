"""A pause between two looks at the same metadata, where aiokafka takes none.

Belongs here: this one mend. Not here: how clients are configured (`connection.py`), what is waited for (`patience.py`).

While a partition has no leader, as when a broker goes, the sender and the fetcher of aiokafka (0.14) ask for metadata
again as soon as they have an answer: 2,000 times a second where the connection is refused, a core and 4,000 log lines
a second with it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

if TYPE_CHECKING:
    from collections.abc import Collection

Client = TypeVar("Client", AIOKafkaConsumer, AIOKafkaProducer)

PAUSE_SECONDS = 0.1  # what aiokafka waits between other attempts


def paced(client: Client) -> Client:
    """The client, which now waits before it asks for the metadata of the same topics again."""
    inner = client.client if isinstance(client, AIOKafkaProducer) else client._client  # noqa: SLF001  no other way in
    update, asked, asked_at = inner._metadata_update, None, -PAUSE_SECONDS  # noqa: SLF001

    async def wait_and_update(cluster: Any, topics: Collection[str] | None) -> Any:
        nonlocal asked, asked_at
        wanted = None if topics is None else frozenset(topics)
        if wanted == asked:
            await asyncio.sleep(asked_at + PAUSE_SECONDS - time.monotonic())
        asked, asked_at = wanted, time.monotonic()
        return await update(cluster, topics)

    inner._metadata_update = wait_and_update  # noqa: SLF001
    return client
