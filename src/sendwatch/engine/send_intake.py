"""Sends of a batch: decoded, appraised by what they say themselves, and added to the dossiers where they are kept.

Belongs here: what is kept, what repeats, what conflicts. Not here: what is known of sends that are alike (`memory.py`),
parts of long messages (`assembly.py`), judging by the dossier (`batch.py`).

Every send goes through here, so what most of them need is done for the whole batch at once, and a dossier is only
unpacked where something of it may matter.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch import dossier as dossiers
from sendwatch.engine.memory import joined
from sendwatch.engine.misplaced import misplaced
from sendwatch.engine.tallies import counted_in_passing
from sendwatch.events import Rejected, Send
from sendwatch.facts import kept_of
from sendwatch.judge import judge
from sendwatch.ledger import Books
from sendwatch.outgoing import Because

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.dossier import Dossier, Kept
    from sendwatch.engine.batch import Batch
    from sendwatch.engine.memory import Known
    from sendwatch.engine.partition import Record
    from sendwatch.facts import Facts
    from sendwatch.parts import Counted, Long
    from sendwatch.verdict import Verdict


class Before(Struct, gc=False):
    """How a send was `counted` that is judged again; None: that is not known, and it stays as it is.

    `long`: what its parts are, where it is a long message; there is noted how it is counted now.
    """

    counted: list[Counted] | None
    long: Long | None = None


class Appraised(Struct, gc=False):
    """A send with what its own rules said, waiting for its dossier.

    `offset` and `arrived` are its record's. `event_time`: the greatest `sent_at` of the partition up to it; what is
    kept is a matter of that alone, never of where a batch happens to end. `facts`: its own, where a rule needed them.
    `because`: why it is judged again, where it was counted before; `before`: how.
    """

    offset: int
    arrived: int
    event_time: int
    send: Send
    known: Known
    facts: Facts | None
    verdict: Verdict
    raw: bytes | None = None
    because: Because | None = None
    before: Before | None = None

    @property
    def kept(self) -> bool:
        """Whether it is to be kept: commercial, asking for consent, or flagged."""
        return self.known.kept or bool(self.verdict.flags)

    def facts_at_hand(self) -> Facts:
        """The facts of the send itself."""
        if self.facts is None:
            self.facts = self.known.facts_of(self.send)
        return self.facts


def take_sends(batch: Batch, records: Sequence[Record], next_offset: int) -> None:
    """Read the batch's sends, and add what is commercial or flagged to the dossiers."""
    first = batch.partition.position.standing.positions.get("sends", 0)
    books = Books()
    whole: list[Appraised] = []
    parts: list[tuple[Record, int, Send]] = []
    for record, event_time, send in _read(batch, records, books):
        if send.part is None or send.part.total == 1:
            whole.append(appraise(batch, record.offset, record.timestamp, event_time, send, record.value))
        else:
            parts.append((record, event_time, send))
    _add(batch, whole, books)
    if parts:
        batch.assembly.take(batch, parts, books)
    batch.close_span("sends", first, next_offset, books)


def add_whole(batch: Batch, appraised: Sequence[Appraised]) -> None:
    """Add long messages that are judged now; their offsets stand in the books already."""
    _add(batch, appraised, Books())


def appraise(
    batch: Batch,
    offset: int,
    arrived: int,
    event_time: int,
    send: Send,
    raw: bytes | None = None,
    because: Because | None = None,
) -> Appraised:
    """What a send's own rules say of it; see `Appraised`."""
    known = batch.judging.memory.of(send)
    if not known.by_clock:
        return Appraised(offset, arrived, event_time, send, known, None, known.verdict, raw, because)
    facts = known.facts_of(send)
    verdict = joined(known.verdict, judge(facts, known.by_clock))
    return Appraised(offset, arrived, event_time, send, known, facts, verdict, raw, because)


def refuse_conflict(batch: Batch, offset: int, earlier: int, raw: bytes | None) -> None:
    """Quarantine a send whose recipient and id were those of an earlier one with other values."""
    flagging = batch.flagging
    rejected = Rejected("conflict", f"offset {earlier} has the same recipient and id, but other values")
    flagging.refuse(flagging.place("sends", offset), rejected, raw)


def _read(batch: Batch, records: Sequence[Record], books: Books) -> list[tuple[Record, int, Send]]:
    read: list[tuple[Record, int, Send]] = []
    ignored, consumed = Counter[str](), Counter[str | None]()
    decode = batch.judging.readers["sends"].read
    strays = misplaced(records, batch.judging.partitions, batch.partition.number)
    event_time = batch.event_time
    for record in records:
        send = decode(record.key, record.value, record.timestamp, ignored)
        if strays and record.offset in strays and not isinstance(send, Rejected):
            send = strays[record.offset]
        if isinstance(send, Send):
            event_time = max(event_time, send.sent_at)
            read.append((record, event_time, send))
            if send.sp not in batch.judging.canaries:
                consumed[send.carrier] += 1
        elif isinstance(send, Rejected):
            books.quarantined += 1
            consumed[None] += 1
            batch.flagging.refuse(batch.flagging.place("sends", record.offset), send, record.value)
    batch.event_time = event_time
    batch.count_ignored("sends", ignored, books)
    for carrier, count in consumed.items():
        batch.flagging.counts.consumed["sends", carrier or ""] += count
    return read


