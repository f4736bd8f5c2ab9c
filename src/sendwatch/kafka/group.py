"""What the members of the consumer group tell each other: where their pages are.

Belongs here: putting it into a member's subscription, and reading it off a description of the group. Kafka hands it
round and knows nothing of it; assignments stay those of the range assignor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable


def telling(address: str) -> type[Any]:
    """A range assignor whose member tells this address (host:port)."""
    told = address.encode()

    class Telling(RangePartitionAssignor):  # type: ignore[misc]
        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(cls.version, list(topics), told)

    return Telling


async def addresses(client: Any, group: str) -> set[str]:
    """The addresses (host:port) that the members of a group tell; `client`: a started admin client."""
    found = set[str]()
    for described in await client.describe_consumer_groups([group]):
        for _, _, _, _, _, members, *_ in described.groups:
            for member in members:
                address = _told(member[3])
                if address is not None:
                    found.add(address)
    return found


def _told(metadata: bytes) -> str | None:
    try:
        told = ConsumerProtocolMemberMetadata.decode(metadata).user_data
    except (ValueError, TypeError):  # of another kind of member
        return None
    return told.decode(errors="replace") if told else None
