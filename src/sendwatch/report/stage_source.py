"""Where a stage report's numbers come from: the archive's files, or the topics as they are now.

Belongs here: giving DuckDB a table of each kind. Not here: what is asked of them (`stage_tally.py`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sendwatch import readout
from sendwatch.archive.rows import Positions, owners, rows
from sendwatch.archive.store import NAMES, Store
from sendwatch.archive.tables import OWNERS, SCHEMAS, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sendwatch.archive.tables import Row, Value
    from sendwatch.report.stage import Span
    from sendwatch.settings import Settings


class Source:
    """Tables by the kinds of the archive, and `owners`, to be asked in SQL. `told`: where they come from."""

    def __init__(self, told: str) -> None:
        """No table is there yet."""
        self.told = told
        self.asked = duckdb.connect()

    def give(self, name: str, made: pa.Table) -> None:
        """Give it a table."""
        self.asked.register(name, made)

    def all(self, question: str, *given: object) -> list[tuple[object, ...]]:
        """The rows that answer a question; `given` for its question marks."""
        found: list[tuple[object, ...]] = self.asked.execute(question, list(given)).fetchall()
        return found


def of_rows(found: Iterable[Row], names: Sequence[Value] = (), told: str = "") -> Source:
    """A source of rows at hand."""
    by_kind: dict[str, list[Value]] = defaultdict(list)
    for row in found:
        by_kind[row.kind].append(row.values)
    source = Source(told)
    for kind in SCHEMAS:
        source.give(kind, table(kind, by_kind[kind]))
    source.give("owners", pa.Table.from_pylist(list(names), schema=OWNERS))
    return source


async def of_topics(settings: Settings) -> Source:
    """A source of everything that the topics hold now, in memory."""
    found: list[Row] = []
    async with readout.reading(settings, "counting for a report") as topics:
        async for some in rows(topics, Positions()):
            found += some
        return of_rows(found, await owners(topics), "topics")


def of_archive(folder: Path, spans: Sequence[Span]) -> Source:
    """A source of the archive's days that the spans touch."""
    store, source = Store(folder), Source("archive")
    days = {day for span in spans for day in span.days}
    for kind, schema in SCHEMAS.items():
        paths = [store.path(kind, day) for day in store.days(kind) if kind in WHOLE or day in days]
        tables = [pq.read_table(path, schema=schema, partitioning=None) for path in paths]
        source.give(kind, pa.concat_tables(tables) if tables else schema.empty_table())
    names = folder / NAMES
    source.give("owners", pq.read_table(names) if names.exists() else OWNERS.empty_table())
    return source


WHOLE = frozenset({"dispositions", "breaches", "books"})
"""Of which days outside the span matter: decisions come later than what they are about, breaches last, books are of
whole batches."""


def last_day(folder: Path) -> str | None:
    """The last day that an archive has anything of; None: there is no archive."""
    days = Store(folder).days("tallies")
    return days[-1] if days else None
