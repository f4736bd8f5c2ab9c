"""Top lists in bounded memory: the subjects with the most, out of any number of them.

Belongs here: the space-saving sketch (Metwally, Agrawal, El Abbadi 2005). Not here: what is counted.

With room for `most` counters and N counted in all, a count is never below the truth and at most N / `most` above it,
and everything above N / `most` is in the list.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.windows.lines import Subject


class Ranked(Struct, frozen=True):
    """A subject of a top list; the truth lies in [`count` - `error`, `count`]."""

    subject: tuple[str | None, ...]
    count: int
    error: int


class Top:
    """The subjects with the greatest counts."""

    def __init__(self, most: int) -> None:
        """Room for so many counters."""
        self.most = most
        self.counts: dict[Subject, int] = {}
        self.errors: dict[Subject, int] = {}
        self._least: list[tuple[int, int, Subject]] = []
        self._turn = 0

    def add(self, subject: Subject, count: int = 1, error: int = 0) -> None:
        """Count; of a subject that has no counter, in place of the one with the least."""
        known = self.counts.get(subject)
        if known is None and len(self.counts) >= self.most:
            known = self._give_way()
            error += known
        self.counts[subject] = (known or 0) + count
        if error:
            self.errors[subject] = self.errors.get(subject, 0) + error
        self._note(subject)

    def _give_way(self) -> int:
        while True:
            count, _, subject = heappop(self._least)
            if self.counts.get(subject) == count:
                del self.counts[subject]
                self.errors.pop(subject, None)
                return count

    def _note(self, subject: Subject) -> None:
        self._turn += 1
        heappush(self._least, (self.counts[subject], self._turn, subject))
        if len(self._least) > 4 * self.most + 64:  # stale entries, of counts that have grown since
            self._least = sorted((count, turn, of) for turn, (of, count) in enumerate(self.counts.items()))
            self._turn = len(self._least)

    def list(self, length: int) -> list[Ranked]:
        """The first of the list, greatest first; of equals the lesser subject."""
        items = sorted(self.counts.items(), key=lambda item: (-item[1], repr(item[0])))
        return [Ranked(subject, count, self.errors.get(subject, 0)) for subject, count in items[:length]]


def merged(sketches: Iterable[Top], most: int) -> Top:
    """One sketch for several, as of hours for a day.

    What a full sketch has no counter for may have had as many as its least; that is added, and is error.
    """
    several = list(sketches)
    floors = [min(each.counts.values()) if len(each.counts) >= each.most else 0 for each in several]
    subjects = {subject for each in several for subject in each.counts}
    rough = Top(max(most, len(subjects)))
    for subject in subjects:
        count = error = 0
        for each, floor in zip(several, floors, strict=True):
            known = each.counts.get(subject)
            count += floor if known is None else known
            error += floor if known is None else each.errors.get(subject, 0)
        rough.add(subject, count, error)
    whole = Top(most)
    for ranked in rough.list(most):
        whole.add(ranked.subject, ranked.count, ranked.error)
    return whole
