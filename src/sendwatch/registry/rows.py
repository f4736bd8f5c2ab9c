"""Rows of one registry and the records that they had: which one is the truth for a send at `t`.

Belongs here: records to versions, indexes over versions, and `Span`, which remembers for how long an answer
holds. Not here: what a row means.

A record counts for a send at `t` when it arrived no later than `t` + window; of those the greatest offset is
the truth. So each record of a row is the truth for one half-open span of `t`: from its arrival (less the
window) until the next higher offset arrives. One that arrived no earlier than a higher offset never is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Iterator

Row = TypeVar("Row", bound=Struct)

FOREVER = 1 << 62


class Version(Struct, Generic[Row], frozen=True, eq=False, gc=False):
    """A row as one of its records has it; the truth for sends with `since` <= t < `until`.

    `valid_since` and `valid_until` are that span cut to the validity that the row states for itself.
    """

    id: str
    row: Row
    since: int
    until: int
    valid_since: int
    valid_until: int


class Span:
    """A time `t`, and the span around it, `since` <= t < `until`, in which no question asked so far turns."""

    __slots__ = ("since", "t", "until")

    def __init__(self, t: int) -> None:
        """Start with all of time around `t`."""
        self.t = t
        self.since = -FOREVER
        self.until = FOREVER

    def within(self, since: int, until: int) -> bool:
        """Whether `since` <= t < `until`; narrows the span to where the answer is the same."""
        t = self.t
        # Bounds are compared in place of calling min and max, which cost most of a search otherwise.
        if t < since:
            if since < self.until:  # noqa: PLR1730
                self.until = since
            return False
        if t >= until:
            if until > self.since:  # noqa: PLR1730
                self.since = until
            return False
        if since > self.since:  # noqa: PLR1730
            self.since = since
        if until < self.until:  # noqa: PLR1730
            self.until = until
        return True

    def after(self, moment: int) -> bool:
        """Whether `moment` <= t; narrows as `within` does."""
        return self.within(moment, FOREVER)


class Index(Generic[Row]):
    """Versions of rows by something that the row says; `keys` gives what a row is found under."""

    def __init__(self, keys: Callable[[Row], Iterable[Hashable]]) -> None:
        """Start empty."""
        self._keys = keys
        self._versions: dict[Hashable, dict[Version[Row], None]] = {}

    def under(self, key: Hashable) -> Collection[Version[Row]]:
        """Every version found under `key`, in no order."""
        return self._versions.get(key, ())

    def add(self, version: Version[Row]) -> None:
        for key in self._keys(version.row):
            self._versions.setdefault(key, {})[version] = None

    def drop(self, version: Version[Row]) -> None:
        for key in self._keys(version.row):
            versions = self._versions.get(key)
            if versions is not None:
                versions.pop(version, None)
                if not versions:
                    del self._versions[key]


class _Record(Struct, Generic[Row], frozen=True, gc=False):
    arrived: int
    offset: int
    row: Row | None  # None: recorded in error, and never was


class Rows(Generic[Row]):
    """All rows of one registry, by id and in the given indexes."""

    def __init__(self, window: int, *indexes: Index[Row]) -> None:
        """Start empty; `window` in ms."""
        self._window = window
        self._indexes = indexes
        self._records: dict[str, tuple[_Record[Row], ...]] = {}
        self._versions: dict[str, tuple[Version[Row], ...]] = {}

    def put(self, row_id: str, offset: int, arrived: int, row: Row | None) -> list[Row]:
        """Keep a record, in any order of offsets; the same one again changes nothing.

        Returns the rows that were the truth at some time at which they no longer are.
        """
        records = self._records.get(row_id, ())
        kept = tuple(_rising((*records, _Record(arrived, offset, row))))
        offsets = [each.offset for each in kept]
        if offsets == [each.offset for each in records]:
            return []
        before = offsets[offsets.index(offset) - 1 : offsets.index(offset)]  # its time ends now with the new one
        displaced = [each.row for each in records if each.offset not in offsets or each.offset in before]
        self._records[row_id] = kept
        for version in self._versions.get(row_id, ()):
            for index in self._indexes:
                index.drop(version)
        self._versions[row_id] = tuple(self._versions_of(row_id, kept))
        for version in self._versions[row_id]:
            for index in self._indexes:
                index.add(version)
        return [each for each in displaced if each is not None]

    def truth(self, row_id: str, span: Span) -> Row | None:
        """The row as it counts for a send at the span's `t`, valid or not; None if it is not there."""
        for version in self._versions.get(row_id, ()):
            if span.within(version.since, version.until):
                return version.row
        return None

    def valid(self, row_id: str, span: Span) -> Row | None:
        """The row as it counts for a send at the span's `t`, if it is valid then."""
        for version in self._versions.get(row_id, ()):
            if span.within(version.valid_since, version.valid_until):
                return version.row
        return None

    def _versions_of(self, row_id: str, records: tuple[_Record[Row], ...]) -> Iterator[Version[Row]]:
        for number, record in enumerate(records):
            row = record.row
            if row is None:
                continue
            since = record.arrived - self._window
            until = records[number + 1].arrived - self._window if number + 1 < len(records) else FOREVER
            valid_from = getattr(row, "valid_from", -FOREVER)  # owners have no validity of their own
            valid_until = getattr(row, "valid_until", None)
            yield Version(
                row_id,
                row,
                since,
                until,
                max(since, valid_from),
                until if valid_until is None else min(until, valid_until),
            )


def _rising(records: tuple[_Record[Row], ...]) -> Iterator[_Record[Row]]:
    """The records that are the truth at some time, in order of arrival, each of a higher offset than before.

    Of several that arrived at one time only the highest offset is.
    """
    highest = -1
    for record in sorted(records, key=lambda each: (each.arrived, -each.offset)):
        if record.offset > highest:
            highest = record.offset
            yield record
