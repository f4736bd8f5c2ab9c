"""The difference between what should have been published and what was.

Belongs here: holding `Expected` against `Seen`. Not here: computing the one or reading the other. Pure.

Of a flag its id, rule, evidence, law pack, shadow and topic must agree. Beyond what the ledger accounts for nothing is
compared: that is not judged yet.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Raw, Struct, field

from sendwatch.audit.books import Pages, Wrong, check, totals
from sendwatch.audit.compute import Span
from sendwatch.events import REGISTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.audit.expected import Expected, Flagged

Place = tuple[str, int, int]


class Seen(Struct):
    """What was published, of a partition or of several.

    `flags`: those whose last record is raised, by id. `quarantine`: reasons by topic kind, partition and offset;
    `quarantine_whole`: none of its records has been deleted. `optouts`: owners by the reply's partition and offset,
    by the last record of each. `pages`: the ledger of each partition; without one, everything counts as judged.
    `starts`: by topic kind and partition, where reading began (else the beginning). `behind`: how many records the
    ledger does not account for yet.
    """

    flags: dict[str, Flagged] = field(default_factory=dict)
    quarantine: dict[Place, str] = field(default_factory=dict)
    quarantine_whole: bool = True
    optouts: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    pages: dict[int, Pages] = field(default_factory=dict)
    starts: dict[tuple[str, int], int] = field(default_factory=dict)
    behind: dict[str, int] = field(default_factory=dict)

    def within(self, kind: str, partition: int, offset: int) -> bool:
        """Whether a record was read for the audit, and is accounted for by the ledger."""
        if offset < self.starts.get((kind, partition), 0):
            return False
        pages = self.pages.get(partition)
        if pages is None:
            return True
        positions = pages.registries if kind in REGISTRIES else pages.positions
        return offset < positions.get(kind, 0)


class Disputed(Struct, frozen=True, omit_defaults=True):
    """A flag on which audit and flags topic differ; evidence as JSON, absent on the side that has no such flag."""

    what: str
    rule: str
    flag_id: str
    send_id: str
    at: int
    partition: int
    offset: int
    expected: Raw | None = None
    seen: Raw | None = None


class Misfit(Struct, frozen=True):
    """A quarantine or opt-out record on which the two differ, by the place of its source; None: there is none."""

    topic: str
    partition: int
    offset: int
    expected: str | None
    seen: str | None


class Difference(Struct):
    """All of it; counts by rule. `undecided` is the audit's, by rule and reason; `tallied` the ledger's count of sends
    about which some rule cannot say: the same, where the ledger is whole and no other version has counted.
    """

    agreed: Counter[str] = field(default_factory=Counter)
    missing: list[Disputed] = field(default_factory=list)
    extra: list[Disputed] = field(default_factory=list)
    other: list[Disputed] = field(default_factory=list)
    quarantine: list[Misfit] = field(default_factory=list)
    optouts: list[Misfit] = field(default_factory=list)
    books: list[Wrong] = field(default_factory=list)
    undecided: dict[str, Counter[str]] = field(default_factory=dict)
    sends: int = 0
    undecided_sends: int = 0
    tallied: int = 0
    accounted: dict[str, Counter[str]] = field(default_factory=dict)
    behind: Counter[str] = field(default_factory=Counter)
    versions: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.missing or self.extra or self.other or self.quarantine or self.optouts or self.books)

    def add(self, other: Difference) -> None:
        """Add the difference of another partition."""
        for name in ("missing", "extra", "other", "quarantine", "optouts", "books"):
            getattr(self, name).extend(getattr(other, name))
        self.agreed.update(other.agreed)
        for kind, count in other.behind.items():  # registries are the same for all
            self.behind[kind] = max(self.behind[kind], count) if kind in REGISTRIES else self.behind[kind] + count
        for name in ("undecided", "accounted"):
            for key, counts in getattr(other, name).items():
                getattr(self, name).setdefault(key, Counter()).update(counts)
        self.sends += other.sends
        self.undecided_sends += other.undecided_sends
        self.tallied += other.tallied
        self.versions = sorted({*self.versions, *other.versions})


def compare(expected: Expected, seen: Seen, span: Span | None = None) -> Difference:
    """Hold what was seen against what is expected. `span`: the sends that `expected` is about."""
    span = span or Span()
    found = Difference(sends=expected.sends, undecided_sends=expected.undecided_sends)
    _compare_flags(expected, seen, span, found)
    found.quarantine = list(_quarantine(expected, seen))
    found.optouts = list(_optouts(expected, seen))
    for number, pages in seen.pages.items():
        starts = {kind: first for (kind, one), first in seen.starts.items() if one == number}
        found.books += check(pages, number, expected.what, starts)
        found.tallied += pages.undecided_sends
        found.versions = sorted({*found.versions, *map(_shown, pages.versions)})
        for kind, ranges in pages.ranges.items():
            found.accounted.setdefault(kind, Counter()).update(totals(ranges))
    for (rule, reason), count in expected.undecided.items():
        found.undecided.setdefault(rule, Counter())[reason] += count
    found.behind.update(seen.behind)
    return found


def _shown(version: object) -> str:
    return " ".join(f"{name} {getattr(version, name)}" for name in ("sendwatch", "rules", "config"))


def _compare_flags(expected: Expected, seen: Seen, span: Span, found: Difference) -> None:
    published = {
        flag_id: flag
        for flag_id, flag in seen.flags.items()
        if span.since <= flag.at < span.until and seen.within("sends", flag.partition, flag.offset)
    }
    for flag_id, ours in sorted(expected.flags.items(), key=lambda item: (item[1].at, item[0])):
        theirs = published.pop(flag_id, None)
        if theirs is None:
            found.missing.append(_disputed("missing", ours, ours, None))
        elif differing := _differing(ours, theirs):
            found.other.append(_disputed(differing, ours, ours, theirs))
        else:
            found.agreed[ours.rule] += 1
    for theirs in sorted(published.values(), key=lambda flag: (flag.at, flag.flag_id)):
        found.extra.append(_disputed("extra", theirs, None, theirs))


def _differing(ours: Flagged, theirs: Flagged) -> str:
    names = ("rule", "evidence", "pack", "shadow", "topic", "partition")
    return ", ".join(name for name in names if getattr(ours, name) != getattr(theirs, name))


def _disputed(what: str, flag: Flagged, ours: Flagged | None, theirs: Flagged | None) -> Disputed:
    return Disputed(
        what=what,
        rule=flag.rule,
        flag_id=flag.flag_id,
        send_id=flag.send_id,
        at=flag.at,
        partition=flag.partition,
        offset=flag.offset,
        expected=None if ours is None else Raw(ours.evidence),
        seen=None if theirs is None else Raw(theirs.evidence),
    )


def _quarantine(expected: Expected, seen: Seen) -> Iterator[Misfit]:
    ours = {place: why for place, why in expected.refused.items() if seen.within(*place)}
    theirs = {place: why for place, why in seen.quarantine.items() if seen.within(*place)}
    for place in sorted(ours.keys() | theirs.keys()):
        if ours.get(place) != theirs.get(place) and (place in theirs or seen.quarantine_whole):
            yield Misfit(*place, ours.get(place), theirs.get(place))


def _optouts(expected: Expected, seen: Seen) -> Iterator[Misfit]:
    for place in sorted(expected.optouts.keys() | seen.optouts.keys()):
        ours, theirs = expected.optouts.get(place, ()), seen.optouts.get(place, ())
        if ours != theirs and seen.within("replies", *place):
            yield Misfit("replies", *place, " ".join(ours) or None, " ".join(theirs) or None)
