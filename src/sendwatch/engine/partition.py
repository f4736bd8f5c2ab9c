"""What one worker knows of one partition while it owns it: the store, the position, the open long messages.

Belongs here: taking up where the store stopped, and applying what is acknowledged. Not here: the work on a batch
(`batch.py`), Kafka, disk and clock (`worker.py` hands records and the time in, and carries the outcome out).

Nothing is applied before the outcome's flags and its ledger record are acknowledged: `apply` is called then.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct, field

from sendwatch import dossier as dossiers
from sendwatch.dossier import Dossier
from sendwatch.engine.aftermaths import Aftermaths
from sendwatch.engine.aftermaths import changes_of as changes_of_aftermaths
from sendwatch.engine.counts import Counts  # noqa: TC001 - msgspec reads the annotations
from sendwatch.ledger import LongRow, Range, Row, Standing
from sendwatch.outgoing import Message  # noqa: TC001
from sendwatch.windows.aftermath import Aftermath, CaseRow  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.engine.store import Store
    from sendwatch.events import Send

DOSSIER = b"d"
OPEN = b"o"
ENTERED = b"e"
POSITION = b"\x00position"
MOST_PIECES = 50_000


class Record(Protocol):
    """What is read of a Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Position(Struct):
    """How far the store of a partition is: the ledger as applied, and the facts as folded."""

    ledger_next: int = 0
    standing: Standing = field(default_factory=Standing)
    facts: dict[str, int] = field(default_factory=dict)


