"""The records of one partition of one input topic, read: what counts as a fact or a send, and what is refused.

Belongs here: reading, and the refusals that one record or its place gives rise to. Not here: repeats and conflicts
(`messages.py`, `recipients.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field

from sendwatch.events import KINDS, REGISTRIES, Deletion, Rejected, arrival
from sendwatch.partitions import partition_of
from sendwatch.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.audit.terms import Terms

RECIPIENT_KINDS = tuple(kind for kind in KINDS if kind not in REGISTRIES)


class Raw(Protocol):
    """What is read of a Kafka record."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Entry(Struct, frozen=True, gc=False):
    """One sound record. `record` is one of `KINDS`, or a registry's `Deletion`; `arrived` by the contract, ms."""

    offset: int
    arrived: int
    record: Any


class Log(Struct):
    """One partition of one topic. `refused`: offset to reason; `what`: offset to its kind in the books."""

    entries: list[Entry] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    what: dict[int, str] = field(default_factory=dict)

    def refuse(self, offset: int, reason: str) -> None:
        """Put the record at `offset` into quarantine."""
        self.refused[offset] = reason
        self.what[offset] = "quarantined"


def read_log(kind: str, partition: int, records: Iterable[Raw], terms: Terms) -> Log:
    """Read each record by itself."""
    reader = Reader(kind, recipient_form="token" if terms.pseudonyms.form == "token" else "number")
    ignored, log = Counter[str](), Log()
    for raw in records:
        record = reader(raw.key, raw.value, raw.timestamp, ignored)
        if isinstance(record, Rejected):
            log.refuse(raw.offset, record.reason)
        elif kind not in REGISTRIES and partition_of(raw.key or b"", terms.partitions) != partition:
            log.refuse(raw.offset, "misplaced")
        else:
            log.entries.append(Entry(raw.offset, _arrived(kind, raw.timestamp, record), record))
    return log


def _arrived(kind: str, timestamp: int, record: Any) -> int:
    if kind == "sends" or isinstance(record, Deletion):
        return timestamp
    return arrival(timestamp, record.recorded_at)
