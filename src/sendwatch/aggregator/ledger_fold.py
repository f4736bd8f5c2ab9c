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
from sendwatch.outgoing import Message, breach_event, breach_message, read_breach
from sendwatch.windows import keeping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.engine.store import Store
    from sendwatch.outgoing import BreachEvent
    from sendwatch.windows.board import Board

PLACES, OUTBOX, SHAPE, READ = b"\x00places", b"\x00outbox", b"\x00shape", b"\x00read"
BOARD = b"b"
SKIPPED = Raw(b"[]")
FOREVER = 1 << 62


class Summed(ledger.Range, tag="range", tag_field="record"):
    """A `ledger.Range` of which everything that is nothing to the windows is skipped over: the rows are most of it."""

    rows: Raw = SKIPPED  # type: ignore[assignment]
    longs: Raw = SKIPPED  # type: ignore[assignment]
    cases: Raw = SKIPPED  # type: ignore[assignment]
    lanes: Raw = SKIPPED  # type: ignore[assignment]
    templates: Raw = SKIPPED  # type: ignore[assignment]
    entered: Raw = SKIPPED  # type: ignore[assignment]


read_ledger = msgspec.json.Decoder(ledger.Claim | Summed).decode


class Place(Struct):
    """How far one partition of the ledger is folded, and where its records stand.

    `at`: up to when (ms) what was written into it is folded, where that is told.
    """

    next: int = 0
    standing: ledger.Standing = field(default_factory=ledger.Standing)
    at: int = 0


class Folding:
    """A board, and how far it is. `void`: records that were left out, since their writer had lost the partition."""

    shape = b"2"
    """Of what a board is stored as; of another nothing is taken up, and the ledger is folded anew."""

    def __init__(self, board: Board, store: Store) -> None:
        """Take up where the store stopped."""
        self.board = board
        self.store = store
        self.void = 0
        raw, waiting, shape = store.get_many([PLACES, OUTBOX, SHAPE])
        if shape != self.shape:
            gone: dict[bytes, bytes | None] = dict.fromkeys([PLACES, OUTBOX, READ, *(k for k, _ in store.scan(BOARD))])
            store.write(gone | {SHAPE: self.shape})
            raw = waiting = None
        self.places = msgspec.json.decode(raw, type=dict[int, Place]) if raw else {}
        self.outbox = msgspec.msgpack.decode(waiting, type=list[Message]) if waiting else []
        keeping.load(board, ((key[len(BOARD) :], value) for key, value in store.scan(BOARD)))

    @property
    def positions(self) -> dict[int, int]:
        """The next offset of each partition that was begun."""
        return {number: place.next for number, place in self.places.items()}

    def added_up_at(self, _partitions: int) -> int | None:
        """Up to when (ms) what was written into so many partitions is folded; None: what is folded does not tell."""
        return None

    def take(self, partition: int, offset: int, value: bytes) -> None:
        """Fold a record of the ledger, and ask the windowed rules; one below the position was folded before."""
        place = self.places.setdefault(partition, Place())
        if offset < place.next:
            return
        place.next = offset + 1
        record = read_ledger(value)
        if not place.standing.accept(record):
            self.void += 1
        elif isinstance(record, Summed):
            self.board.fold(record)
            self.settle()

    def settle(self) -> None:
        """Ask the windowed rules about what was folded."""
        self.outbox += [breach_message(breach_event(breach)) for breach in self.board.settle()]

    def put_right(self, told: Mapping[str, BreachEvent]) -> int:
        """Make what the topic says agree with what was counted; `told` is the last record of each breach there.

        To be called once all is folded that was there at the start, before anything of it is published. What is open
        there, and neither here nor in the outbox, is closed: so many are returned. A breach that was told under another
        id keeps that: which hour a rate is broken in turns on the order in which partitions were read.
        """
        self._rename(told)
        waiting = {event.breach_id: event for event in self._waiting()}
        open_ids = {breach.id for breach in self.board.outbreaks.open.values()}
        stale = [each for each in ({**told, **waiting}).values() if each.status == "open"]
        stale = [each for each in stale if each.breach_id not in open_ids]
        for event in stale:
            closed = msgspec.structs.replace(event, status="closed", closed_at=max(self.board.now, event.opened_at))
            self.outbox.append(breach_message(closed))
        return len(stale)

    def _rename(self, told: Mapping[str, BreachEvent]) -> None:
        """Give what was counted anew the ids under which the topic has it: the same subject at the same time."""
        counted = {event.breach_id: event for event in self._waiting()}
        counted |= {breach.id: breach_event(breach) for breach in self.board.outbreaks.open.values()}
        free = {key: event for key, event in told.items() if key not in counted}
        names: dict[str, str] = {}
        for key, event in counted.items():
            same = next((each for each in free.values() if _same(each, event)), None)
            if key not in told and same is not None:
                names[key] = free.pop(same.breach_id).breach_id
        for breach in self.board.outbreaks.open.values():
            breach.id = names.get(breach.id, breach.id)
        for number, event in enumerate(self._waiting()):
            if event.breach_id in names:
                known = msgspec.structs.replace(event, breach_id=names[event.breach_id])
                self.outbox[number] = breach_message(known)

    def _waiting(self) -> list[BreachEvent]:
        return [read_breach(message.value) for message in self.outbox]

    def save(self) -> None:
        """Write everything that changed, and how far it is, at once."""
        changes: dict[bytes, bytes | None] = {BOARD + k: v for k, v in keeping.changes(self.board).items()}
        changes[PLACES] = msgspec.json.encode(self.places)
        changes[OUTBOX] = msgspec.msgpack.encode(self.outbox) if self.outbox else None
        self.store.write(changes | self._more())

    def _more(self) -> dict[bytes, bytes | None]:
        """What else says how far it is."""
        return {}

    def published(self, count: int) -> None:
        """So many of the outbox, from its beginning, are acknowledged."""
        del self.outbox[:count]


def _same(one: BreachEvent, other: BreachEvent) -> bool:
    """Whether two counts of one ledger would tell this as one breach: of one subject, at overlapping times."""
    if (one.rule, one.subject) != (other.rule, other.subject):
        return False
    ends = [FOREVER if each.closed_at is None else each.closed_at for each in (one, other)]
    return max(one.opened_at, other.opened_at) <= min(ends)
