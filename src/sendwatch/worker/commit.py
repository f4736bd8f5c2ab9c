"""Committing what follows from batches: publish, wait for the acknowledgements, append to the ledger, apply.

Belongs here: the order of these steps, appending a range exactly once, noticing that a partition is somebody else's.
Not here: what is published and appended (`batch.py`), what becomes of a partition that was lost (`worker.py`).

    fenced   the ledger's offsets are ours alone while we own the partition: a hole before the record that we appended
             means that somebody else wrote, and if it was a claim, the partition is theirs
    twice    an append that failed may have been written, or be written yet: it is looked for before it is tried
             again, and of two ranges with one number the later is void for every reader
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from sendwatch import ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sendwatch.engine.partition import Outcome, Partition
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.kafka.patience import Patience
    from sendwatch.kafka.publish import Publisher
    from sendwatch.metrics import Metrics
    from sendwatch.worker.owned import Owned, Topics

log = logging.getLogger("sendwatch.worker")


class Commit:
    """Carries outcomes out of the worker; it holds nothing between two of them."""

    def __init__(
        self,
        topics: Topics,
        publisher: Publisher,
        reader: LogReader,
        patience: Patience,
        metrics: Metrics,
        now: Callable[[], int],
    ) -> None:
        """Bind started clients; `now` is the wall clock in ms."""
        self._topics = topics
        self._publisher = publisher
        self._reader = reader
        self._patience = patience
        self._metrics = metrics
        self._now = now

    async def __call__(self, outcomes: Sequence[tuple[Owned, Outcome]]) -> list[int]:
        """Publish, append and apply; returns the partitions that turned out to be somebody else's."""
        messages = [message for _, outcome in outcomes for message in outcome.messages]
        if messages:
            flags = sum(message.topic == "flags" for message in messages)
            where = ", ".join(sorted({f"{self._topics.name(each.topic)}/{each.partition}" for each in messages}))
            await self._patience.insist("publish", where, lambda: self._publisher.publish(messages), flags=flags)
        appended = await asyncio.gather(*(self._append(owned.partition, outcome) for owned, outcome in outcomes))
        fenced: list[int] = []
        for (owned, outcome), ledger_next in zip(outcomes, appended, strict=True):
            if ledger_next is None:
                fenced.append(owned.number)
                continue
            owned.partition.apply(outcome, ledger_next)
            self._metrics.count(outcome, self._now())
            for fault in sorted(set(outcome.counts.faults)):
                log.error("a rule failed; its answer is undecided", extra={"rule": fault})
        return fenced

    async def _append(self, partition: Partition, outcome: Outcome) -> int | None:
        """Append the ledger record: the commit. None where the partition turned out to be somebody else's."""
        expected = partition.position.ledger_next
        if outcome.empty:
            return expected
        outcome.record.number = partition.position.standing.number + 1
        value = ledger.encode(outcome.record)
        where = f"{self._topics.name('ledger')}/{partition.number}"
        try:
            at = await self._publisher.append("ledger", partition.number, None, value)
        except KafkaError as error:
            self._patience.tell("append", where, error)
            await self._patience.pause("append")
            at = await self._patience.insist("append", where, lambda: self._append_again(partition, value))
        if at != expected and await self._is_claimed(partition, at):
            log.warning("fenced: another worker has claimed the partition", extra={"partition": partition.number})
            return None
        return at + 1

    async def _append_again(self, partition: Partition, value: bytes) -> int:
        """Append after a failure, unless the failed attempt was written after all."""
        name, start = self._topics.name("ledger"), partition.position.ledger_next
        written: int | None = None
        async for records in self._reader.read(name, partition.number, start):
            written = next((record.offset for record in records if record.value == value), written)
        if written is not None:
            return written
        return await self._publisher.append("ledger", partition.number, None, value)

    async def _is_claimed(self, partition: Partition, at: int) -> bool:
        """Whether somebody else claimed the partition before the record at this offset of its ledger."""
        start, claimed = partition.position.ledger_next, False
        async for records in self._reader.read(self._topics.name("ledger"), partition.number, start, at):
            for record in records:
                entry = ledger.decode.decode(record.value)
                claimed |= isinstance(entry, ledger.Claim) and entry.epoch > partition.epoch
        return claimed
