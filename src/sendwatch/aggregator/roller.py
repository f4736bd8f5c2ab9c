"""The first stage where one process is too small to add up the ledger: any number of these, each for some partitions.

Belongs here: which partitions are this process's, following the topic of rollups, appending to it. Not here: what
counts (`rollups.py`), what is summed (`windows/rollup.py`), the second stage (`rollup_fold.py`).

    shared out  the group gives each of these processes some of the ledger's partitions, and moves them when one is gone
    one round   read the topic of rollups -> take records of the ledger -> every ten seconds append what is in hand
    in step     nobody reads on where others are more than an hour of the ledger behind, as on a first start
    appended    read back: where it does not count, or somebody else has written of these partitions, what is in hand is
                dropped, and everything begins anew from what the topic says

It stores nothing, so it may be killed at any time, and two that take themselves for the owner do no harm.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError
from mode import Service

from sendwatch.aggregator.breaches import since_of
from sendwatch.aggregator.follow_ledger import LedgerStream
from sendwatch.aggregator.rollups import Accepted, Rolling, unpack
from sendwatch.kafka import clients, connection, topics
from sendwatch.kafka.log_reader import LogReader
from sendwatch.kafka.patience import passes
from sendwatch.kafka.publish import RecordTooLargeError
from sendwatch.starting import at_rest, starting

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from sendwatch.metrics import Metrics
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.aggregator")

FETCH_MS = 200
PAUSE_SECONDS = 0.5
STALL_SECONDS = 15.0
LOOK_SECONDS = 2.0
HEALTHY_WITHIN = 30.0
MEGABYTE = 1 << 20
LARGEST = 64 * MEGABYTE  # before it is compressed; what Kafka takes is told by Kafka


class Roller(Service):  # type: ignore[misc]
    """Sums up the ledger of the partitions that it is given."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Nothing is connected before the service starts."""
        super().__init__()
        self._settings = settings
        self.metrics = metrics
        self._place = TopicPartition(settings.topics.name("rollups"), 0)
        self._ended, self.done = at_rest(), asyncio.Event()
        self._ticked_at = time.monotonic()
        self._clients: list[Any] = []
        self._mine: frozenset[int] | None = None
        self._written_at = self._looked_at = 0.0
        self._upto = self._reached = 0
        self._held: deque[ConsumerRecord] = deque()
        self._ends: dict[TopicPartition, int] = {}

    @property
    def healthy(self) -> bool:
        """Whether it went round lately."""
        return time.monotonic() - self._ticked_at < HEALTHY_WITHIN

    @property
    def ready(self) -> bool:
        """Whether it sums up what it was given, be that nothing."""
        return self.healthy and self._mine is not None

    async def on_start(self) -> None:
        """Connect, find out how far everything is, and ask for partitions."""
        settings = self._settings
        options = await connection.reach(settings.kafka, "summing up the ledger", log.warning)
        await topics.refuse_unfit(settings, ("ledger", "rollups"), log.warning)
        apart = {"fetch_max_wait_ms": FETCH_MS, "auto_offset_reset": "earliest"}
        group = connection.member_options(settings.kafka) | {"group_id": f"{settings.kafka.group}-rollups"}
        self._sharing = clients.consumer(options, **group, auto_offset_reset="latest")
        self._reading = clients.consumer(options, **apart)
        self._following = clients.consumer(options, **apart)
        self._producer = clients.producer(
            options,
            idempotence=settings.kafka.idempotence,
            compression_type="zstd",
            max_batch_size=MEGABYTE,
            max_request_size=LARGEST,
        )
        self._sharing.subscribe(topics=[settings.topics.name("ledger")])
        self._clients = [self._producer, self._following, self._reading, self._sharing]
        with starting(self, self._ended):
            for client in self._clients:
                await client.start()
            await self._look_back()

    async def on_stop(self) -> None:
        """End the round under way, and leave the group; what is in hand is summed up by whoever is next."""
        await self._ended.wait()
        for client in reversed(self._clients):
            await client.stop()

    async def _look_back(self) -> None:
        """The last rollup says how far all partitions were when it was made: read on from there."""
        reader = LogReader(self._following)
        self._upto, end = await reader.bounds(self._place.topic, 0)
        last = await reader.one(self._place.topic, 0, end - 1) if end > self._upto else None
        places = None
        if last is not None and (told := unpack(last.value)).upto >= self._upto:
            self._upto, places = told.upto, told.before
        self._accepted = Accepted(places)
        self._rolling = Rolling(self._settings.kafka.client_id, self._accepted)
        self._following.assign([self._place])
        self._following.seek(self._place, self._upto)
        await self._follow(end - 1)

    @Service.task  # type: ignore[untyped-decorator]
    async def roll(self) -> None:
        """Sum up, until stopped."""
        try:
            while not self.should_stop:
                self._ticked_at = time.monotonic()
                try:
                    await self._round()
                except KafkaError as error:
                    if not passes(error):
                        raise
                    log.warning("Kafka does not answer; beginning anew, nothing is lost", extra={"error": repr(error)})
                    self._mine = None
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._ended.set()

    async def _round(self) -> None:
        await self._sharing.getmany(timeout_ms=0)  # says that this member is alive
        assigned = self._sharing.assignment()
        self._sharing.pause(*assigned)  # it is asked for partitions only, another consumer reads them
        await self._follow()
        mine = frozenset(place.partition for place in assigned)
        if mine != self._mine or not self._rolling.undisturbed:
            await self._begin(mine)
        if not mine:
            self.metrics.set_rolled_up(0)
            await asyncio.sleep(PAUSE_SECONDS)
            return
        if not self._held:
            self._held.extend(await self._stream.take(FETCH_MS))
        self.metrics.set_rolled_up(self._stream.lag + len(self._held))
        if not await self._sum_up():
            return
        if time.monotonic() - self._written_at > self._settings.breaches.rollup_seconds or self._rolling.full:
            await self._write(int(time.time() * 1000) if self._stream.caught_up and not self._held else self._reached)

    async def _begin(self, mine: frozenset[int]) -> None:
        """Begin anew, from what the topic says, with nothing in hand."""
        positions = self._rolling.begin(mine)
        self._held.clear()
        self._reached = 0
        if mine:
            self._stream = LedgerStream(self._reading, self._settings.topics.name("ledger"), sorted(mine))
            for number, (first, end) in (await self._stream.start(positions, since_of(self._settings))).items():
                where = {"partition": number, "first": first, "end": end}
                log.error("ledger records were deleted before they were added up", extra=where)
        if mine != self._mine:
            log.info("partitions of the ledger to sum up", extra={"partitions": sorted(mine)})
        self._mine = mine

    async def _sum_up(self) -> bool:
        """Take in the records that were read; False where something in between did not count."""
        limit = await self._limit()
        while self._held and not self.should_stop:
            self._ticked_at = time.monotonic()
            record = self._held[0]
            self._reached = record.timestamp
            if limit is not None and record.timestamp > limit:
                await asyncio.sleep(FETCH_MS / 1000)
                return True
            told = record.partition, record.offset, record.timestamp, record.value
            if not self._rolling.full and self._rolling.take(*told):
                self._held.popleft()
            elif not await self._write(self._reached):
                return False
            await asyncio.sleep(0)  # the loop is shared with others
        return True

    async def _limit(self) -> int | None:
        """Up to what time (ms) of the ledger to read; None: however far."""
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            topic, partitions = self._settings.topics.name("ledger"), range(self._settings.topics.partitions)
            self._ends = await self._reading.end_offsets([TopicPartition(topic, number) for number in partitions])
            self._looked_at = time.monotonic()
        return self._rolling.may_reach({place.partition: end for place, end in self._ends.items()})

    async def _write(self, at: int) -> bool:
        """Append what is in hand, with which nothing before `at` (ms) is left; False where it does not count."""
        await self._follow()
        if self._rolling.undisturbed:
            value = self._rolling.record(self._upto, at)
            try:
                sent = await self._producer.send_and_wait(self._place.topic, value, partition=0)
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                self._take_less(len(value))
                return False
            await self._follow(sent.offset)
            if self._rolling.goes_on():
                self._written_at = time.monotonic()
                return True
        log.warning("another process sums up some of these partitions; going on from what it wrote")
        self._mine = None
        return False

    def _take_less(self, size: int) -> None:
        """Begin anew with less in hand than what Kafka does not take in one record."""
        if self._rolling.records <= 1:
            raise RecordTooLargeError(f"{self._place.topic}: a record of {size} bytes")
        self._rolling.most = max(1, len(self._rolling.rollup) // 2)
        log.warning("a record was too large for Kafka; taking less", extra={"most": self._rolling.most})
        self._mine = None

    async def _follow(self, past: int = -1) -> None:
        """Go through the rollups that have come, at least to beyond an offset. Raises errors of Kafka."""
        give_up_at = time.monotonic() + STALL_SECONDS
        while True:
            wait_ms = FETCH_MS if self._upto <= past else 0
            fetched = await self._following.getmany(self._place, timeout_ms=wait_ms)
            for record in fetched.get(self._place, ()):
                self._accepted.take(unpack(record.value))
                self._upto = record.offset + 1
            if self._upto > past and not fetched:
                return
            if self._upto <= past and time.monotonic() > give_up_at:
                raise KafkaTimeoutError(f"{self._place.topic}: nothing comes at offset {self._upto} of {past + 1}")
