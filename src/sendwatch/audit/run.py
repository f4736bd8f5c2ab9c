"""One audit from beginning to end.

Belongs here: the order of its steps. Not here: the steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sendwatch.audit.compare import Difference, compare
from sendwatch.audit.compute import FOREVER, Span, compute_partition, read_registries, refusals_of, tables_of
from sendwatch.audit.show import as_json, as_lines
from sendwatch.audit.terms import terms_of
from sendwatch.audit.topics import connected

if TYPE_CHECKING:
    from sendwatch.settings import Settings


async def audit(settings: Settings, from_at: int | None = None, to_at: int | None = None) -> Difference:
    """Audit the sends with `from_at` <= t < `to_at` (ms since 1970 UTC; None: no limit).

    Reads only, and belongs to no consumer group. Raises aiokafka's errors where Kafka can't be read.
    """
    terms = terms_of(settings)
    span = Span(-FOREVER if from_at is None else from_at, FOREVER if to_at is None else to_at)
    found = Difference()
    async with connected(settings, span) as topics:
        registries = read_registries(await topics.registries(), terms)
        async for taken in topics.partitions():
            tables = tables_of(registries, terms, taken.registry_ends)
            expected = compute_partition(taken.number, taken.records, tables, terms, span, taken.recalled)
            if taken.number == 0:
                expected.add(refusals_of(registries))
            found.add(compare(expected, taken.seen, span))
    return found


async def run(settings: Settings, from_at: int | None, to_at: int | None, output: str) -> int:
    """Audit and tell; 0 where nothing differs, else 1. `output`: `text` or `json`."""
    found = await audit(settings, from_at, to_at)
    click.echo(as_json(found) if output == "json" else "\n".join(as_lines(found)))
    return 0 if found.empty else 1