def _add(batch: Batch, appraised: Sequence[Appraised], books: Books) -> None:
    """First what is kept, and then the rest: that a send is like one that is kept counts whatever their order."""
    internal = batch.judging.pseudonyms.internal
    kept: list[tuple[bytes, Appraised]] = []
    passing: list[tuple[bytes, Appraised]] = []
    for each in appraised:
        (kept if each.known.kept or each.verdict.flags else passing).append((internal(each.send.recipient), each))
    batch.fetch(recipient for addressed in (kept, passing) for recipient, _ in addressed)
    _meet_dossiers(batch, kept, books)
    _let_pass(batch, passing, books)


def _meet_dossiers(batch: Batch, addressed: Sequence[tuple[bytes, Appraised]], books: Books) -> None:
    """Add the sends that are kept to their dossiers; they are judged when all of the batch has been added."""
    for recipient, each in addressed:
        batch.flagging.recipients[recipient] = each.send.recipient
        dossier = batch.dossier(recipient)
        digest = dossiers.digest_of(each.send)
        earlier = dossier.find(each.send.id)
        if earlier is not None and earlier.offset != each.offset and _still_kept(batch, earlier, each):
            _repeated(batch, each, earlier, digest, books)
            continue
        books.judged += 1
        _keep(batch, recipient, dossier, each, digest, earlier)


def _keep(
    batch: Batch, recipient: bytes, dossier: Dossier, each: Appraised, digest: bytes, earlier: Kept | None
) -> None:
    kept = kept_of(each.facts_at_hand(), each.send.request, each.offset, each.arrived, digest)
    if each.known.commercial or kept.asks or (earlier is not None and earlier.commercial):
        _note_neighbours(batch, recipient, dossier, kept)
    if earlier is not None:
        kept.flags = earlier.flags
        batch.rows_before[recipient, kept.id] = earlier
    dossiers.put_kept(dossier, kept)
    batch.changed.add(recipient)
    batch.fresh[recipient, kept.id] = (kept, each, each.because)


def _let_pass(batch: Batch, addressed: Sequence[tuple[bytes, Appraised]], books: Books) -> None:
    """Count the sends of which nothing is kept, less those that repeat a send that is kept.

    A dossier is only unpacked where the id stands somewhere in its bytes: that is nearly never the case.
    """
    opened, packed = batch.dossiers, batch.packed
    for recipient, each in addressed:
        dossier = opened.get(recipient)
        if dossier is None:
            raw = packed[recipient]
            if raw is not None and each.send.id.encode() in raw:
                dossier = batch.dossier(recipient)
        earlier = None if dossier is None else dossier.find(each.send.id)
        if earlier is not None and earlier.offset < each.offset and _still_kept(batch, earlier, each):
            _repeated(batch, each, earlier, dossiers.digest_of(each.send), books)
            continue
        if dossier is not None and earlier is not None and _takes_its_place(each, earlier):
            batch.flagging.recipients[recipient] = each.send.recipient
            books.judged += earlier.offset != each.offset
            _keep(batch, recipient, dossier, each, dossiers.digest_of(each.send), earlier)
            continue
        books.judged += 1
        verdict = passing(each)
        if each.because is None:
            batch.count(recipient, each, verdict)
        if each.before is not None:
            batch.count_again(each, counted_in_passing(each.send, each.known.facts, verdict))


def _takes_its_place(each: Appraised, earlier: Kept) -> bool:
    """Whether a row is to be put right by a send of which nothing would be kept.

    It is that of the long message, now put together anew; or of a send before the window, whose flags still stand.
    """
    return earlier.offset == each.offset or (earlier.offset < each.offset and any(f.raised for f in earlier.flags))


def _still_kept(batch: Batch, kept: Kept, each: Appraised) -> bool:
    """Whether a kept send was still kept when this one was read: a matter of event time alone."""
    return kept.at >= dossiers.oldest_kept(each.event_time, batch.judging.parameters.window)


def _repeated(batch: Batch, each: Appraised, earlier: Kept, digest: bytes, books: Books) -> None:
    if earlier.digest == digest:
        books.duplicates += 1
        return
    books.quarantined += 1
    refuse_conflict(batch, each.offset, earlier.offset, each.raw)


def _note_neighbours(batch: Batch, recipient: bytes, dossier: Dossier, kept: Kept) -> None:
    """A send that comes before others of its recipient can change what was said of those."""
    later = dossier.sends and any(other.order > kept.order for other in dossier.sends)
    if later or (dossier.replies and any(answer.received_at >= kept.at for answer in dossier.replies)):
        batch.touch(recipient, kept.at, Because(batch.judging.topics["sends"], kept.id))


def passing(each: Appraised) -> Verdict:
    """The verdict on a send of which nothing is kept: with the rules of its recipient that it leaves undecided."""
    known = each.known
    if each.verdict is known.verdict:
        return known.passing
    if known.passing is known.verdict:
        return each.verdict
    return joined(each.verdict, judge(each.facts_at_hand(), known.in_force.of_recipient))
