"""The one process of a fleet that adds up what all workers have judged, and publishes breaches.

Belongs here: who does it, the order of folding, storing and publishing. Not here: the fold (`ledger_fold.py`), the
merge of partitions (`follow_ledger.py`), what a breach is (`windows/`).

    elected     the topic of breaches has one partition: whoever the group assigns it to adds up; the rest stand by
    one round   take records -> fold -> store counts, positions and outbox at once -> publish the outbox -> forget it
    taking over fold on from what this process had stored, or from 31 days back; then hold the topic against what was
                counted: what is told already keeps its id, what is told to be open and is not, is closed. Nothing
                of it is published before

One core of an AMD EPYC (2.4 GHz, two cores with ten tasks waiting for them) folds some 41,000 tallies a second: as many
sends where hardly two share a tally (5,000 owners in 31 provinces), and more where owners send in bulk. For more there
are two stages (`breaches.rollups`): this one then folds what any number of others have summed up (`roller.py`), each
79,000 sends a second in that mix. It carries 857,000 of theirs where each hands on its sums every ten seconds, and
thrice as many at every minute. To measure it: `PYTHONPATH=tests:tests/live .venv/bin/python -m bench.fold_speed`.

Two that both take themselves for elected do no harm: they count for themselves, and publish the same ids.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from sendwatch import outgoing
from sendwatch.aggregator import window_gauges
from sendwatch.aggregator.breaches import folding_of, since_of, stream_of
from sendwatch.engine.judging import REGISTRY_KINDS, prepare
from sendwatch.engine.limits import limits_of
from sendwatch.engine.store import MemoryStore, RocksShared, RocksStore
from sendwatch.kafka import clients, connection, topics
from sendwatch.kafka.log_reader import LogReader
from sendwatch.kafka.patience import passes
from sendwatch.kafka.publish import Publisher
from sendwatch.starting import at_rest, starting
from sendwatch.windows.board import Board
from sendwatch.worker.registries import Registries

if TYPE_CHECKING:
    from sendwatch.aggregator.ledger_fold import Folding
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.store import Store
    from sendwatch.metrics import Metrics
    from sendwatch.outgoing import BreachEvent
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.aggregator")

FETCH_MS = 200
STAND_BY_SECONDS = 0.5
SAVE_SECONDS, SAVE_ROLLUPS_SECONDS = 10.0, 60.0
TELL_SECONDS = 15.0
CACHE_MB = 16
HEALTHY_WITHIN = 30.0


class Aggregator(Service):  # type: ignore[misc]
    """Stands by, and adds up while it is elected; in a worker's process, or in one of its own."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        """Nothing is connected before the service starts."""
        super().__init__()
        self._settings = settings
        self.metrics = metrics
        self._judging = prepare(settings)
        self._limits = limits_of(settings)
        self._elected_for = TopicPartition(settings.topics.name("breaches"), 0)
        self._saved_at = self._told_at = 0.0
        self._added_up_at = 0
        self._put_right = False
        self._ended, self.done = at_rest(), asyncio.Event()
        self._ticked_at = time.monotonic()
        self._clients: list[Any] = []
        self.folding: Folding | None = None
        self.informed = False
        """Whether the registries have been read to where they ended, ever since."""

    @property
    def board(self) -> Board | None:
        """What is counted, for whoever asks in process; None while another process does it."""
        return self.folding.board if self.folding is not None else None

    @property
    def judging(self) -> Judging:
        """Rules and registries as they are known here; the registries are followed."""
        return self._judging

    @property
    def lag(self) -> int:
        """How many records of the ledger are known to be there and were not added up."""
        return self._stream.lag if self.folding is not None else 0

    @property
    def healthy(self) -> bool:
        """Whether it went round lately."""
        return time.monotonic() - self._ticked_at < HEALTHY_WITHIN

    @property
    def ready(self) -> bool:
        """Whether it stands by, or has caught up."""
        if not self._clients or not self.healthy:
            return False
        return self.folding is None or self._put_right

    async def on_start(self) -> None:
        """Connect, and stand for election."""
        settings = self._settings
        options = await connection.reach(settings.kafka, "adding up the ledger", log.warning)
        source = "rollups" if settings.breaches.rollups else "ledger"
        await topics.refuse_unfit(settings, ("breaches", source, *REGISTRY_KINDS), log.warning)
        group = connection.member_options(settings.kafka) | {"group_id": f"{settings.kafka.group}-breaches"}
        self._election = clients.consumer(options, **group, auto_offset_reset="latest")
        self._reading = clients.consumer(options, fetch_max_wait_ms=FETCH_MS, auto_offset_reset="earliest")
        self._aside = clients.consumer(options, fetch_max_wait_ms=FETCH_MS)
        self._following = clients.consumer(options, fetch_max_wait_ms=FETCH_MS, auto_offset_reset="earliest")
        self._producer = clients.producer(options, idempotence=settings.kafka.idempotence)
        self._publisher = Publisher(self._producer, {"breaches": settings.topics.name("breaches")})
        self._election.subscribe(topics=[settings.topics.name("breaches")])
        self._clients = [self._producer, self._aside, self._reading, self._following, self._election]
        names = {kind: settings.topics.name(kind) for kind in REGISTRY_KINDS}
        with starting(self, self._ended):
            for client in self._clients:
                await client.start()
            self._registries = Registries(self._following, self._judging, names)
            await self._registries.start()

    async def on_stop(self) -> None:
        """End the round under way, store, and leave the group."""
        await self._ended.wait()
        self._stand_back()
        for client in reversed(self._clients):
            await client.stop()

    @Service.task  # type: ignore[untyped-decorator]
    async def add_up(self) -> None:
        """Stand by or add up, until stopped."""
        try:
            while not self.should_stop:
                self._ticked_at = time.monotonic()
                await self._registries.follow(0)
                self.informed = self.informed or self._registries.caught_up
                await self._election.getmany(timeout_ms=0)  # says that this member is alive
                if self._elected_for not in self._election.assignment():
                    self._stand_back()
                    await asyncio.sleep(STAND_BY_SECONDS)
                elif await self._ready():
                    await self._round()
        finally:
            self._ended.set()

    async def _ready(self) -> bool:
        """Whether it folds already, or may begin: filed names must be known to tell those that imitate them."""
        if self.folding is not None:
            return True
        registries = self._registries
        if not registries.caught_up:
            await registries.follow(FETCH_MS)
            return False
        settings = self._settings
        folding = folding_of(settings)(Board(self._limits, registries.alikes.imitated), self._open_store())
        self._stream = stream_of(settings, self._reading)
        for number, (first, end) in (await self._stream.start(folding.positions, since_of(settings))).items():
            log.error(
                "ledger records were deleted before they were added up",
                extra={"partition": number, "first": first, "end": end},
            )
        self.folding, self._put_right = folding, False
        log.info("elected to add up the ledger", extra={"partitions": settings.topics.partitions})
        return True

    async def _round(self) -> None:
        assert self.folding is not None
        folding, taken = self.folding, await self._stream.take(FETCH_MS)
        for number, record in enumerate(taken):
            folding.take(record.partition, record.offset, record.value)
            self._ticked_at = time.monotonic()
            if number % 20 == 19 or self._settings.breaches.rollups:
                await asyncio.sleep(0)  # the loop is shared with others
        if not self._put_right and self._stream.past_start and (told := await self._told()) is not None:
            self._put_right = True
            folding.put_right(told)
        seconds = SAVE_ROLLUPS_SECONDS if self._settings.breaches.rollups else SAVE_SECONDS
        if (folding.outbox and self._put_right) or time.monotonic() - self._saved_at > seconds:
            folding.save()
            self._saved_at = time.monotonic()
        await self._tell(folding, taken[-1].timestamp if taken else None)
        await self._publish(folding)

    async def _tell(self, folding: Folding, newest: int | None) -> None:
        """Bring the metrics up to date; `newest`: when the record added up last was written (ms)."""
        self._added_up_at = int(time.time() * 1000) if self._stream.caught_up else newest or self._added_up_at
        told = folding.added_up_at(self._settings.topics.partitions)
        self._added_up_at = self._added_up_at if told is None else told
        self.metrics.set_breaches(folding.board.outbreaks.by_rule(), self._stream.lag, self._added_up_at)
        if not self._put_right:
            return  # a month that is added up anew opens on its way what was closed long ago: nobody is to be called
        if folding.outbox or time.monotonic() - self._told_at > TELL_SECONDS:
            folding.board.add_up()  # here: two threads must not
            key = self._settings.recipients.public
            window_gauges.tell(await asyncio.to_thread(window_gauges.read, folding.board, key), self.metrics)
            self._told_at = time.monotonic()

    async def _publish(self, folding: Folding) -> None:
        if not folding.outbox or not self._put_right:
            return
        messages = list(folding.outbox)
        try:
            await self._publisher.publish(messages)
        except KafkaError as error:
            if not passes(error):
                raise
            log.warning("Kafka does not take breaches; trying again, nothing is lost", extra={"error": repr(error)})
            await asyncio.sleep(STAND_BY_SECONDS)
            return
        folding.published(len(messages))
        log.info("breaches published", extra={"breaches": len(messages)})

    async def _told(self) -> dict[str, BreachEvent] | None:
        """The last record of each breach in the topic; None where Kafka does not answer now."""
        told: dict[str, BreachEvent] = {}
        try:
            async for records in LogReader(self._aside).read(self._elected_for.topic, self._elected_for.partition):
                told |= {event.breach_id: event for event in (outgoing.read_breach(record.value) for record in records)}
        except KafkaError as error:
            if not passes(error):
                raise
            log.warning("Kafka does not give the breaches told so far; trying again", extra={"error": repr(error)})
            return None
        return told

    def _stand_back(self) -> None:
        """Store what was counted, and let another do it."""
        if self.folding is not None:
            self.folding.save()
            self.folding.store.close()
            self.folding = None
            self.metrics.forget_breaches()
            log.info("the ledger is added up elsewhere")

    def _open_store(self) -> Store:
        if self._settings.engine.store == "memory":
            return MemoryStore()
        return RocksStore(Path(self._settings.engine.data_dir) / "breaches", RocksShared(CACHE_MB, CACHE_MB))
