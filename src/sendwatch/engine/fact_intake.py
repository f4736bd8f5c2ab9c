"""Facts of a batch: decoded, and folded into the dossiers of their recipients.

Belongs here: which facts are folded silently, and what each leaves to be judged again. Not here: how a dossier folds
one (`dossier.py`), what follows (`batch.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sendwatch import dossier as dossiers
from sendwatch.engine.misplaced import misplaced
from sendwatch.events import Rejected, arrival
from sendwatch.ledger import Books
from sendwatch.outgoing import Because

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from sendwatch.engine.batch import Batch
    from sendwatch.engine.partition import Record


def fold_facts(batch: Batch, kind: str, records: Sequence[Record], next_offset: int) -> None:
    """Fold one topic's records into the dossiers of their recipients."""
    known = batch.partition.position
    committed = known.standing.positions.get(kind, 0)
    first = max(known.facts.get(kind, 0), committed)
    books = Books()
    read = _read(batch, kind, records, committed, books)
    batch.open({recipient for _, _, recipient in read})
    for record, fact, recipient in read:
        silent = record.offset < committed
        changed = _fold_one(batch, kind, record, fact, recipient, silent=silent)
        if not silent:
            books.accepted += changed
            books.duplicates += not changed
    batch.facts[kind] = next_offset
    if kind == "replies" and batch.told is not None:
        batch.told = next_offset
    batch.flagging.counts.consumed[kind, ""] += len(records)
    batch.close_span(kind, first, next_offset, books)


def address_replies(batch: Batch, replies: Sequence[Record], until: int) -> None:
    """Have the dossiers of whoever wrote these replies looked at; all below offset `until` were folded before."""
    read = _read(batch, "replies", replies, until, Books())
    batch.open({recipient for _, _, recipient in read})
    batch.changed.update(recipient for _, _, recipient in read)


def _read(
    batch: Batch, kind: str, records: Sequence[Record], committed: int, books: Books
) -> list[tuple[Record, msgspec.Struct, bytes]]:
    read: list[tuple[Record, msgspec.Struct, bytes]] = []
    ignored, silently = Counter[str](), Counter[str]()
    reader, internal = batch.judging.readers[kind], batch.judging.pseudonyms.internal
    strays = misplaced(records, batch.judging.partitions, batch.partition.number)
    for record in records:
        counted = record.offset >= committed
        fact = reader(record.key, record.value, record.timestamp, ignored if counted else silently)
        if not isinstance(fact, Rejected) and record.offset in strays:
            fact = strays[record.offset]
        if not isinstance(fact, Rejected):
            recipient = internal(fact.recipient)  # type: ignore[union-attr]
            batch.flagging.recipients[recipient] = fact.recipient  # type: ignore[union-attr]
            read.append((record, fact, recipient))
        elif counted:
            books.quarantined += 1
            batch.flagging.refuse(batch.flagging.place(kind, record.offset), fact, record.value)
    batch.count_ignored(kind, ignored, books)
    return read


def _fold_one(batch: Batch, kind: str, record: Record, fact: msgspec.Struct, recipient: bytes, *, silent: bool) -> bool:
    arrived = arrival(record.timestamp, getattr(fact, "recorded_at", None))
    dossier = batch.dossiers[recipient]
    if kind == "consents":
        act = dossiers.act_of(fact, record.offset, arrived)  # type: ignore[arg-type]
        changed, since, fact_id = dossiers.fold_act(dossier, act), act.effective_at, act.id
    elif kind == "replies":
        answer = dossiers.answer_of(fact, record.offset, arrived)  # type: ignore[arg-type]
        if silent and record.offset in batch.partition.resolved:
            answer.owners = answer.published = batch.partition.resolved[record.offset]
            answer.restored = True
        changed, since, fact_id = dossiers.fold_answer(dossier, answer), answer.received_at, answer.id
    else:
        return batch.came_back(recipient, fact, silent=silent)  # type: ignore[arg-type]
    if changed:
        batch.changed.add(recipient)
        if silent:
            batch.quiet.add(recipient)
        else:
            batch.touch(recipient, since, Because(batch.judging.topics[kind], fact_id))
    return changed
