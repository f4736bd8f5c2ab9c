"""Rows from the topics, read-only, from an offset of each partition on.

Belongs here: which topics are read, and which ledger records stand. Not here: what a row is (`tables.py`), keeping them
(`store.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sendwatch import ledger
from sendwatch.archive import tables

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from aiokafka import ConsumerRecord

    from sendwatch.readout import Readout

KINDS = ("flags", "breaches", "dispositions", "ledger")


class At(Struct):
    """How far one partition was read; of a ledger, also the last epoch and the number of its last range."""

    next: int = 0
    epoch: int = 0
    number: int = 0


class Positions(Struct):
    """How far everything was read: by topic kind and partition, as in `flags:3`."""

    at: dict[str, At] = field(default_factory=dict)

    def of(self, kind: str, partition: int) -> At:
        """How far one partition was read."""
        return self.at.setdefault(f"{kind}:{partition}", At())


async def rows(
    topics: Readout, positions: Positions, hide: Callable[[str], Any] = tables.nobody
) -> AsyncIterator[list[tables.Row]]:
    """The rows of what was published since, batch by batch; `positions` move along, to after the batch that is given.

    A record that this version cannot read ends it: rows that are left out in silence would be worse.
    """
    for kind in KINDS:
        for number in range(topics.partitions(kind)):
            at = positions.of(kind, number)
            standing = ledger.Standing(epoch=at.epoch, number=at.number)
            async for records in topics.read(kind, number, at.next):
                found = [row for record in records for row in _rows(kind, record, standing, hide)]
                if records:
                    at.next, at.epoch, at.number = records[-1].offset + 1, standing.epoch, standing.number
                    yield found


def _rows(kind: str, record: ConsumerRecord, standing: ledger.Standing, hide: Callable[[str], Any]) -> list[tables.Row]:
    if record.value is None:
        return []
    place = (record.partition, record.offset, record.timestamp)
    match kind:
        case "flags":
            return [tables.flag_row(*place, record.value, hide)]
        case "breaches":
            return [tables.breach_row(*place, record.value, hide)]
        case "dispositions":
            return [tables.disposition_row(*place, record.value)]
        case _:
            entry = ledger.decode.decode(record.value)
            if not standing.accept(entry) or not isinstance(entry, ledger.Range):
                return []
            return list(tables.ledger_rows(record.partition, record.offset, entry))


async def owners(topics: Readout) -> list[tables.Value]:
    """The names of content owners, as the registry has them last."""
    names: dict[str, tables.Value] = {}
    async for records in topics.read("owners", 0):
        for record in records:
            try:
                value = msgspec.json.decode(record.value or b"null")
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            key = (record.key or b"").decode(errors="replace")
            if value is None:
                names.pop(key, None)
            elif isinstance(value, dict) and value.get("id") == key and isinstance(value.get("name"), str):
                group = value.get("group")
                names[key] = {"id": key, "name": value["name"], "group": group if isinstance(group, str) else None}
    return list(names.values())
