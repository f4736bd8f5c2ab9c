"""Making the clients that read and write: whoever wants one asks here.

Belongs here: what all of them have in common. Not here: addresses and security (`connection.py`), what each is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from sendwatch.kafka.pace import paced

if TYPE_CHECKING:
    from collections.abc import Mapping


def consumer(options: Mapping[str, Any], **more: Any) -> AIOKafkaConsumer:
    """One that is not started yet, and commits nothing; without a group unless `more` (aiokafka's own) names one.

    `options`: what `connection.client_options` or `connection.reach` gave.
    """
    return paced(AIOKafkaConsumer(**{**options, "group_id": None, "enable_auto_commit": False, **more}))


def producer(options: Mapping[str, Any], *, idempotence: bool, **more: Any) -> AIOKafkaProducer:
    """One that is not started yet; what it wrote is acknowledged by all replicas that are in sync."""
    return paced(AIOKafkaProducer(**{**options, "acks": "all", "enable_idempotence": idempotence, **more}))
