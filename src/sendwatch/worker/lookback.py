"""回看, looking back: what a change of the registries may change about sends that were judged already.

Belongs here: finding those sends through the ledger, and reading them again, a stretch at a time. Not here: judging
them (`batch.py`), what a change touches (`registry/touch.py`).

    a change counts for sends from  arrived - window  on; of those, the ranges of the ledger whose lanes or templates
    it touches are read again; how far it has come is the `registries` position of the partition, in its ledger: a
    restart begins again with the first change that is not done. A change that speaks of the future costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from sendwatch import ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.ledger import Range
    from sendwatch.worker.registries import Change


class LookBack(Struct):
    """One partition's looking back: changes that wait, and stretches of sends that are to be read again.

    `until`: by topic kind, up to where the changes under way reach.
    """

    waiting: list[Change] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)
    until: dict[str, int] = field(default_factory=dict)
    because: Change | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.waiting and not self.stretches

    async def find(self, reader: LogReader, topic: str, partition: int, end: int, window: int) -> None:
        """Turn the waiting changes into stretches, through the ledger up to its offset `end`."""
        changes, self.waiting = self.waiting, []
        standing, found = ledger.Standing(), list[tuple[int, int]]()
        async for entry in _entries(reader, topic, partition, end):
            if standing.accept(entry) and isinstance(entry, ledger.Range) and "sends" in entry.spans:
                span = entry.spans["sends"]
                if any(touched(change, entry, window) for change in changes):
                    found.append((span.first, span.next))
        self.stretches = _joined([*self.stretches, *found])
        self.because = changes[-1]

    def next(self, most: int) -> tuple[int, int] | None:
        """The next stretch of at most so many offsets; None where there is none."""
        if not self.stretches:
            return None
        start, end = self.stretches[0]
        cut = min(end, start + most)
        if cut == end:
            self.stretches.pop(0)
        else:
            self.stretches[0] = (cut, end)
        return (start, cut)


def touched(change: Change, entry: Range, window: int) -> bool:
    """Whether a change may change what was said of sends of this range."""
    if entry.until < change.arrived - window:
        return False
    for touch in change.touches:
        if entry.until < touch.since:
            continue
        if touch.template in entry.templates if touch.template is not None else any(map(touch.lane, entry.lanes)):
            return True
    return False


async def _entries(reader: LogReader, topic: str, partition: int, end: int) -> AsyncIterator[ledger.Record]:
    async for records in reader.read(topic, partition, 0, end):
        for record in records:
            yield ledger.decode.decode(record.value)


def _joined(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
