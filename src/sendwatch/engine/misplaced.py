"""Records that lie on a partition which is not their key's: their producer hashes otherwise than Kafka's own.

Belongs here: finding them in a batch. Not here: what becomes of them (`send_intake.py`, `fact_intake.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.events import Rejected
from sendwatch.partitions import partitions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.engine.partition import Record


def misplaced(records: Sequence[Record], partitions: int, number: int) -> dict[int, Rejected]:
    """By offset, the records of partition `number` that belong on another; those without a key are told otherwise."""
    keyed = [record for record in records if record.key]
    homes = partitions_of([record.key or b"" for record in keyed], partitions)
    return {
        record.offset: Rejected("misplaced", f"the key belongs on partition {home}")
        for record, home in zip(keyed, homes, strict=True)
        if home != number
    }
