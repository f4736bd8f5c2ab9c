"""Sends of the past in a batch: read again from Kafka because a registry changed, or a strange flag was seen.

Belongs here: putting them back into their dossiers, to be judged with all that is known now; of those that are not
kept, finding out how they were counted. Not here: which ones are read again (`lookback.py`, the worker), judging them
(`batch.py`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sendwatch import dossier as dossiers
from sendwatch.engine.memory import joined
from sendwatch.engine.send_intake import Appraised, Before, appraise, passing
from sendwatch.engine.tallies import counted_in_passing, counted_of
from sendwatch.events import Send
from sendwatch.facts import kept_of
from sendwatch.judge import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.dossier import Published
    from sendwatch.engine.batch import Batch
    from sendwatch.engine.memory import Memory
    from sendwatch.engine.partition import Record
    from sendwatch.outgoing import Because
    from sendwatch.parts import Counted


def reconsider(
    batch: Batch,
    records: Sequence[Record],
    seen: Mapping[int, Mapping[str, Published]],
    because: Because,
    as_counted: Memory | None,
) -> None:
    """Judge sends of the past again, as they lie in Kafka, with all that is known now.

    `seen`: by offset and rule, what the flags topic says where that is not what was published from here. `as_counted`:
    what was known of sends when they were counted that are not kept; None: that is what is known now, or nobody knows.
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
        if send.part is None or send.part.total == 1:
            _reconsider_one(batch, recipient, each, seen.get(record.offset, {}), because, as_counted)
        else:
            batch.assembly.reconsider(batch, recipient, each, seen.get(record.offset, {}), because)


def _reconsider_one(
    batch: Batch,
    recipient: bytes,
    each: Appraised,
    seen: Mapping[str, Published],
    because: Because,
    as_counted: Memory | None,
) -> None:
    """Judge one send of the past again."""
    dossier = batch.dossiers[recipient]
    earlier = dossier.find(each.send.id)
    if earlier is None and each.offset in batch.partition.entered:
        earlier = batch.partition.entered[each.offset].kept
    if earlier is not None and earlier.offset != each.offset:
        counted = _counted_in_passing(each, as_counted)
        if counted is not None and earlier.offset < each.offset and earlier.digest == dossiers.digest_of(each.send):
            batch.flagging.count_out(counted)  # it was counted when its like was not kept; now it repeats that
        return
    if earlier is None:
        counted = _counted_in_passing(each, as_counted)
        each.before = Before(None if counted is None else [counted])
        if not seen and not each.kept:
            if counted is not None:
                now = counted_in_passing(each.send, each.known.facts, passing(each))
                batch.flagging.count_again((counted,), now)
            return
    kept = kept_of(each.facts_at_hand(), each.send.request, each.offset, each.arrived, dossiers.digest_of(each.send))
    if earlier is not None:
        counted = counted_of(earlier) or _counted_in_passing(each, as_counted)
        each.before = Before(None if counted is None else [counted])
        batch.rows_before[recipient, kept.id] = earlier
    flags = earlier.flags if earlier is not None else []
    if seen and (earlier is not None or each.send.at >= batch.rows_since):
        batch.held[recipient, kept.id] = {flag.rule for flag in flags if flag.raised}
    kept.flags = [flag for flag in flags if flag.rule not in seen] + list(seen.values())
    dossiers.put_kept(dossier, kept)
    batch.changed.add(recipient)
    batch.touch(recipient, kept.at, because)
    batch.fresh[recipient, kept.id] = (kept, each, because)


def _counted_in_passing(each: Appraised, as_counted: Memory | None) -> Counted | None:
    """How a send was counted of which nothing was kept, by what was known then; None: it was kept, or nobody knows."""
    if as_counted is None:
        return None
    send, known = each.send, as_counted.of(each.send)
    facts = known.facts_of(send)
    verdict = joined(known.verdict, judge(facts, known.by_clock))
    then = Appraised(each.offset, each.arrived, each.event_time, send, known, facts, verdict)
    return None if then.kept else counted_in_passing(send, facts, passing(then))
