"""The ledger of every partition as one stream, in the order in which it was written as far as that is known.

Belongs here: reading all partitions from given positions on, and merging them by time. Not here: what a record means.

Partitions are merged by their records' timestamps while any of them is behind, so that a fold of a month's ledger sees
time go forward as it did. Who is ahead waits in a bounded buffer. Once all have caught up, what comes is handed on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

MOST_WAITING = 500
IN_VAIN = 10
DAY = 86_400_000


class LedgerStream:
    """Follows the ledger with a consumer without a group."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> None:
        """Bind a started consumer."""
        self._consumer = consumer
        self._places = {number: TopicPartition(topic, number) for number in partitions}
        self._waiting: dict[int, deque[ConsumerRecord]] = {number: deque() for number in self._places}
        self._ends: dict[int, int] = {}
        self._next: dict[int, int] = {}
        self._began_at: dict[int, int] = {}
        self._in_vain = 0

    async def start(self, positions: Mapping[int, int], since: int | None = None) -> dict[int, tuple[int, int]]:
        """Begin at these positions; elsewhere at time `since` (ms), or at the beginning.

        Returns, by partition, [from, to) of what was to be read and is gone.
        """
        places = list(self._places.values())
        self._consumer.assign(places)
        first = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        fresh = [place for number, place in self._places.items() if number not in positions]
        at = {} if since is None or not fresh else await self._consumer.offsets_for_times(dict.fromkeys(fresh, since))
        gone: dict[int, tuple[int, int]] = {}
        for number, place in self._places.items():
            found = at.get(place)
            wanted = positions.get(number, ends[place] if since is not None else 0)
            if number not in positions and found is not None:
                wanted = found.offset
            if number in positions and wanted < first[place]:
                gone[number] = (wanted, first[place])
            self._next[number] = max(wanted, first[place])
            self._ends[number] = ends[place]
            self._consumer.seek(place, self._next[number])
        self._began_at = dict(self._ends)
        return gone

    @property
    def caught_up(self) -> bool:
        """Whether everything that is known to be there was handed on."""
        return not any(self._waiting.values()) and not self._behind()

    @property
    def past_start(self) -> bool:
        """Whether everything that was there at the start was handed on, however much has come since."""
        handed_on = {number: self._next[number] - len(queue) for number, queue in self._waiting.items()}
        return all(handed_on[number] >= end for number, end in self._began_at.items())

    @property
    def lag(self) -> int:
        """How many records are known to be there and were not handed on."""
        unread = sum(max(0, end - self._next[number]) for number, end in self._ends.items())
        return unread + sum(map(len, self._waiting.values()))

    async def take(self, timeout_ms: int) -> list[ConsumerRecord]:
        """The next records, in order; waits at most `timeout_ms` for any to come."""
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=MOST_WAITING)
        for place, records in fetched.items():
            self._waiting[place.partition].extend(records)
        for number, place in self._places.items():
            self._next[number] = await self._consumer.position(place)
            self._ends[number] = max(self._ends[number], self._consumer.highwater(place) or 0)
        self._in_vain = 0 if fetched else self._in_vain + 1
        taken = list(self._in_order())
        self._hold_back()
        return taken

    def _in_order(self) -> Iterable[ConsumerRecord]:
        lagging = self._behind() if self._in_vain < IN_VAIN else set()
        while not any(not self._waiting[number] for number in lagging):
            heads = [(queue[0].timestamp, number) for number, queue in self._waiting.items() if queue]
            if not heads:
                return
            yield self._waiting[min(heads)[1]].popleft()

    def _behind(self) -> set[int]:
        return {number for number, end in self._ends.items() if self._next[number] < end}

    def _hold_back(self) -> None:
        for number, place in self._places.items():
            if len(self._waiting[number]) >= MOST_WAITING:
                self._consumer.pause(place)
            elif not self._waiting[number]:
                self._consumer.resume(place)
