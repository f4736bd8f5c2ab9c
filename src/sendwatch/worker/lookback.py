"""回看, looking back: what a change of the registries may change about sends that were judged already.

Belongs here: finding those sends through the ledger, and reading them again, a stretch at a time. Not here: judging
them (`batch.py`), what a change touches (`registry/touch.py`).

    a change counts for sends from  arrived - window  on; of those, the ranges of the ledger whose lanes or templates
    it touches are read again; how far it has come is the `registries` position of the partition, in its ledger: a
    restart begins again with the first change that is not done. A change that speaks of the future costs nothing.

    counted: the ledger also tells by which records of the registries the sends of each stretch are counted, be it since
    they were judged first or since they were read again last: what is not kept of them is found out from those.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct, field

from sendwatch import ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.ledger import Range, Version
    from sendwatch.worker.registries import Change


class Stretch(NamedTuple):
    """Offsets [start, end) of sends; `by`: how far registries were read by which they are counted; None: unknown."""

    start: int
    end: int
    by: Mapping[str, int] | None


class LookBack(Struct):
    """One partition's looking back: changes that wait, and stretches of sends that are to be read again.

    `until`: by topic kind, up to where the changes under way reach.
    """

    waiting: list[Change] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    until: dict[str, int] = field(default_factory=dict)
    because: Change | None = None

    @property
    def idle(self) -> bool:
        """Whether there is nothing left to do."""
        return not self.waiting and not self.stretches

    async def find(
        self, reader: LogReader, topic: str, partition: int, end: int, window: int, version: Version
    ) -> None:
        """Turn the waiting changes into stretches, through the ledger up to its offset `end`.

        What another `version` counted, this one cannot find out.
        """
        changes, self.waiting = self.waiting, []
        standing, found = ledger.Standing(), list[Stretch]()
        async for entry in _entries(reader, topic, partition, end):
            if not standing.accept(entry) or not isinstance(entry, ledger.Range):
                continue
            by = entry.by if entry.by and entry.version == version else None
            if entry.again is not None:
                _count_anew(found, Stretch(*entry.again, by))
            if "sends" in entry.spans and any(touched(change, entry, window) for change in changes):
                span = entry.spans["sends"]
                found.append(Stretch(span.first, span.next, by))
        self.stretches = _joined([*self.stretches, *found])
        self.because = changes[-1]

    def next(self, most: int) -> Stretch | None:
        """The next stretch of at most so many offsets; None where there is none."""
        if not self.stretches:
            return None
        start, end, by = self.stretches[0]
        cut = min(end, start + most)
        if cut == end:
            self.stretches.pop(0)
        else:
            self.stretches[0] = Stretch(cut, end, by)
        return Stretch(start, cut, by)


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


def _count_anew(found: list[Stretch], again: Stretch) -> None:
    """Note that some of these stretches, which lie in order, were read again and are counted by something else now."""
    first = bisect_right(found, again.start, key=lambda each: each.end)
    last = bisect_left(found, again.end, key=lambda each: each.start)
    pieces: list[Stretch] = []
    for start, end, by in found[first:last]:
        inside, outside = max(start, again.start), min(end, again.end)
        cut = [Stretch(start, inside, by), Stretch(inside, outside, again.by), Stretch(outside, end, by)]
        pieces += [each for each in cut if each.start < each.end]
    found[first:last] = pieces


def _joined(stretches: Sequence[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for each in sorted(stretches, key=lambda one: one.start):
        if joined and each.start <= joined[-1].end and each.by == joined[-1].by:
            joined[-1] = Stretch(joined[-1].start, max(each.end, joined[-1].end), each.by)
        else:
            joined.append(each)
    return joined
