"""Recipients' histories from the topics alone, where no worker tells of them: read, fold as a worker folds, forget.

Belongs here: reading one partition's records of some recipients, and what follows for planned and judged sends. Not
here: asking workers (`workers.py`). It reads a whole partition of every topic of recipients, so it takes its time.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from sendwatch.engine.batch import FACTS, Batch
from sendwatch.engine.explain import explain
from sendwatch.engine.fact_intake import fold_facts
from sendwatch.engine.partition import Partition
from sendwatch.engine.planned import by_recipient, judge_planned, memory_of, read_all
from sendwatch.engine.send_intake import take_sends
from sendwatch.engine.store import MemoryStore
from sendwatch.report.explanation import as_json, as_text
from sendwatch.worker.evidence import line_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sendwatch.dossier import Dossier
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.planned import Found, Lookup
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.settings import Settings
    from sendwatch.worker.evidence import Line

KINDS = (*FACTS, "sends")


class TooMuchError(Exception):
    """More records would have to be read than is allowed; the message says how many."""


async def records_of(
    past: LogReader, settings: Settings, number: int, keys: Collection[bytes], most: int | None = None
) -> dict[str, list[Line]]:
    """A partition's records of some recipients, by topic kind.

    Raises TooMuchError where more than `most` records would have to be looked through, and errors of Kafka.
    """
    names = {kind: settings.topics.name(kind) for kind in KINDS}
    if most is not None:
        bounds = [await past.bounds(name, number) for name in names.values()]
        if (count := sum(end - first for first, end in bounds)) > most:
            raise TooMuchError(f"{count} records")
    return {
        kind: [line_of(record) async for records in past.read(name, number) for record in records if record.key in keys]
        for kind, name in names.items()
    }


def dossiers_of(
    judging: Judging, number: int, records: Mapping[str, Sequence[Line]], recipients: Collection[str]
) -> dict[str, Dossier]:
    """The dossiers of recipients, as a worker would have them after these records."""
    batch = Batch(Partition(number, MemoryStore()), judging, 0)
    for kind in FACTS:
        if records.get(kind):
            fold_facts(batch, kind, records[kind], records[kind][-1].offset + 1)
    if records.get("sends"):
        take_sends(batch, records["sends"], records["sends"][-1].offset + 1)
    batch.judge()
    internal = {each: judging.pseudonyms.internal(each) for each in recipients}
    batch.open(internal.values())
    return {each: batch.dossiers[key] for each, key in internal.items()}


async def planned(
    past: LogReader, settings: Settings, judging: Judging, asked: Sequence[Lookup], most: int | None
) -> list[Found]:
    """What the rules say of planned sends of one partition; raises TooMuchError and errors of Kafka."""
    sends, found = read_all(judging, asked, f"planned-{secrets.token_hex(8)}")
    theirs, number = by_recipient(sends), asked[0].partition
    records = await records_of(past, settings, number, {each.encode() for each in theirs}, most)
    memory, dossiers = memory_of(judging), dossiers_of(judging, number, records, theirs)
    for recipient, some in theirs.items():
        found += judge_planned(judging, memory, dossiers[recipient], some)
    return found


async def explained(past: LogReader, settings: Settings, judging: Judging, number: int, send: Line) -> dict[str, Any]:
    """As a worker explains a judged send, by all that the topics hold; raises CannotExplainError, errors of Kafka."""
    records = await records_of(past, settings, number, {send.key or b""})
    others = {**records, "sends": [each for each in records["sends"] if each.offset != send.offset]}
    found = explain(judging, send, number, others)
    return {"text": as_text(found), **as_json(found)}
