"""One partition judged anew from its records, in memory: what a worker would have published that read them today.

Belongs here: handing the records to the engine. Not here: any answer (`engine/batch.py`, `judge.py`), reading topics.

All facts come before all sends: so nothing has to be corrected on the way, and a late fact counts as it ought to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.engine.batch import FACTS, assemble, process
from sendwatch.engine.partition import Partition
from sendwatch.engine.store import MemoryStore
from sendwatch.outgoing import read_flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Outcome, Record
    from sendwatch.outgoing import FlagEvent

AT_ONCE = 2000


def rejudge(
    number: int,
    records: Mapping[str, Sequence[Record]],
    judging: Judging,
    resolved: Mapping[int, tuple[str, ...]],
    now: int,
) -> dict[str, FlagEvent]:
    """The flags that stand, by id, when all of these records have been judged.

    `records`: of partition `number`, by topic kind, in the order of offsets. `resolved`: by offset, what replies were
    resolved to whose answered sends are not among the records. `now`: the wall clock in ms.
    """
    partition = Partition(number, MemoryStore())
    partition.resolved.update(resolved)
    for kind in FACTS:
        for some in _chunks(records.get(kind, ())):
            following = some[-1].offset + 1
            partition.position.standing.positions[kind] = following  # all of it is known: nothing is published of it
            partition.apply(process(partition, judging, {kind: some}, {kind: following}, now, 0), 0)
    partition.resolved.clear()
    standing: dict[str, FlagEvent] = {}
    sends = records.get("sends", ())
    for some in _chunks(sends):
        _take(process(partition, judging, {"sends": some}, {"sends": some[-1].offset + 1}, now, 0), partition, standing)
        if partition.missing:
            wanted = set().union(*partition.missing.values())
            parts = [record for record in sends if record.offset in wanted]
            _take(assemble(partition, judging, parts, now), partition, standing)
    return standing


def _take(outcome: Outcome, partition: Partition, standing: dict[str, FlagEvent]) -> None:
    partition.apply(outcome, 0)
    for message in outcome.messages:
        if message.topic in ("flags", "canary"):
            event = read_flag(message.value)
            standing.pop(event.flag_id, None)
            if event.status == "raised":
                standing[event.flag_id] = event


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), AT_ONCE):
        yield records[start : start + AT_ONCE]
