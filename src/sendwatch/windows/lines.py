"""Counts by bucket of time, sparse, and tables of them by subject; both bounded.

Belongs here: adding, summing over a stretch, forgetting what lies too far back, and turning rows to bytes and back.
Not here: which counts there are (`board.py`).

A line holds only buckets in which something happened: 16 bytes each. Sums can be added in any order, those of late
records too; what is older than the oldest that is kept is refused, and the caller told.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Subject: TypeAlias = tuple[str | None, ...]
OTHERS: Subject = ("\x00others",)
"""The row of a table under which everything is added up that there was no room for."""


class Line:
    """Counts by bucket number, in order of buckets."""

    __slots__ = ("at", "counts")

    def __init__(self, at: bytes = b"", counts: bytes = b"") -> None:
        """Empty, or from the bytes of both arrays."""
        self.at: array[int] = array("q", at)
        self.counts: array[int] = array("q", counts)

    def add(self, bucket: int, count: int) -> None:
        """Add to a bucket; corrections subtract."""
        at = self.at
        if at and at[-1] == bucket:
            self.counts[-1] += count
            return
        place = bisect_left(at, bucket)
        if place < len(at) and at[place] == bucket:
            self.counts[place] += count
        else:
            at.insert(place, bucket)
            self.counts.insert(place, count)

    def sum(self, first: int, last: int) -> int:
        """The sum over the buckets from `first` to `last`, both included."""
        return sum(self.counts[bisect_left(self.at, first) : bisect_left(self.at, last + 1)])

    def within(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The buckets from `first` to `last` that hold anything, with their counts."""
        for place in range(bisect_left(self.at, first), bisect_left(self.at, last + 1)):
            yield self.at[place], self.counts[place]

    def forget(self, before: int) -> bool:
        """Drop the buckets before this one; tells whether there were any."""
        end = bisect_left(self.at, before)
        if end:
            del self.at[:end]
            del self.counts[:end]
        return bool(end)

    def __len__(self) -> int:
        """How many buckets it holds."""
        return len(self.at)


class Table:
    """Lines by subject and name of count; no more than `most` subjects, the rest added up under `OTHERS`.

    `width` is that of a bucket (ms), `buckets` how many are kept.
    """

    def __init__(self, width: int, buckets: int, most: int) -> None:
        """Start empty."""
        self.width = width
        self.buckets = buckets
        self.most = most
        self.rows: dict[Subject, dict[str, Line]] = {}
        self.left_out = 0
        self.too_old = 0
        self._changed: set[Subject] = set()

    def bucket(self, at: int) -> int:
        """The bucket of a time in ms."""
        return at // self.width

    def oldest(self, now: int) -> int:
        """The first bucket that is kept at `now`."""
        return now // self.width - self.buckets + 1

    def recent(self, at: int, now: int) -> bool:
        """Whether the bucket of a time in ms is one of those that are kept."""
        return at // self.width > now // self.width - self.buckets

    def add(self, subject: Subject, name: str, at: int, count: int, now: int) -> None:
        """Add to the count `name` of a subject in the bucket of `at` (ms); too old a time is refused and counted."""
        bucket = at // self.width
        if bucket <= now // self.width - self.buckets:
            self.too_old += count
            return
        row = self.rows.get(subject)
        if row is None:
            if len(self.rows) >= self.most and subject != OTHERS:
                self.left_out += count
                subject = OTHERS
            row = self.rows.setdefault(subject, {})
        line = row.get(name)
        if line is None:
            line = row[name] = Line()
        line.add(bucket, count)
        self._changed.add(subject)

    def add_all(self, name: str, at: int, counts: Mapping[Subject, int], now: int) -> None:
        """Add to the counts `name` of many subjects in the bucket of `at` (ms)."""
        for subject, count in counts.items():
            self.add(subject, name, at, count, now)

    def sum(self, subject: Subject, name: str, now: int, buckets: int) -> int:
        """The sum over the last `buckets` up to and including that of `now`."""
        line = self.rows.get(subject, {}).get(name)
        if line is None:
            return 0
        last = now // self.width
        return line.sum(last - buckets + 1, last)

    def series(self, subject: Subject, name: str, first_at: int, last_at: int) -> list[tuple[int, int]]:
        """Start of bucket (ms) and count, for each bucket that holds anything."""
        line = self.rows.get(subject, {}).get(name)
        if line is None:
            return []
        return [(at * self.width, n) for at, n in line.within(first_at // self.width, last_at // self.width)]

    def first_seen(self, subject: Subject) -> int | None:
        """The start (ms) of the first bucket in which anything of the subject was counted."""
        starts = [line.at[0] for line in self.rows.get(subject, {}).values() if line.at]
        return min(starts) * self.width if starts else None

    def forget(self, now: int) -> None:
        """Drop buckets that lie too far back, and subjects of which nothing is left."""
        oldest = self.oldest(now)
        for subject in list(self.rows):
            row = self.rows[subject]
            if sum(line.forget(oldest) for line in row.values()):
                self._changed.add(subject)
            if not any(row.values()):
                del self.rows[subject]
                self._changed.add(subject)

    def changes(self, prefix: bytes) -> dict[bytes, bytes | None]:
        """What has changed since this was asked last, as keys and values of a store; None deletes."""
        changed = {prefix + pack(subject): self._packed(subject) for subject in self._changed}
        self._changed = set()
        return changed

    def load(self, prefix: bytes, stored: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up what `changes` had written."""
        for key, value in stored:
            rows = msgspec.msgpack.decode(value, type=dict[str, tuple[bytes, bytes]])
            subject = msgspec.msgpack.decode(key[len(prefix) :], type=tuple[str | None, ...])
            self.rows[subject] = {name: Line(at, counts) for name, (at, counts) in rows.items()}

    def _packed(self, subject: Subject) -> bytes | None:
        row = self.rows.get(subject)
        if row is None:
            return None
        return pack({name: (line.at.tobytes(), line.counts.tobytes()) for name, line in row.items()})


pack = msgspec.msgpack.Encoder().encode
