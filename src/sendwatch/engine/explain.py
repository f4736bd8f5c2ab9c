"""Why a send was flagged, or why not: every rule's answer, by exactly the judge that runs live.

Belongs here: putting the same facts together for one send that the live worker has for all. Not here: any answer
(`judge.py`), words for people (`wording.py`).

The records of the send's recipient are folded as a worker folds them, into a store in memory; nothing is published.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch import dossier as dossiers
from sendwatch.engine.batch import FACTS, Batch
from sendwatch.engine.fact_intake import fold_facts
from sendwatch.engine.judging import REGISTRY_KINDS
from sendwatch.engine.partition import Partition
from sendwatch.engine.send_intake import take_sends
from sendwatch.engine.store import MemoryStore
from sendwatch.events import Deletion, Rejected, Send, arrival
from sendwatch.facts import Facts, add_recipient, facts_of_send, kept_of
from sendwatch.judge import Answer, answers
from sendwatch.partitions import partition_of
from sendwatch.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Record


class Explained(Struct, frozen=True):
    """Every rule's answer about one send, and what was decided before they were asked."""

    facts: Facts
    answers: list[Answer]


class CannotExplainError(Exception):
    """The record cannot be judged; the message says why, and holds nothing personal."""


def load_registries(judging: Judging, records: Mapping[str, Sequence[Record]]) -> None:
    """Take registry records in, by topic kind; malformed ones are left out, as a worker leaves them out."""
    for kind in REGISTRY_KINDS:
        read = Reader(kind, recipient_form=judging.pseudonyms.form)
        for record in records.get(kind, ()):
            row = read(record.key, record.value, record.timestamp, Counter())
            if isinstance(row, Deletion):
                judging.registry.put(kind, row.id, record.offset, record.timestamp, None)
            elif not isinstance(row, Rejected):
                arrived = arrival(record.timestamp, row.recorded_at)  # type: ignore[union-attr]
                judging.registry.put(kind, row.id, record.offset, arrived, row)  # type: ignore[union-attr, arg-type]


def explain(judging: Judging, send: Record, number: int | None, others: Mapping[str, Sequence[Record]]) -> Explained:
    """Ask every rule about `send`, a record of partition `number` (None: of the one that its key belongs on).

    `others`: the records of the same recipient (and partition) in the other topics, and its other sends, by kind.
    Raises CannotExplainError where the record would be quarantined.
    """
    read = judging.readers["sends"](send.key, send.value, send.timestamp, Counter())
    if not isinstance(read, Send):
        reason = read.reason if isinstance(read, Rejected) else "no_value"
        raise CannotExplainError(f"the record would be quarantined: {reason}")
    home = partition_of(send.key or b"", judging.partitions) if number is None else number
    batch = Batch(Partition(home, MemoryStore()), judging, 0)
    for kind in FACTS:
        records = others.get(kind, ())
        if records:
            fold_facts(batch, kind, records, records[-1].offset + 1)
    until = send.timestamp + judging.parameters.window  # later ones would only make the dossier forget
    neighbours = [record for record in others.get("sends", ()) if record.timestamp <= until]
    sends = sorted([*neighbours, send], key=lambda record: record.offset)
    take_sends(batch, sends, sends[-1].offset + 1)
    batch.judge()
    recipient = judging.pseudonyms.internal(read.recipient)
    batch.open({recipient})
    dossier = batch.dossiers[recipient]
    facts = facts_of_send(read, judging.registry, judging.parameters)
    kept = dossier.find(read.id) or kept_of(facts, read.request, send.offset, send.timestamp, dossiers.digest_of(read))
    return Explained(facts, answers(add_recipient(facts, kept, dossier, judging.registry), judging.rulebook))
