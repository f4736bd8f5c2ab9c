"""The archive's files: taking rows in by day, what is there, and letting go of what the law wants kept no longer.

Belongs here: files and their order of writing. Not here: rows (`rows.py`), keys (`keys.py`).

    taking in    a day's new rows are laid beside those that it has, each place once, in the order of places, into a new
                 file that takes the old one's name; then positions.json is written the same way. A run that is cut off
                 between the two reads some records again, and their rows are there already
    retention    a day is let go when the longest term of the law packs in force on it has passed, and with it the keys
                 of recipients of whom nothing is left
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import defaultdict
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from sendwatch.archive.rows import Positions
from sendwatch.archive.tables import IDENTITY, OWNERS, SCHEMAS, table
from sendwatch.days import instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from sendwatch.archive.tables import Row, Value
    from sendwatch.law import Pack

POSITIONS = "positions.json"
NAMES = "owners.parquet"


class BusyError(Exception):
    """Another process writes this archive."""


class Store:
    """An archive in a folder."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made yet."""
        self.folder = folder

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While this lasts, nobody else writes. Raises BusyError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BusyError(f"another process writes {self.folder}") from None
            yield

    @property
    def positions(self) -> Positions:
        """How far the topics were taken in."""
        path = self.folder / POSITIONS
        return msgspec.json.decode(path.read_bytes(), type=Positions) if path.exists() else Positions()

    def take(self, rows: Iterable[Row]) -> int:
        """Take rows in, day by day; returns how many were new."""
        found: dict[tuple[str, str], list[Value]] = defaultdict(list)
        for row in rows:
            found[row.kind, row.day].append(row.values)
        return sum(self._take_day(kind, day, values) for (kind, day), values in sorted(found.items()))

    def keep(self, positions: Positions) -> None:
        """Note how far the topics were taken in: after the rows."""
        self._put(self.folder / POSITIONS, lambda path: path.write_bytes(msgspec.json.encode(positions)))

    def name(self, owners: list[Value]) -> None:
        """Keep the names of content owners, instead of those before."""
        made = pa.Table.from_pylist(owners, schema=OWNERS)
        self._put(self.folder / NAMES, lambda path: pq.write_table(made, path))

    def days(self, kind: str) -> list[str]:
        """The days of which there is anything."""
        return sorted(path.name.removeprefix("day=") for path in (self.folder / kind).glob("day=*"))

    def path(self, kind: str, day: str) -> Path:
        """The file of a day."""
        return self.folder / kind / f"day={day}" / f"{kind}.parquet"

    def _take_day(self, kind: str, day: str, values: list[Value]) -> int:
        path, identity = self.path(kind, day), IDENTITY[kind]
        old = pq.read_table(path, schema=SCHEMAS[kind], partitioning=None).to_pylist() if path.exists() else []
        merged = {tuple(each[name] for name in identity): each for each in old}
        before = len(merged)
        for each in values:
            merged.setdefault(tuple(each[name] for name in identity), each)
        if len(merged) > before:
            made = table(kind, [merged[place] for place in sorted(merged)])
            path.parent.mkdir(parents=True, exist_ok=True)
            self._put(path, lambda new: pq.write_table(made, new, compression="zstd"))
        return len(merged) - before

    def prune(self, packs: Sequence[Pack], today: date, *, dry_run: bool = False) -> list[str]:
        """Let go of the days whose term has passed; returns them, as `kind day`."""
        gone = []
        for kind in SCHEMAS:
            for day in self.days(kind):
                if kept_until(day, packs) < today:
                    gone.append(f"{kind} {day}")
                    if not dry_run:
                        shutil.rmtree(self.path(kind, day).parent)
        return gone

    def recipient_keys(self) -> set[int]:
        """The numbers of the keys that rows need."""
        numbers: set[int] = set()
        for kind in ("flags", "breaches"):
            for day in self.days(kind):
                column = pq.read_table(self.path(kind, day), columns=["recipient_key"], partitioning=None).column(0)
                numbers |= set(column.unique().to_pylist())
        return numbers

    def _put(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file whole, or not at all."""
        new = path.with_name(f".{path.name}.new")
        write(new)
        with new.open("rb") as file:
            os.fsync(file.fileno())
        new.replace(path)


def kept_until(day: str, packs: Sequence[Pack]) -> date:
    """The last day on which the law wants a day's records kept: by the longest term of the packs in force on it."""
    at = instant(day)
    months = max((pack.retention_months for pack in packs if pack.in_force(at)), default=0)
    return months_later(date.fromisoformat(day), months)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))
