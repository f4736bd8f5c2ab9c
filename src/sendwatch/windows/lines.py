"""Counts by bucket of time, sparse, and tables of them by subject; both bounded.

Belongs here: adding, summing over a stretch, forgetting what lies too far back, and turning rows to bytes and back.
Not here: which counts there are (`board.py`).

A line holds only buckets in which something happened: 16 bytes each. It is stored in stretches of buckets, since only
the last of them change: a row of thirty days is 11.5 KB, and would be written anew every ten seconds. Sums can be added
in any order, those of late records too; what is older than the oldest that is kept is refused, and the caller told.
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
STRETCH = 24
NUMBER_BYTES = 4


class Line:
    """Counts by bucket number, in order of buckets."""

    __slots__ = ("at", "counts")

    def __init__(self) -> None:
        """Empty."""
        self.at: array[int] = array("q")
        self.counts: array[int] = array("q")

    def add(self, bucket: int, count: int) -> None:
        """Add to a bucket; corrections subtract."""
        at = self.at
        if not at or bucket > at[-1]:
            at.append(bucket)
            self.counts.append(count)
            return
        if at[-1] == bucket:
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

    def bytes_of(self, first: int, last: int) -> tuple[bytes, bytes]:
        """The buckets from `first` to `last` as the bytes of both arrays."""
        at = self.at
        if at and at[0] >= first and at[-1] <= last:
            return at.tobytes(), self.counts.tobytes()
        start, end = bisect_left(at, first), bisect_left(at, last + 1)
        return at[start:end].tobytes(), self.counts[start:end].tobytes()

    def take_up(self, at: bytes, counts: bytes) -> None:
        """Append the bytes of both arrays, which lie after all that it holds."""
        self.at.frombytes(at)
        self.counts.frombytes(counts)

    def forget(self, before: int) -> list[int]:
        """Drop the buckets before this one; returns which."""
        end = bisect_left(self.at, before)
        dropped = self.at[:end].tolist()
        if end:
            del self.at[:end]
            del self.counts[:end]
        return dropped

    def gather(self, before: int) -> list[int]:
        """Take the buckets before this one together into the last of them; returns which changed."""
        end = bisect_left(self.at, before)
        if end < 2:
            return []
        changed = self.at[:end].tolist()
        self.counts[end - 1] = sum(self.counts[:end])
        del self.at[: end - 1]
        del self.counts[: end - 1]
        return changed

    def __len__(self) -> int:
        """How many buckets it holds."""
        return len(self.at)


class Table:
    """Lines by subject and name of count; no more than `most` subjects, the rest added up under `OTHERS`.

    `width` is that of a bucket (ms), `buckets` how many are kept, `apart` how many of those are told apart, at least:
    what lies further back is one number, in the last bucket of then in which anything was counted.
    """

    def __init__(self, width: int, buckets: int, most: int, apart: int | None = None) -> None:
        """Start empty."""
        self.width = width
        self.buckets = buckets
        self.apart = buckets if apart is None else apart
        self.most = most
        self.rows: dict[Subject, dict[str, Line]] = {}
        self.left_out = 0
        self.too_old = 0
        self._changed: dict[int, set[Subject]] = {}

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
        self._changed.setdefault(bucket // STRETCH, set()).add(subject)

    def add_all(self, name: str, at: int, counts: Mapping[Subject, int], now: int) -> None:
        """Add to the counts `name` of many subjects in the bucket of `at` (ms)."""
        bucket, rows = at // self.width, self.rows
        if bucket <= now // self.width - self.buckets:
            self.too_old += sum(counts.values())
            return
        changed = self._changed.setdefault(bucket // STRETCH, set())
        for subject, count in counts.items():
            row = rows.get(subject)
            if row is None:
                if len(rows) >= self.most:
                    self.add(subject, name, at, count, now)
                    continue
                row = rows[subject] = {}
            line = row.get(name)
            if line is None:
                line = row[name] = Line()
            line.add(bucket, count)
            changed.add(subject)

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
        """Drop buckets that lie too far back, and subjects of which nothing is left; gather what is not told apart."""
        oldest, apart = self.oldest(now), now // self.width - self.apart + 1
        for subject in list(self.rows):
            row = self.rows[subject]
            for line in row.values():
                changed = line.forget(oldest) + (line.gather(apart) if apart > oldest else [])
                for number in {bucket // STRETCH for bucket in changed}:
                    self._changed.setdefault(number, set()).add(subject)
            if not any(row.values()):
                del self.rows[subject]

    def changes(self, prefix: bytes) -> dict[bytes, bytes | None]:
        """What has changed since this was asked last, as keys and values of a store; None deletes."""
        found: dict[bytes, bytes | None] = {}
        for number, subjects in self._changed.items():
            end = number.to_bytes(NUMBER_BYTES, "big")
            for subject in subjects:
                found[prefix + pack(subject) + end] = self._packed(subject, number)
        self._changed = {}
        return found

    def load(self, prefix: bytes, stored: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up what `changes` had written, in order of keys."""
        for key, value in stored:
            lines = msgspec.msgpack.decode(value, type=dict[str, tuple[bytes, bytes]])
            subject = msgspec.msgpack.decode(key[len(prefix) : -NUMBER_BYTES], type=tuple[str | None, ...])
            row = self.rows.setdefault(subject, {})
            for name, (at, counts) in lines.items():
                row.setdefault(name, Line()).take_up(at, counts)

    def _packed(self, subject: Subject, number: int) -> bytes | None:
        """A stretch of a row; None where there is nothing in it."""
        first, lines = number * STRETCH, {}
        for name, line in self.rows.get(subject, {}).items():
            some = line.bytes_of(first, first + STRETCH - 1)
            if some[0]:
                lines[name] = some
        return pack(lines) if lines else None


pack = msgspec.msgpack.Encoder().encode
