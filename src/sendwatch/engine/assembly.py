"""Long messages in a batch: taking in parts, and judging a message once it is all there or out of time.

Belongs here: which messages are judged in this batch, and where their texts come from: from the batch, from memory,
or, where neither has them, from Kafka again (`provide`). Not here: which parts belong together (`parts.py`).

In the books the part that begins a message is `judged`, the others are `parts`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sendwatch import dossier as dossiers
from sendwatch.engine.partition import earliest
from sendwatch.engine.send_intake import Before, add_whole, appraise, refuse_conflict
from sendwatch.engine.tallies import counted_of
from sendwatch.events import Send
from sendwatch.facts import kept_of
from sendwatch.outgoing import Because
from sendwatch.parts import Piece, key_of, offsets, put_together

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sendwatch.dossier import Published
    from sendwatch.engine.batch import Batch
    from sendwatch.engine.partition import Record
    from sendwatch.engine.send_intake import Appraised
    from sendwatch.ledger import Books
    from sendwatch.parts import Counted, Key, Long, Message


class Assembly:
    """The long messages that a batch touches."""

    def __init__(self) -> None:
        """None yet."""
        self._touched: dict[tuple[bytes, Key], Long] = {}
        self._recipients: set[bytes] = set()
        self._provided: set[bytes] = set()
        self._because: dict[tuple[bytes, Key], Because] = {}

    def take(self, batch: Batch, parts: Sequence[tuple[Record, int, Send]], books: Books) -> None:
        """Add the batch's parts to their dossiers."""
        internal = batch.judging.pseudonyms.internal
        addressed = [(internal(part[2].recipient), *part) for part in parts]
        batch.open({recipient for recipient, *_ in addressed})
        for recipient, record, event_time, send in addressed:
            batch.flagging.recipients[recipient] = send.recipient
            self._take_one(batch, recipient, record, event_time, send, books)

    def _take_one(
        self, batch: Batch, recipient: bytes, record: Record, event_time: int, send: Send, books: Books
    ) -> None:
        key = key_of(send)
        if key is None or send.part is None:
            return
        digest = dossiers.digest_of(send)
        earlier = self._known(batch, recipient, send.id, event_time)
        if earlier is not None and earlier[0] != record.offset:
            if earlier[1] == digest:
                books.duplicates += 1
            else:
                books.quarantined += 1
                refuse_conflict(batch, record.offset, earlier[0], record.value)
            return
        long = batch.dossiers[recipient].long(key)
        before = len(long.messages())
        long.pieces.append(Piece(send.part.no, send.id, record.offset, send.sent_at, record.timestamp, digest))
        if len(long.messages()) > before:
            books.judged += 1
        elif any(record.offset in offsets(message) for message in long.messages()):
            books.parts += 1
        else:
            books.duplicates += 1
        batch.partition.remember(record.offset, send)
        batch.flagging.note_part(send)
        batch.changed.add(recipient)
        self._touched[recipient, key] = long
        self._recipients.add(recipient)

    def _known(self, batch: Batch, recipient: bytes, send_id: str, event_time: int) -> tuple[int, bytes] | None:
        dossier = batch.dossiers[recipient]
        for long in dossier.longs:
            for piece in long.pieces:
                if piece.id == send_id:
                    return (piece.offset, piece.digest)
        kept = dossier.find(send_id)
        oldest = dossiers.oldest_kept(event_time, batch.judging.parameters.window)
        return None if kept is None or kept.at < oldest else (kept.offset, kept.digest)

    def provide(self, batch: Batch, parts: Sequence[Record]) -> None:
        """Take in parts that were read again from Kafka, for the messages that waited for them."""
        reader, ignored = batch.judging.readers["sends"], Counter[str]()
        for record in parts:
            send = reader(record.key, record.value, record.timestamp, ignored)
            if isinstance(send, Send):
                batch.partition.remember(record.offset, send)
        self._provided = set(batch.partition.missing)
        batch.partition.missing.clear()
        batch.open(self._provided)

    def reconsider(
        self, batch: Batch, recipient: bytes, part: Appraised, seen: Mapping[str, Published], because: Because
    ) -> None:
        """Judge the message of this part again although nothing about its parts has changed.

        `seen`: what the flags topic says of the part's id. It may be no message's now: another owner judged the part
        before those that come before it were there, or while it still waits for them here.
        """
        key, dossier = key_of(part.send), batch.dossiers[recipient]
        long = None if key is None else next((each for each in dossier.longs if each.key == key), None)
        if key is None or long is None or all(piece.offset != part.offset for piece in long.pieces):
            return  # nothing is kept of its parts any more
        batch.partition.remember(part.offset, part.send)
        message = long.message_of(part.offset)
        if seen:
            _take_over_flags(batch, recipient, part, seen)
            if message is None or message[0].offset != part.offset or offsets(message) not in long.judged:
                kept = dossier.find(part.send.id)
                counted = counted_of(kept) if kept is not None and kept.offset == part.offset else None
                if counted is not None:  # that is so until the message is judged anew
                    long.counted[part.offset] = counted
                batch.withdraw(recipient, part.send.id, because)
        long.judge_anew(part.offset)
        self._because[recipient, key] = because
        batch.changed.add(recipient)
        self._touched[recipient, key] = long
        self._recipients.add(recipient)

    def put_together(self, batch: Batch) -> None:
        """Judge every message that is due by now."""
        overdue = batch.partition.overdue(batch.event_time) | self._provided
        batch.open(overdue)
        self._recipients |= overdue
        due: list[Appraised] = []
        for recipient in sorted(self._recipients):
            for long in batch.dossiers[recipient].longs:
                for message in long.due(batch.event_time):
                    due += self._judge(batch, recipient, long, message)
        add_whole(batch, due)

    def _judge(self, batch: Batch, recipient: bytes, long: Long, message: Message) -> Iterator[Appraised]:
        pieces = batch.partition.pieces
        absent = {piece.offset for piece in message if piece.offset not in pieces}
        if absent and recipient not in self._provided:
            batch.partition.missing.setdefault(recipient, set()).update(absent)
            return
        there = [pieces[piece.offset] for piece in message if piece.offset in pieces]
        if not there:
            return  # retention has taken every part: there is nothing left to judge
        whole = put_together(there, long.total)
        batch.flagging.recipients[recipient] = whole.recipient
        by_itself = Because(batch.judging.topics["sends"], message[0].id)
        because = None
        if any(not {piece.offset for piece in message}.isdisjoint(before) for before in long.judged):
            because = self._because.get((recipient, long.key), by_itself)
        before = Before(None if because is None else self._counted(batch, recipient, long, message), long)
        for send_id in long.settle(message):
            batch.withdraw(recipient, send_id, by_itself)
        batch.changed.add(recipient)
        self._touched[recipient, long.key] = long
        each = appraise(batch, message[0].offset, message[0].arrived, batch.event_time, whole, because=because)
        each.before = before
        yield each

    def _counted(self, batch: Batch, recipient: bytes, long: Long, message: Message) -> list[Counted] | None:
        """How the messages that this one takes the place of were counted; they are so no more. None: not known."""
        counted = []
        for piece in long.replaced_by(message):
            kept = batch.dossiers[recipient].find(piece.id)
            row = counted_of(kept) if kept is not None and kept.offset == piece.offset else None
            counted.append(long.counted.pop(piece.offset, None) or row)
        return None if None in counted else counted  # type: ignore[return-value]

    def rows(self) -> list[tuple[bytes, Long]]:
        """The long messages that changed, for the ledger: as they are before those are dropped that are over."""
        return [(recipient, replace(long)) for (recipient, _), long in self._touched.items()]

    def deadlines(self, batch: Batch) -> dict[bytes, int | None]:
        """By recipient, when its earliest unjudged message must be judged; None where all are."""
        return {recipient: earliest(batch.dossiers[recipient]) for recipient in self._recipients}


def _take_over_flags(batch: Batch, recipient: bytes, part: Appraised, seen: Mapping[str, Published]) -> None:
    """Have a row under a part's id that says what the flags topic does; of those flags ours were counted, if any."""
    dossier = batch.dossiers[recipient]
    kept = dossier.find(part.send.id)
    if kept is None:
        digest = dossiers.digest_of(part.send)
        kept = kept_of(part.facts_at_hand(), part.send.request, part.offset, part.arrived, digest)
        dossiers.put_kept(dossier, kept)
    batch.held[recipient, kept.id] = {flag.rule for flag in kept.flags if flag.raised}
    kept.flags = [flag for flag in kept.flags if flag.rule not in seen] + list(seen.values())
