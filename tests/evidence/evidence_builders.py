"""Flags on partitions and packs of them; every number and name is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sendwatch.evidence import seal
from sendwatch.evidence.chain import Chained, disclosed
from sendwatch.evidence.pack import Asked, Contents, Facts, FlagRecord, packed, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AT = 1_794_182_404_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
TOPIC = "sms.flags"


class Rec(NamedTuple):
    """A flag record as Kafka would give it."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes | None


def a_flag(flag_id: str = "f1", revision: int = 1, **fields: Any) -> dict[str, Any]:
    """A flag as it stands on the topic."""
    usual: dict[str, Any] = {
        "flag_id": flag_id, "revision": revision, "epoch": 1, "status": "raised", "rule": "C5_AFTER_OPT_OUT",
        "law": {"pack": "miit-74", "clause": "Art. 21-23", "checked": False},
        "send": {"id": "s1", "recipient": "36159381a40289be", "sp": "SP1", "port": "106901", "signature": "云岭商贸",
                 "owner": "O1", "at": AT},
        "evidence": {"refusal": "w1", "refused_at": AT - 1}, "because": None,
        "source": {"topic": "sms.sends", "partition": 0, "offset": 3}, "judged_at": AT + 5,
    }  # fmt: skip
    return usual | fields


def laid_out(*flags: dict[str, Any] | None, partition: int = 0, key: str = "f1") -> list[Rec]:
    """Flags as the records of one partition, every other offset taken by nothing; None: a deletion of `key`."""
    return [
        Rec(partition, 2 * n, AT + n, (each or {"flag_id": key})["flag_id"].encode(),
            None if each is None else msgspec.json.encode(each))
        for n, each in enumerate(flags)
    ]  # fmt: skip


def chained(records: Iterable[Rec], partition: int = 0) -> Chained:
    """One partition, read."""
    one = Chained(partition)
    for record in records:
        one.take(record.offset, record.timestamp, record.key, record.value)
    return one


def contents(partitions: Sequence[Sequence[Rec]], asked: Asked, runs_asked: Asked | None = None) -> Contents:
    """What a pack of these flags holds; `runs_asked`: whose runs are put in, where that is not what is asked."""
    read = [chained(records, number) for number, records in enumerate(partitions)]
    made = Contents(AT, "0.0.0", asked, TOPIC, [each.root() for each in read])
    made.lines += runs(read, runs_asked or asked)
    for number, one in enumerate(read):
        for leaf in one.leaves:
            if asked.takes(leaf):
                made.lines += [line_of(each) for each in partitions[number] if each.key.decode() == leaf.flag_id]
                made.lines.append(Facts(flag_id=leaf.flag_id, read={}, facts=(), entry=None))
    return made


def line_of(record: Rec) -> FlagRecord:
    """A record as a line."""
    value = msgspec.Raw(disclosed(record.value))
    return FlagRecord(
        topic=TOPIC, partition=record.partition, offset=record.offset, timestamp=record.timestamp,
        key=record.key.decode(), value=value,
    )  # fmt: skip


def signed(made: Contents) -> bytes:
    """The pack."""
    return packed(made, seal.key_id(PUBLIC), KEY.sign)
