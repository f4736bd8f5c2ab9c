"""In step: the sends of a partition are never judged far ahead, in time, of facts that are still to be read.

Belongs here: putting sends off, and letting them go on. Not here: judging them (`batch.py`), the first catching up
after a take-over (`take_over.py`).

Kafka's topics are read each at its own pace, and a backlog of sends can be read days ahead of its facts. A fact that is
read when nothing is kept any more of the sends that it bears on could not correct what was said of them; a report or a
complaint could not be joined to its send, and a complainant's codes would not be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.engine.batch import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.worker.owned import Owned, Topics

AHEAD = 12 * 3_600_000  # ms; half of what sends are kept beyond the window


class InStep:
    """Keeps sends in step with facts, by the timestamps of their records."""

    def __init__(self, topics: Topics, consumer: AIOKafkaConsumer) -> None:
        """Bind the worker's own consumer."""
        self._topics = topics
        self._consumer = consumer

    async def cut(
        self, owned: Owned, batch: Mapping[str, Sequence[ConsumerRecord]]
    ) -> Mapping[str, Sequence[ConsumerRecord]]:
        """Leave sends for later that lie too far ahead; they are read again when the facts have come so far."""
        limit = await self._limit(owned)
        if limit is None:
            return batch
        first = next((record for record in batch.get("sends", ()) if record.timestamp > limit), None)
        if first is None:
            return batch
        place = self._topics.place("sends", owned.number)
        self._consumer.seek(place, first.offset)
        self._consumer.pause(place)
        owned.ahead_at = first.timestamp
        sends = [record for record in batch["sends"] if record.offset < first.offset]
        return {kind: records for kind, records in {**batch, "sends": sends}.items() if records}

    async def release(self, owned: Owned) -> None:
        """Let sends that were put off go on."""
        if owned.ahead_at is None:
            return
        limit = await self._limit(owned)
        if limit is None or owned.ahead_at <= limit:
            owned.ahead_at = None
            self._consumer.resume(self._topics.place("sends", owned.number))

    async def _limit(self, owned: Owned) -> int | None:
        """The time up to which sends may be judged; None: whatever is there, for no fact is left to be read."""
        limits = []
        for kind in FACTS:
            place = self._topics.place(kind, owned.number)
            if await self._consumer.position(place) < (self._consumer.highwater(place) or 0):
                limits.append(owned.read_at.get(kind, 0) + AHEAD)
        return min(limits, default=None)