class Outcome(Struct):
    """What follows from a batch: first the messages, then the ledger record, then the changes of the store.

    `open`: by recipient, when its earliest unjudged long message must be judged; None: it has none. `progress`: the
    ledger is to tell how far registries have been looked back for, whatever else there is.
    """

    messages: list[Message]
    record: Range
    changes: dict[bytes, bytes | None]
    facts: dict[str, int]
    counts: Counts
    open: dict[bytes, int | None] = field(default_factory=dict)
    progress: bool = False
    aftermaths: dict[bytes, Aftermath] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to be written to the ledger."""
        record = self.record
        told = record.spans or record.rows or record.longs or record.tallies or record.entered
        return not (self.progress or told or self.messages)


class Partition:
    """One partition, from the store's position on.

    `pieces`: parts of long messages that were read lately, by offset: their texts are kept in memory only.
    `registries`: by topic kind, up to where everything that the registries changed has been looked back for.
    `resolved`: owners by the offset of their reply, as read back from `sms.optouts` while facts are folded silently.
    `telling`: what replies are resolved to is published at once; not before the sends are known that they may answer.
    `entered`: rows of sends that are kept no more, by offset, while their flags are being corrected: if the writer dies
    on the way, whoever compares these flags finds here how they were counted.
    `missing`: offsets of parts that are needed and are not there any more; whoever has them, calls `Batch.assemble`.
    """

    def __init__(self, number: int, store: Store) -> None:
        """Take up where the store stopped."""
        self.number = number
        self.store = store
        self.aftermaths = Aftermaths(store)
        self.epoch = 0
        self.registries: dict[str, int] = {}
        self.resolved: dict[int, tuple[str, ...]] = {}
        self.telling = True
        self.entered = {row.kept.offset: row for row in (_read_row(value) for _, value in store.scan(ENTERED))}
        raw = store.get_many([POSITION])[0]
        self.position = msgspec.json.decode(raw, type=Position) if raw else Position()
        self.pieces: dict[int, Send] = {}
        self.missing: dict[bytes, set[int]] = {}
        self._open: dict[bytes, int] = {}
        self._deadlines: list[tuple[int, bytes]] = []
        for key, value in store.scan(OPEN):
            self._note_open(key[len(OPEN) :], int.from_bytes(value, "big"))

    def enter(self, record: Range) -> None:
        """Note the rows that a ledger record entered, and those that it settled."""
        if not record.entered and not self.entered:
            return
        settled = [row.kept.offset for row in record.rows if row.kept.offset in self.entered]
        changes: dict[bytes, bytes | None] = {_entered_key(offset): None for offset in settled}
        for offset in settled:
            del self.entered[offset]
        for row in record.entered:
            self.entered[row.kept.offset] = row
            changes[_entered_key(row.kept.offset)] = msgspec.msgpack.encode(row)
        self.store.write(changes)

    def replay(self, rows: Iterable[Row], longs: Iterable[LongRow] = (), cases: Iterable[CaseRow] = ()) -> None:
        """Apply rows of ledger records that the store has not seen (no flags come of it)."""
        self.aftermaths.replay(cases)
        latest = {(row.recipient, row.kept.id): row.kept for row in rows}
        latest_long = {(row.recipient, row.long.key): row.long for row in longs}
        opened = self.load({recipient for recipient, _ in (*latest, *latest_long)})
        for (recipient, _), kept in latest.items():
            dossiers.put_kept(opened[recipient], kept)
        for (recipient, key), long in latest_long.items():
            others = [each for each in opened[recipient].longs if each.key != key]
            opened[recipient].longs = [*others, long]
        deadlines = {recipient: earliest(opened[recipient]) for recipient, _ in latest_long}
        self.store.write(changes_of(opened) | open_changes(deadlines))
        self._note(deadlines)

    def save_position(self) -> None:
        """Write the position as it stands, by itself (after a replay)."""
        self.store.write({POSITION: msgspec.json.encode(self.position)})

    def apply(self, outcome: Outcome, ledger_next: int) -> None:
        """Make an outcome what is known: its flags and its ledger record are acknowledged."""
        self.position.ledger_next = ledger_next
        self.position.standing.accept(outcome.record)
        self.position.facts.update(outcome.facts)
        changes = outcome.changes | open_changes(outcome.open) | changes_of_aftermaths(outcome.aftermaths)
        changes[POSITION] = msgspec.json.encode(self.position)
        self.enter(outcome.record)
        self.store.write(changes)
        self._note(outcome.open)
        self.aftermaths.applied(outcome.aftermaths)

    def packed(self, recipients: Sequence[bytes]) -> list[bytes | None]:
        """The dossiers of these recipients as they lie in the store."""
        return self.store.get_many([DOSSIER + recipient for recipient in recipients])

    def load(self, recipients: Iterable[bytes]) -> dict[bytes, Dossier]:
        """The dossiers of these recipients; empty ones where nothing is kept."""
        wanted = sorted(set(recipients))
        unpack = dossiers.unpack
        return {
            recipient: unpack(value) if value is not None else Dossier()
            for recipient, value in zip(wanted, self.packed(wanted), strict=True)
        }

    def overdue(self, event_time: int) -> set[bytes]:
        """The recipients with a long message that has to be judged by this event time."""
        found: set[bytes] = set()
        while self._deadlines and self._deadlines[0][0] <= event_time:
            deadline, recipient = heappop(self._deadlines)
            if self._open.get(recipient) == deadline:
                found.add(recipient)
        for recipient in found:  # they stay open until their judgement is applied
            heappush(self._deadlines, (self._open[recipient], recipient))
        return found - self.missing.keys()

    def remember(self, offset: int, send: Send) -> None:
        """Keep a part's text at hand, as long as there is room."""
        if len(self.pieces) >= MOST_PIECES:
            del self.pieces[next(iter(self.pieces))]
        self.pieces[offset] = send

    def _note(self, deadlines: Mapping[bytes, int | None]) -> None:
        for recipient, deadline in deadlines.items():
            if deadline is None:
                self._open.pop(recipient, None)
            else:
                self._note_open(recipient, deadline)

    def _note_open(self, recipient: bytes, deadline: int) -> None:
        if self._open.get(recipient) != deadline:
            self._open[recipient] = deadline
            heappush(self._deadlines, (deadline, recipient))


_read_row = msgspec.msgpack.Decoder(Row).decode


def _entered_key(offset: int) -> bytes:
    return ENTERED + offset.to_bytes(8, "big")


def earliest(dossier: Dossier) -> int | None:
    """When the earliest unjudged long message of a dossier must be judged."""
    deadlines = (long.deadline() for long in dossier.longs)
    return min((deadline for deadline in deadlines if deadline is not None), default=None)


def changes_of(changed: Mapping[bytes, Dossier]) -> dict[bytes, bytes | None]:
    """Dossiers as changes of the store."""
    pack = dossiers.pack
    return {DOSSIER + recipient: None if one.empty else pack(one) for recipient, one in changed.items()}


def open_changes(deadlines: Mapping[bytes, int | None]) -> dict[bytes, bytes | None]:
    """The index of open long messages, as changes of the store."""
    return {
        OPEN + recipient: None if deadline is None else deadline.to_bytes(8, "big")
        for recipient, deadline in deadlines.items()
    }
