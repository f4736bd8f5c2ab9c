"""The ledger of one partition, folded anew: which ranges stand, whether they join, whether their counts are ours.

Belongs here: reading entries and checking them. Not here: what each record is (`messages.py`, `recipients.py`).

    void     a range of a lower epoch than a claim before it, or whose number one of its epoch had; a claim whose epoch
             is not greater
    join     each range of a topic begins where the one before it ended
    counts   each offset of a range is one of the kinds, and of each kind there are as many as an audit finds. Which
             part of a long message stands for it, and which repeats another, depends on which the worker had then:
             where there are parts, they are held together with judged sends and duplicates, and likewise where
             there are repeats of which only the registries of that hour tell whether they were judged again
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sendwatch.ledger import KINDS, Span, Tally, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ALIKE = {"parts": "judged", "duplicates": "judged", "repeats": "judged"}
UNFOLDED = frozenset({"reports", "complaints"})
"""Of these no verdict depends on which of two is a repeat."""


class Entry(Struct, frozen=True):
    """What an audit reads of a ledger record."""

    record: str
    epoch: int
    version: Version
    spans: dict[str, Span] = field(default_factory=dict)
    registries: dict[str, int] = field(default_factory=dict)
    tallies: list[Tally] = field(default_factory=list)
    number: int = 0


class Wrong(Struct, frozen=True):
    """Offsets [`first`, `next`) of a source topic, and what the books have wrong there."""

    topic: str
    partition: int
    first: int
    next: int
    wrong: str


class Pages(Struct):
    """One partition's ledger. `whole`: it was read from its very beginning.

    `positions` and `registries`: how far the inputs had been read, by topic kind. `sends`, `undecided_sends`: as
    tallied, less what was counted elsewhere since.
    """

    whole: bool = True
    epoch: int | None = None
    number: int = 0
    void: int = 0
    ranges: dict[str, list[Span]] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    registries: dict[str, int] = field(default_factory=dict)
    versions: set[Version] = field(default_factory=set)
    sends: int = 0
    undecided_sends: int = 0

    def turn(self, entry: Entry) -> None:
        """Take in the next record of the ledger."""
        if self.epoch is None:
            self.epoch = entry.epoch if entry.record == "claim" or not self.whole else 0
        elif entry.record == "claim":
            if entry.epoch <= self.epoch:
                self.void += 1
                return
            self.epoch = entry.epoch
        if entry.record == "claim":
            self.number = 0
            return
        if entry.epoch != self.epoch or 0 < entry.number <= self.number:
            self.void += 1
            return
        self.number = max(self.number, entry.number)
        self.registries = entry.registries
        self.versions.add(entry.version)
        self.sends += sum(tally.sends for tally in entry.tallies)
        self.undecided_sends += sum(tally.undecided for tally in entry.tallies)
        for kind, span in entry.spans.items():
            self.ranges.setdefault(kind, []).append(span)
            self.positions[kind] = span.next


decode = msgspec.json.Decoder(Entry).decode


def check(
    pages: Pages, partition: int, what: Mapping[tuple[str, int], Mapping[int, str]], starts: Mapping[str, int]
) -> Iterator[Wrong]:
    """What is wrong in a partition's books. `what`: the kind of each offset; `starts`: where we began to read."""
    for kind, ranges in pages.ranges.items():
        expected_first = 0 if pages.whole else ranges[0].first
        for span in ranges:
            if span.first != expected_first:
                sentence = "no range accounts for these offsets"
                if span.first < expected_first:
                    sentence = "two ranges account for these offsets"
                first, end = sorted((span.first, expected_first))
                yield Wrong(kind, partition, first, end, sentence)
            if span.books.offsets != span.next - span.first:
                sentence = f"{span.books.offsets} offsets are accounted for"
                yield Wrong(kind, partition, span.first, span.next, sentence)
            if span.first >= starts.get(kind, 0):
                yield from _count(kind, partition, span, what.get((kind, partition), {}))
            expected_first = span.next


def _count(kind: str, partition: int, span: Span, what: Mapping[int, str]) -> Iterator[Wrong]:
    counted = Counter(what.get(offset, "absent") for offset in range(span.first, span.next))
    alike = ALIKE if counted["parts"] or counted["repeats"] else {"duplicates": "accepted"} if kind in UNFOLDED else {}
    ours = _alike(alike, counted)
    theirs = _alike(alike, {name: getattr(span.books, name) for name in KINDS})
    for name in KINDS:
        if ours[name] != theirs[name]:
            sentence = f"{theirs[name]} {name}, by the audit {ours[name]}"
            yield Wrong(kind, partition, span.first, span.next, sentence)


def _alike(alike: Mapping[str, str], counts: Mapping[str, int]) -> Counter[str]:
    added: Counter[str] = Counter()
    for name, count in counts.items():
        added[alike.get(name, name)] += count
    return added


def totals(ranges: Iterable[Span]) -> dict[str, int]:
    """How many records of each kind the ranges account for."""
    return {name: count for name in KINDS if (count := sum(getattr(span.books, name) for span in ranges))}
