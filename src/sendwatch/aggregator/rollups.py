"""The records between the two stages: sums of a few partitions, and from where to where in each.

Belongs here: the shape of such a record, which of them count, and making them from the ledger of the partitions that a
process has. Not here: Kafka (`roller.py`), the sums themselves (`windows/rollup.py`).

    before    how far every partition was summed up, as its writer had read it from this very topic
    after     how far those are then that it sums up
    counts    where nobody has gone beyond `before` in any of the partitions that it sums up; else it is left out whole

So one append is the commit. Whoever reads the topic in its order leaves out the same records: what a process wrote that
was frozen, or taken for dead, while another took its partitions over, and what was written twice. Nothing is kept by
whoever writes it: where to go on, and which epoch of the ledger stands there, is in the topic. Every record has it for
all partitions, so that its end is enough to begin with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from sendwatch.aggregator.ledger_fold import Place, Summed, read_ledger
from sendwatch.windows import rollup as rollups
from sendwatch.windows.limits import HOUR
from sendwatch.windows.rollup import Rollup, moment_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_SUMS = 500_000
"""Sums of one record; some 14 MB, and as Kafka stores them 3."""


AHEAD = HOUR
"""How far (ms) one process may be ahead of those that have something to catch up with."""


class Rolled(Struct, array_like=True):
    """A record. `upto`: the offset up to which its writer had read the topic; `writer`: who, for people."""

    upto: int
    writer: str
    before: dict[int, Place]
    after: dict[int, Place]
    sums: Raw


pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Rolled).decode


class Accepted:
    """How far each partition is summed up by the records that count."""

    def __init__(self, places: Mapping[int, Place] | None = None) -> None:
        """From the beginning of the topic on, or from where this is known."""
        self.places: dict[int, Place] = dict(places or {})

    def take(self, record: Rolled) -> bool:
        """Go through the next record of the topic; False where it does not count."""
        if any(self.next_of(number) > _next(record.before, number) for number in record.after):
            return False
        self.places |= record.after
        return True

    def missing(self, record: Rolled) -> dict[int, tuple[int, int]]:
        """What is between the places and where the next record begins, by partition: no record that is there has it."""
        gaps = {number: (self.next_of(number), _next(record.before, number)) for number in record.after}
        return {number: gap for number, gap in gaps.items() if number in self.places and gap[0] < gap[1]}

    def next_of(self, number: int) -> int:
        """The next ledger offset of a partition; 0 where nothing is known."""
        return _next(self.places, number)


class Rolling:
    """What one process sums up of the partitions that it has now."""

    def __init__(self, writer: str, accepted: Accepted) -> None:
        """It has none yet."""
        self.accepted = accepted
        self._writer = writer
        self.most = MOST_SUMS
        self._begin({})

    def _begin(self, places: dict[int, Place]) -> None:
        self.places = places
        self._before = {number: place.next for number, place in places.items()}
        self.rollup = Rollup()
        self.records = 0

    def begin(self, partitions: Iterable[int]) -> dict[int, int]:
        """Sum up these partitions from where they are, with nothing in hand; returns positions, where known."""
        self._begin({number: _copy(self.accepted.places.get(number)) for number in partitions})
        return {number: place.next for number, place in self.places.items() if place.next}

    def take(self, partition: int, offset: int, timestamp: int, value: bytes) -> bool:
        """Add a record of the ledger; False where what is in hand must be written first.

        So that whoever adds up all sees time go on as it did, a rollup ends where an hour does.
        """
        place = self.places[partition]
        if offset < place.next:
            return True
        record = read_ledger(value)
        if isinstance(record, Summed) and self.records and moment_of(record) // HOUR > self.rollup.now // HOUR > 0:
            return False
        place.next, place.at = offset + 1, max(place.at, timestamp)
        if place.standing.accept(record) and isinstance(record, Summed):
            self.rollup.add(record)
        self.records += 1
        return True

    @property
    def full(self) -> bool:
        """Whether it has as much in hand as should be in one record."""
        return len(self.rollup) >= self.most

    @property
    def undisturbed(self) -> bool:
        """Whether nobody else has summed up any of its partitions since it began."""
        return all(self.accepted.next_of(number) == before for number, before in self._before.items())

    def may_reach(self, ends: Mapping[int, int]) -> int | None:
        """Up to what time (ms) of the ledger to read; None: however far. `ends`: the next offset of each partition.

        Others that are days behind would have rates of complaints come out wrong where this one is ahead of them.
        """
        others = {number: end for number, end in ends.items() if number not in self.places}
        known = self.accepted.places
        behind = [number for number, end in others.items() if self.accepted.next_of(number) < end]
        return min(known[number].at if number in known else 0 for number in behind) + AHEAD if behind else None

    def record(self, upto: int, at: int = 0) -> bytes:
        """What is in hand, to be appended; `upto`: the offset up to which the topic was read.

        `at`: up to when (ms) nothing more comes in any partition.
        """
        for place in self.places.values():
            place.at = max(place.at, at)
        return pack(Rolled(upto, self._writer, self.accepted.places, self.places, Raw(rollups.encode(self.rollup))))

    def goes_on(self) -> bool:
        """Whether what was appended, and read back since, counts: then go on with nothing in hand."""
        if any(self.accepted.next_of(number) != place.next for number, place in self.places.items()):
            return False
        self.begin(list(self.places))
        return True


def _next(places: Mapping[int, Place], number: int) -> int:
    place = places.get(number)
    return 0 if place is None else place.next


def _copy(place: Place | None) -> Place:
    return Place() if place is None else msgspec.msgpack.decode(msgspec.msgpack.encode(place), type=Place)
