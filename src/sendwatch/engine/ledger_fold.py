"""The fold over the ledger as it lies on disk: what was counted, up to where, and what is still to be published.

Belongs here: taking records in, and writing counts, positions and the outbox in one piece. Not here: Kafka
(`aggregator.py`), what is counted (`windows/`).

A record is counted once: its offset lies below the position that is stored with what it added. What opens or closes is
stored with that too, before it is published: whoever dies in between publishes it again, with the same keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct, field

from sendwatch import ledger
from sendwatch.outgoing import Message, breach_event, breach_message
from sendwatch.windows import keeping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.engine.store import Store
    from sendwatch.outgoing import BreachEvent
    from sendwatch.windows.board import Board

PLACES, OUTBOX = b"\x00places", b"\x00outbox"
BOARD = b"b"
SKIPPED = Raw(b"[]")


class Summed(ledger.Range, tag="range", tag_field="record"):
    """A `ledger.Range` of which everything that is nothing to the windows is skipped over: the rows are most of it."""

    rows: Raw = SKIPPED  # type: ignore[assignment]
    longs: Raw = SKIPPED  # type: ignore[assignment]
    cases: Raw = SKIPPED  # type: ignore[assignment]
    lanes: Raw = SKIPPED  # type: ignore[assignment]
    templates: Raw = SKIPPED  # type: ignore[assignment]


decode: msgspec.json.Decoder[ledger.Claim | Summed] = msgspec.json.Decoder(ledger.Claim | Summed)


class Place(Struct):
    """How far one partition of the ledger is folded, and where its records stand."""

    next: int = 0
    standing: ledger.Standing = field(default_factory=ledger.Standing)


class Folding:
    """A board, and how far it is. `void`: records that were left out, since their writer had lost the partition."""

    def __init__(self, board: Board, store: Store) -> None:
        """Take up where the store stopped."""
        self.board = board
        self.store = store
        self.void = 0
        raw, waiting = store.get_many([PLACES, OUTBOX])
        self.places = msgspec.json.decode(raw, type=dict[int, Place]) if raw else {}
        self.outbox = msgspec.msgpack.decode(waiting, type=list[Message]) if waiting else []
        keeping.load(board, ((key[len(BOARD) :], value) for key, value in store.scan(BOARD)))

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of each partition that was begun."""
        return {number: place.next for number, place in self.places.items()}

    def take(self, partition: int, offset: int, value: bytes) -> None:
        """Fold a record of the ledger, and ask the windowed rules; one below the position was folded before."""
        place = self.places.setdefault(partition, Place())
        if offset < place.next:
            return
        place.next = offset + 1
        record = decode.decode(value)
        if not place.standing.accept(record):
            self.void += 1
        elif isinstance(record, Summed):
            self.board.fold(record)
            self.outbox += [breach_message(breach_event(breach)) for breach in self.board.settle()]

    def put_right(self, told: Mapping[str, BreachEvent]) -> int:
        """Close what the topic says is open and is not: `told` is the last record of each breach there."""
        open_ids = {breach.id for breach in self.board.outbreaks.open.values()}
        stale = [each for each in told.values() if each.status == "open" and each.breach_id not in open_ids]
        for event in stale:
            closed = msgspec.structs.replace(event, status="closed", closed_at=max(self.board.now, event.opened_at))
            self.outbox.append(breach_message(closed))
        return len(stale)

    def save(self) -> None:
        """Write everything that changed, and how far it is, at once."""
        changes: dict[bytes, bytes | None] = {BOARD + k: v for k, v in keeping.changes(self.board).items()}
        changes[PLACES] = msgspec.json.encode(self.places)
        changes[OUTBOX] = msgspec.msgpack.encode(self.outbox) if self.outbox else None
        self.store.write(changes)

    def published(self, count: int) -> None:
        """So many of the outbox, from its beginning, are acknowledged."""
        del self.outbox[:count]
