"""Sends of the past in a batch: read again from Kafka because a registry changed, or a strange flag was seen.

Belongs here: putting them back into their dossiers, to be judged with all that is known now. Not here: which ones are
read again (`lookback.py`, the worker), judging them (`batch.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sendwatch import dossier as dossiers
from sendwatch.engine.send_intake import appraise
from sendwatch.events import Send
from sendwatch.facts import kept_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.dossier import Published
    from sendwatch.engine.batch import Batch
    from sendwatch.engine.partition import Record
    from sendwatch.engine.send_intake import Appraised
    from sendwatch.outgoing import Because


def reconsider(
    batch: Batch, records: Sequence[Record], seen: Mapping[int, Mapping[str, Published]], because: Because
) -> None:
    """Judge sends of the past again, as they lie in Kafka, with all that is known now.

    `seen`: by offset and rule, what the flags topic says where that is not what was published from here.
    """
    reader, ignored = batch.judging.readers["sends"], Counter[str]()
    internal = batch.judging.pseudonyms.internal
    read: list[tuple[Record, Send, bytes]] = []
    for record in records:
        send = reader(record.key, record.value, record.timestamp, ignored)
        if isinstance(send, Send):
            read.append((record, send, internal(send.recipient)))
    batch.open({recipient for _, _, recipient in read})
    for record, send, recipient in read:
        batch.flagging.recipients[recipient] = send.recipient
        each = appraise(batch, record.offset, record.timestamp, batch.event_time, send)
        reconsider_one = _reconsider_one if send.part is None or send.part.total == 1 else batch.assembly.reconsider
        reconsider_one(batch, recipient, each, seen.get(record.offset, {}), because)


def _reconsider_one(
    batch: Batch, recipient: bytes, each: Appraised, seen: Mapping[str, Published], because: Because
) -> None:
    """Judge one send of the past again."""
    dossier = batch.dossiers[recipient]
    earlier = dossier.find(each.send.id)
    if earlier is not None and earlier.offset != each.offset:
        return
    if earlier is None and not seen and not each.kept:
        return
    kept = kept_of(each.facts_at_hand(), each.send.request, each.offset, each.arrived, dossiers.digest_of(each.send))
    flags = earlier.flags if earlier is not None else []
    if seen and (earlier is not None or each.send.at >= batch.rows_since):
        batch.held[recipient, kept.id] = {flag.rule for flag in flags if flag.raised}
    kept.flags = [flag for flag in flags if flag.rule not in seen] + list(seen.values())
    dossiers.put_kept(dossier, kept)
    batch.changed.add(recipient)
    batch.touch(recipient, kept.at, because)
    batch.fresh[recipient, kept.id] = (kept, each, because)
