"""What many ledger records tell the windows, added up beforehand, so that no single process need read them all.

Belongs here: adding records up, and the sums as bytes. Not here: the tables that they go into (`board.py`), which
partitions they are of and whether they count (`aggregator/rollups.py`).

A board that folds a rollup holds what it would hold had it folded the records. What a rollup does not tell is their
order: breaches are asked for once after all of them, and a top list that is full may differ within its error.

As bytes, every name is there once, and tables are columns of numbers: 28 bytes for a lane, which are the most of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from sendwatch.windows.limits import HOUR
from sendwatch.windows.pile import Pile
from sendwatch.windows.sums import Blocked, Complained, Copied, Hit, Reported, Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.ledger import Range, Tally
    from sendwatch.windows.lines import Subject

MINUTE = 60_000
NAME, COUNT = "<i4", "<i8"
Block: TypeAlias = tuple[int, list[bytes], list[bytes]]
"""A minute or an hour, columns of names (by their numbers) and columns of counts."""
Hours: TypeAlias = "dict[int, dict[Subject, int]]"


class Rollup:
    """The sums of some records; by hour where the tables have hours, in the order in which they came."""

    def __init__(self) -> None:
        """Of none."""
        self.now = 0
        self.pile = Pile()
        self.rules: Hours = {}
        self.raised: Hours = {}
        self.complained: dict[Complained, int] = {}
        self.reported: dict[int, dict[Subject, list[int]]] = {}
        self.hits: Hours = {}
        self.copied: Hours = {}
        self.refused: Hours = {}
        self.blocked: dict[tuple[str, str], Blocked] = {}
        self.copies_left_out = self.unmatched = 0

    def __len__(self) -> int:
        """How many sums there are, of those that may be many."""
        return len(self.pile) + sum(map(len, self.copied.values())) + sum(map(len, self.reported.values()))

    def add(self, record: Range) -> None:
        """Add a record that stands."""
        self.now = max(self.now, moment_of(record))
        self.pile.add(record.tallies)
        for tally in record.tallies:
            if tally.flags or tally.corrections:
                self._add_rules(tally)
        self._add_sums(record.sums)

    def _add_rules(self, tally: Tally) -> None:
        hour = tally.minute * MINUTE // HOUR
        for rule, count in signed(tally):
            _add(self.rules, hour, (rule, tally.owner), count)
        raised = sum(tally.flags.values())
        if raised:
            _add(self.raised, hour, (tally.signature, tally.port), raised)

    def _add_sums(self, sums: Sums) -> None:
        for complained, count in sums.complained:
            self.complained[complained] = self.complained.get(complained, 0) + count
        for each in sums.reported:
            counts = self.reported.setdefault(each.hour, {}).setdefault((each.sp, each.port), [0, 0])
            counts[0] += each.delivered
            counts[1] += each.undelivered
        for hit in sums.hits:
            _add(self.hits, hit.hour, (hit.sp, hit.port), hit.count)
        for copied in sums.copied:
            _add(self.copied, copied.hour, (copied.fingerprint, copied.signature, copied.port), copied.count)
        for hour, owner, count in sums.refused:
            _add(self.refused, hour, (owner,), count)
        for blocked in sums.blocked:
            self.blocked[blocked.recipient, blocked.owner] = blocked
        self.copies_left_out += sums.copies_left_out
        self.unmatched += sums.unmatched

    @property
    def sums(self) -> Sums:
        """What is told beside the tallies, as of one record."""
        reported = [(hour, *lane, *counts) for hour, row in self.reported.items() for lane, counts in row.items()]
        return Sums(
            complained=list(self.complained.items()),
            reported=msgspec.convert(reported, list[Reported]),
            hits=msgspec.convert(_each(self.hits), list[Hit]),
            copied=msgspec.convert(_each(self.copied), list[Copied]),
            refused=msgspec.convert(_each(self.refused), list[tuple[int, str, int]]),
            blocked=list(self.blocked.values()),
            copies_left_out=self.copies_left_out,
            unmatched=self.unmatched,
        )


class Form(Struct, array_like=True, frozen=True):
    """A rollup as it is written."""

    now: int
    names: list[str | None]
    senders: list[Block]
    places: list[Block]
    lanes: list[Block]
    rules: list[Block]
    raised: list[Block]
    reported: list[Block]
    hits: list[Block]
    copied: list[Block]
    refused: list[Block]
    complained: list[tuple[Complained, int]]
    blocked: list[Blocked]
    copies_left_out: int
    unmatched: int


def moment_of(record: Range) -> int:
    """The time (ms) to which a record moves a board: the greatest it tells of, but not after it was written."""
    return min(time_of(record), record.at)


def time_of(record: Range) -> int:
    """The greatest time that a record tells of (ms); of complaints and reports, the beginning of their hour."""
    sums = record.sums
    hours = [each.hour for each, _ in sums.complained] + [each.hour for each in sums.reported]
    return max(record.event_time, max(hours, default=0) * HOUR)


def signed(tally: Tally) -> Iterable[tuple[str, int]]:
    """Flags by rule: those that were raised, and those that corrections raised or cleared."""
    yield from tally.flags.items()
    for name, count in tally.corrections.items():
        yield name[:-1], count if name[-1] == "+" else -count


def encode(rollup: Rollup) -> bytes:
    """As bytes."""
    names, minutes = Names(), rollup.pile.minutes.items()
    return pack(
        Form(
            now=rollup.now,
            senders=[names.several(number, minute.senders) for number, minute in minutes],
            places=[names.several(number, minute.places) for number, minute in minutes],
            lanes=[names.single(hour, lanes) for hour, lanes in rollup.pile.lanes.items()],
            rules=[names.single(hour, row) for hour, row in rollup.rules.items()],
            raised=[names.single(hour, row) for hour, row in rollup.raised.items()],
            reported=[names.several(hour, row) for hour, row in rollup.reported.items()],
            hits=[names.single(hour, row) for hour, row in rollup.hits.items()],
            copied=[names.single(hour, row) for hour, row in rollup.copied.items()],
            refused=[names.single(hour, row) for hour, row in rollup.refused.items()],
            names=list(names.numbers),  # last: all of them have been met
            complained=list(rollup.complained.items()),
            blocked=list(rollup.blocked.values()),
            copies_left_out=rollup.copies_left_out,
            unmatched=rollup.unmatched,
        )
    )


def decode(value: bytes) -> Rollup:
    """What `encode` made."""
    form, rollup = unpack(value), Rollup()
    names = form.names
    rollup.now = form.now
    rollup.pile.lanes = _singles(form.lanes, names)
    for senders, places in zip(form.senders, form.places, strict=True):
        rollup.pile.put(senders[0], _several(senders, names), _several(places, names))
    rollup.rules, rollup.raised = _singles(form.rules, names), _singles(form.raised, names)
    rollup.hits, rollup.copied = _singles(form.hits, names), _singles(form.copied, names)
    rollup.refused = _singles(form.refused, names)
    rollup.reported = {block[0]: _several(block, names) for block in form.reported}
    rollup.complained = dict(form.complained)
    rollup.blocked = {(each.recipient, each.owner): each for each in form.blocked}
    rollup.copies_left_out, rollup.unmatched = form.copies_left_out, form.unmatched
    return rollup


class Names:
    """Numbers for names, in the order in which they are met."""

    def __init__(self) -> None:
        """None was met."""
        self.numbers: dict[str | None, int] = {}

    def single(self, number: int, sums: Mapping[Subject, int]) -> Block:
        """One count of each subject."""
        return number, self._columns(sums), [np.fromiter(sums.values(), COUNT, len(sums)).tobytes()]

    def several(self, number: int, sums: Mapping[Subject, Sequence[int]]) -> Block:
        """Several counts of each subject."""
        counts = np.array(list(sums.values()), COUNT).T
        return number, self._columns(sums), [column.tobytes() for column in counts]

    def _columns(self, subjects: Iterable[Subject]) -> list[bytes]:
        columns, numbers = [], self.numbers
        for column in zip(*subjects, strict=True):
            for name in dict.fromkeys(column):
                numbers.setdefault(name, len(numbers))
            columns.append(np.array([numbers[name] for name in column], NAME).tobytes())
        return columns


def _subjects(block: Block, names: Sequence[str | None]) -> Iterable[Subject]:
    return zip(*(map(names.__getitem__, np.frombuffer(column, NAME).tolist()) for column in block[1]), strict=True)


def _counts(block: Block) -> list[list[int]]:
    return [np.frombuffer(column, COUNT).tolist() for column in block[2]]


def _singles(blocks: Iterable[Block], names: Sequence[str | None]) -> Hours:
    return {block[0]: dict(zip(_subjects(block, names), *_counts(block), strict=True)) for block in blocks}


def _several(block: Block, names: Sequence[str | None]) -> dict[Subject, list[int]]:
    return dict(zip(_subjects(block, names), map(list, zip(*_counts(block), strict=True)), strict=True))


def _add(hours: Hours, hour: int, subject: Subject, count: int) -> None:
    row = hours.setdefault(hour, {})
    row[subject] = row.get(subject, 0) + count


def _each(hours: Hours) -> list[tuple[object, ...]]:
    """Hour, names and count, in order, as the shapes of `Sums` have them."""
    return [(hour, *subject, count) for hour, row in hours.items() for subject, count in row.items()]


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Form).decode
