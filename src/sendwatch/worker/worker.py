"""The hot path of a worker: read, hand to the partitions, commit; for the partitions it owns.

Belongs here: the order of these steps, owning and letting go of partitions, what follows from errors of Kafka. Not
here: how a partition is taken over (`take_over.py`), what a batch means (`batch.py`), how it is committed
(`commit.py`), what is judged again (`again.py`), the Faust application around it (`app.py`).

    one round   getmany -> every partition's outcome -> committed -> what is to be judged again -> committed
    an error    one that can pass is told and waited for: writes are tried again as they are, after a failed read
                everything is taken over anew. Any other ends the worker: a restart is cheap, and safe because nothing
                was applied before it was acknowledged
    a stop      the round under way is finished, unless Kafka leaves it unanswered: then it is left to the next owner
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError, KafkaError, KafkaTimeoutError

from sendwatch.engine.batch import process
from sendwatch.engine.partition import Partition
from sendwatch.kafka.patience import Patience, StoppedError
from sendwatch.worker import gauges
from sendwatch.worker.again import Again
from sendwatch.worker.commit import Commit
from sendwatch.worker.in_step import InStep
from sendwatch.worker.owned import SOURCES, Owned, Topics
from sendwatch.worker.take_over import TakeOver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Outcome
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.kafka.patience import Doing
    from sendwatch.kafka.publish import Publisher
    from sendwatch.metrics import Metrics
    from sendwatch.settings import Settings
    from sendwatch.worker.registries import Registries

    Batches = dict[int, dict[str, Sequence[ConsumerRecord]]]

log = logging.getLogger("sendwatch.worker")

FETCH_MS = 100
SHORT_PAUSE = 0.05
ROUND_SECONDS = 0.2
FEWEST = 200
STOP_SECONDS = 1.5
LOOK_SECONDS = 2.0
LATELY = 10.0  # seconds


class Worker(ConsumerRebalanceListener):  # type: ignore[misc]
    """Judges the partitions that its consumer group assigns to it."""

    def __init__(
        self,
        settings: Settings,
        judging: Judging,
        consumer: AIOKafkaConsumer,
        publisher: Publisher,
        reader: LogReader,
        registries: Registries,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Bind started clients; nothing is read before `run`."""
        self._settings = settings
        self._judging = judging
        self._consumer = consumer
        self._publisher = publisher
        self._registries = registries
        self._metrics = metrics
        self._clock = clock
        self._topics = topics = Topics(settings)
        self.patience = Patience(settings.kafka.bootstrap, metrics)
        self._taking = TakeOver(settings, judging, topics, consumer, publisher, reader, registries, self._now)
        self._committing = Commit(topics, publisher, reader, self.patience, metrics, self._now)
        self._in_step = InStep(topics, consumer)
        self._again = Again(judging, topics, reader, registries, self._commit, self._now)
        self._open_store = self._taking.open_store
        self._turn = asyncio.Lock()
        self._assignment_changed = False
        self._generation = 0
        self._batch = FEWEST
        self.owned: dict[int, Owned] = {}
        self.newest: dict[str, int] = {}
        self._sought: set[int] = set()
        self._lost: dict[int, float] = {}
        self._went_round_at = self._answered_at = time.monotonic()

    # -- owning partitions ----------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Finish what is in flight before somebody else may own the partitions."""
        async with self._turn:
            self._generation += 1
            self._metrics.rebalanced()
            if revoked:
                log.info("partitions revoked", extra={"partitions": sorted({tp.partition for tp in revoked})})

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note that there is something to take over; the round does it, so that heartbeats go on."""
        self._generation += 1
        self._anew()
        self._lost.clear()
        log.info("partitions assigned", extra={"partitions": sorted({tp.partition for tp in assigned})})

    def _anew(self) -> None:
        """Have everything taken over again: the consumer does not stand any more where it was sought."""
        self._assignment_changed = True
        self._sought.clear()

    async def _take_over(self) -> None:
        """Let go of what is no longer assigned, and own what is and was not sought since."""
        async with self._turn:
            self._assignment_changed = False
            kinds = self._topics.kinds
            assigned = {place.partition for place in self._consumer.assignment() if kinds[place.topic] == "sends"}
            for number in [number for number in self.owned if number not in assigned]:
                self._let_go(number)
            await self._registries.look()
            for number in sorted(assigned - self._lost.keys() - self._sought):
                await self._own(number)

    async def _own(self, number: int) -> None:
        known = self.owned.pop(number, None)
        partition = known.partition if known else Partition(number, self._open_store(number))
        try:
            self.owned[number] = await self._taking.prepare(partition)
        except BaseException as error:
            partition.store.close()  # nobody would; the next attempt opens it again
            self._metrics.forget(number)
            error.add_note(f"while taking over partition {number}")
            raise
        self._sought.add(number)
        log.info("partition taken over", extra={"partition": number, "epoch": partition.epoch})

    def _let_go(self, number: int) -> None:
        self.owned.pop(number).partition.store.close()
        self._metrics.forget(number)
        log.info("partition given up", extra={"partition": number})

    def _claim_lost_again(self) -> None:
        """Whoever fenced us was an owner, or took itself for one: by a session later it would know better."""
        since = self._clock() - self._settings.kafka.session_timeout_seconds
        overdue = [number for number, at in self._lost.items() if at < since]
        for number in overdue:
            del self._lost[number]
            self._sought.discard(number)
            self._assignment_changed = True

    # -- running --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `stop`, and a short while longer where Kafka does not answer."""
        rounds = asyncio.ensure_future(self._rounds())
        stopping = asyncio.ensure_future(self.patience.stopping.wait())
        try:
            await asyncio.wait({rounds, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({rounds}, timeout=STOP_SECONDS)
        finally:
            given_up = rounds.cancel()
            stopping.cancel()
            await asyncio.gather(rounds, stopping, return_exceptions=True)
        error = None if rounds.cancelled() else rounds.exception()
        if given_up or isinstance(error, StoppedError):
            log.warning("stopped while Kafka did not answer; the next owner does again what was under way")
        elif error is not None:
            raise error

    def stop(self) -> None:
        """End after the round that is under way."""
        self.patience.stopping.set()

    @asynccontextmanager
    async def resting(self) -> AsyncIterator[Callable[[Sequence[tuple[Owned, Outcome]]], Awaitable[None]]]:
        """Between two rounds: hands out how to commit, to whoever corrects what owned partitions have published."""
        async with self._turn:
            yield self._commit

    async def close(self) -> None:
        """Let go of every store; the rounds have ended."""
        async with self._turn:
            for number in list(self.owned):
                self._let_go(number)

    async def _rounds(self) -> None:
        while not self.patience.stopping.is_set():
            self._claim_lost_again()
            if self._assignment_changed:
                await self._step("take_over", self._take_over)
            elif self._registries.caught_up:
                await self._step("read", self._read)
            else:  # nothing may be judged by half a registry
                await self.patience.rest(SHORT_PAUSE)

    async def _step(self, doing: Doing, work: Callable[[], Awaitable[None]]) -> None:
        """Take a step. Where it is not finished, nothing of it is applied that is not in the ledger: it begins anew.

        A worker that was starved of its heartbeats can lose its assignment between two calls.
        """
        try:
            await work()
        except IllegalStateError:
            log.warning("the group took partitions away in the middle of a step; taking over what is left")
            self._anew()
            await self.patience.rest(SHORT_PAUSE)
        except KafkaError as error:
            self._tell(doing, error)
            if doing == "read":
                self._anew()
            self._assignment_changed = True
            await self.patience.pause(doing)
        else:
            self.patience.relax(doing)

    async def _read(self) -> None:
        """Read once, and work on it unless the group shared the partitions out anew meanwhile."""
        generation = self._generation
        fetched = await self._consumer.getmany(timeout_ms=FETCH_MS, max_records=self._batch)
        started = time.perf_counter()
        async with self._turn:
            if generation == self._generation and not self._assignment_changed:
                await self._round(fetched)
        self._pace(sum(map(len, fetched.values())), time.perf_counter() - started)
        self._went_round_at = time.monotonic()

    def _pace(self, records: int, seconds: float) -> None:
        """Read as much at once as can be judged in a short while: latency and heartbeats bound a round."""
        if records >= self._batch / 2:
            fitting = int(self._batch * ROUND_SECONDS / max(seconds, 0.001))
            most = self._settings.engine.batch_records
            self._batch = max(min(fitting, self._batch * 2, most), min(FEWEST, most))

    # -- one round ------------------------------------------------------------------------------------------------

    async def _round(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        batches = self._sort(fetched)
        refused = list(self._registries.refused)
        outcomes: list[tuple[Owned, Outcome]] = []
        for number, owned in self.owned.items():
            # a topic may end in offsets without records, and refused registry rows wait for nobody
            if number in batches or owned.held or (number == 0 and refused):
                outcomes.append((owned, await self._process(owned, batches.get(number, {}))))
        await self._commit(outcomes)
        self._note_read(batches)
        if any(owned.number == 0 for owned, _ in outcomes):
            self._registries.settle(refused)
        for again in (self._again.heal, self._again.fetch_parts, self._again.tell, self._again.look_back):
            for owned in list(self.owned.values()):
                if not owned.held and owned.number in self.owned:
                    await again(owned)
        await self._release()

    def _sort(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> Batches:
        """What was fetched of the partitions that are owned, by number and topic kind."""
        batches: Batches = {}
        for place, records in fetched.items():
            owned, kind = self.owned.get(place.partition), self._topics.kinds[place.topic]
            if owned is None:
                continue
            batches.setdefault(place.partition, {})[kind] = records
            owned.read_at[kind] = records[0].timestamp  # until it is committed it is not yet read
            if owned.held:
                self._taking.look_further(owned, kind)
        return batches

    async def _process(self, owned: Owned, batch: Mapping[str, Sequence[ConsumerRecord]]) -> Outcome:
        partition = owned.partition
        if owned.silent:
            batch = self._taking.cut(owned, batch)
        elif not owned.held:
            batch = await self._in_step.cut(owned, batch)
        next_offsets: dict[str, int] = {}
        for kind in SOURCES:
            position, known = await self._consumer.position(self.place(kind, owned.number)), owned.known(kind)
            if kind in batch or position > known:
                next_offsets[kind] = position
                await self._taking.refuse_loss(partition, kind, known, batch.get(kind, ()))
        self._again.follow_flags(owned, batch.get("flags", ()))
        owned.flags_next = await self._consumer.position(self.place("flags", owned.number))
        refused = self._registries.refused if owned.number == 0 else []
        flags_next = owned.flags_next if not owned.strangers else partition.position.standing.flags_next
        return process(partition, self._judging, batch, next_offsets, self._now(), flags_next, refused)

    async def _commit(self, outcomes: Sequence[tuple[Owned, Outcome]]) -> None:
        for number in await self._committing(outcomes):
            self._let_go(number)
            self._lost[number] = self._clock()

    def _note_read(self, batches: Batches) -> None:
        for number, batch in batches.items():
            for kind, records in batch.items():
                self.newest[kind] = max(self.newest.get(kind, 0), records[-1].timestamp)
                if number in self.owned:
                    self.owned[number].read_at[kind] = records[-1].timestamp

    async def _release(self) -> None:
        """Let the sends of a partition go on once everything that they are judged by has caught up."""
        for number, owned in list(self.owned.items()):
            if owned.silent:
                self._taking.pause_folded(owned)
            elif owned.held and await self._taking.reached(owned):
                owned.held = False
                await self._again.assemble(owned)
                self._consumer.resume(self.place("sends", number))
                log.info("partition caught up; its sends are judged", extra={"partition": number})
            else:
                await self._in_step.release(owned)

    # -- how it stands --------------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether it owns partitions, the sends of every one of them are being judged, and lately were.

        One that has nothing to do goes round without Kafka: so that must have answered lately, too.
        """
        if not self.owned or self._assignment_changed or any(owned.held for owned in self.owned.values()):
            return False
        return time.monotonic() - min(self._went_round_at, self._answered_at) < LATELY

    @property
    def finished(self) -> bool:
        """Whether everything that was there at take-over has been judged and committed."""
        return self.ready and all(
            owned.known("sends") >= owned.awaited["sends"]
            and not owned.strangers
            and not owned.partition.missing
            and owned.partition.telling
            and owned.look_back.idle
            and owned.partition.registries == self._judging.registry_positions
            for owned in self.owned.values()
        )

    async def measure(self) -> None:
        """Hand positions, lag and table sizes to the metrics."""
        await self._look_at_ends()
        gauges.measure(self, self._consumer, self._registries, self._metrics, self._now())

    async def _look_at_ends(self) -> None:
        """Where sends end: the last fetch tells too little while its records are worked on, and nothing while held.

        An answer that does not come is told, and asked for again the next time.
        """
        places = [self.place("sends", number) for number in sorted(self.owned)]
        if not places:
            return
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                ends = await self._consumer.end_offsets(places)
        except (TimeoutError, KafkaError) as error:
            if not self.patience.stopping.is_set():
                late = KafkaTimeoutError(f"no answer within {LOOK_SECONDS:g} s")
                self._tell("look", error if isinstance(error, KafkaError) else late)
        else:
            self._answered_at = time.monotonic()
            for place, end in ends.items():
                if place.partition in self.owned:
                    self.owned[place.partition].ends["sends"] = end

    def _tell(self, doing: Doing, error: KafkaError) -> None:
        """Log and count an error that can pass; raise any other."""
        where = ", ".join(f"{self._topics.name('sends')}/{number}" for number in sorted(self.owned)) or "all topics"
        self.patience.tell(doing, where, error)

    def place(self, kind: str, number: int) -> TopicPartition:
        """The topic of this kind, this partition."""
        return self._topics.place(kind, number)

    def _now(self) -> int:
        return int(self._clock() * 1000)
