"""The hot path of a worker: read, hand to the partitions, publish, append, apply; for the partitions it owns.

Belongs here: the order of these steps, taking over and giving up partitions. Not here: what a batch means
(`partition.py`), the registries (`registries.py`), the Faust application around it (`app.py`).

    take over p   read the ledger from where the store stopped, claim (epoch + 1), apply the rows; seek facts to the
                  store's positions, sends and flags to the ledger's; hold sends until facts, flags and registries
                  have reached the ends seen now
    one round     getmany -> every partition's outcome -> flags, opt-outs, quarantine acknowledged -> one ledger
                  record a partition, the commit -> applied to the stores
    fenced        the ledger's offsets are ours alone while we own p: a hole before the record that we appended
                  means that somebody else wrote, and if it was a claim, p is theirs and we let it go

An error of the infrastructure ends the worker: a restart is cheap, and safe because nothing was applied before it
was acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaConnectionError, KafkaError, KafkaTimeoutError
from msgspec import Struct, field

from sendwatch import ledger, outgoing
from sendwatch.engine import gauges
from sendwatch.engine.batch import FACTS, assemble, process, review
from sendwatch.engine.lookback import LookBack
from sendwatch.engine.partition import Outcome, Partition
from sendwatch.engine.store import MemoryStore, RocksShared, RocksStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.dossier import Published
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.log_reader import LogReader
    from sendwatch.engine.publish import Publisher
    from sendwatch.engine.registries import Change, Registries
    from sendwatch.engine.store import Store
    from sendwatch.metrics import Metrics
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.worker")

SOURCES = ("sends", *FACTS)
FETCH_MS = 100
SHORT_PAUSE, LONGEST_PAUSE = 0.05, 5.0
ROUND_SECONDS = 0.2
FEWEST = 200
LOOK_BACK_RECORDS = 500
LASTING = ("sends", "consents", "replies")  # of these nothing may be lost before it was read

Answer = TypeVar("Answer")


class LostRecordsError(Exception):
    """Records that were to be read are no longer there; the message names topic, partition and offsets."""


class Owned(Struct):
    """A partition that this worker owns, and how far it has to read before its sends may be judged.

    `silent`: facts are still folded up to the ledger's position; only when all of them are there may one after it
    correct anything. `held`: facts, flags and registries have not yet reached the ends seen at take-over.
    `awaited`: by topic kind, the ends seen at take-over. `strangers`: flags of other epochs, by offset of their
    send, that are still to be compared. `unseen`: topic kinds not fetched yet.
    """

    partition: Partition
    awaited: dict[str, int]
    flags_next: int
    held: bool = True
    silent: bool = True
    strangers: dict[int, dict[str, Published]] = field(default_factory=dict)
    unseen: set[str] = field(default_factory=lambda: {*FACTS, "flags"})
    look_back: LookBack = field(default_factory=LookBack)


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
        self._reader = reader
        self._registries = registries
        self._metrics = metrics
        self._clock = clock
        self._names = {kind: settings.topics.name(kind) for kind in (*SOURCES, "flags", "ledger")}
        self._kinds = {name: kind for kind, name in self._names.items()}
        self._shared = RocksShared(settings.engine.cache_mb, settings.engine.write_buffer_mb)
        self._turn = asyncio.Lock()
        self._assignment_changed = False
        self._generation = 0
        self._stopping = False
        self._batch = FEWEST
        self.owned: dict[int, Owned] = {}
        self.newest: dict[str, int] = {}
        self._lost: dict[int, float] = {}
        self.last_round = clock()

    # -- rebalances -----------------------------------------------------------------------------------------------

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
        self._assignment_changed = True
        self._lost.clear()
        log.info("partitions assigned", extra={"partitions": sorted({tp.partition for tp in assigned})})

    async def _take_over(self) -> None:
        self._assignment_changed = False
        assigned = {place.partition for place in self._consumer.assignment() if self._kinds[place.topic] == "sends"}
        for number in [number for number in self.owned if number not in assigned]:
            self._let_go(number)
        await self._registries.look()
        for number in sorted(assigned - self._lost.keys()):
            await self._own(number)

    def _let_go(self, number: int) -> None:
        self.owned.pop(number).partition.store.close()
        self._metrics.forget(number)
        log.info("partition given up", extra={"partition": number})

    async def _own(self, number: int) -> None:
        known = self.owned.pop(number, None)
        partition = known.partition if known else Partition(number, self._open_store(number))
        try:
            self.owned[number] = await self._prepare(partition)
        except BaseException:
            partition.store.close()  # nobody would; the next attempt opens it again
            raise
        log.info("partition taken over", extra={"partition": number, "epoch": partition.epoch})

    async def _prepare(self, partition: Partition) -> Owned:
        """Claim a partition, seek everything to where it stands, and hold its sends."""
        number = partition.number
        await self._claim(partition)
        ends = await self._consumer.end_offsets([self.place(kind, number) for kind in (*SOURCES, "flags")])
        awaited = {self._kinds[place.topic]: end for place, end in ends.items()}
        await self._seek(partition)
        owned = Owned(partition, awaited, flags_next=partition.position.standing.flags_next)
        self._consumer.pause(self.place("sends", number))
        if number == 0:
            self._registries.settle_below(partition.position.standing.registries)
        self._pause_folded(owned)
        if owned.silent:
            await self._read_optouts(partition)
        return owned

    async def _claim(self, partition: Partition) -> None:
        """Read the ledger to its end, append a claim, and read on up to it: then the partition is ours."""
        number, position = partition.number, partition.position
        first, end = await self._reader.bounds(self._names["ledger"], number)
        if position.ledger_next and not first <= position.ledger_next <= end:
            raise LostRecordsError(
                f"{self._names['ledger']}/{number}: the store has read up to offset {position.ledger_next}, the topic "
                f"holds [{first}, {end}); was the topic made anew? Then delete {self._folder(number)}"
            )
        await self._read_ledger(partition, end)
        while True:
            epoch = position.standing.epoch + 1
            claim = ledger.Claim(epoch, self._settings.kafka.client_id, self._now(), self._judging.version)
            at = await self._publisher.append("ledger", number, b"claim", ledger.encode(claim))
            if at == position.ledger_next:  # nobody wrote in between: no need to read the claim back
                mine = position.standing.accept(claim)
                position.ledger_next = at + 1
            else:
                mine = at in await self._read_ledger(partition, at + 1)
            if mine:
                partition.epoch = epoch
                partition.registries = dict(position.standing.registries or self._judging.registry_positions)
                partition.save_position()
                return
            log.info("claim lost to another worker", extra={"partition": number, "epoch": epoch})

    async def _read_ledger(self, partition: Partition, end: int) -> set[int]:
        """Apply the ledger from the store's position up to `end`; returns the offsets of the claims that hold."""
        position, claims = partition.position, set[int]()
        async for records in self._reader.read(self._names["ledger"], partition.number, position.ledger_next, end):
            rows: list[ledger.Row] = []
            longs: list[ledger.LongRow] = []
            for record in records:
                entry = ledger.decode.decode(record.value)
                if not position.standing.accept(entry):
                    continue
                if isinstance(entry, ledger.Claim):
                    claims.add(record.offset)
                else:
                    rows += entry.rows
                    longs += entry.longs
            partition.replay(rows, longs)
            position.ledger_next = records[-1].offset + 1
        position.ledger_next = max(position.ledger_next, end)
        return claims

    async def _seek(self, partition: Partition) -> None:
        number, position = partition.number, partition.position
        wanted = {"sends": position.standing.positions.get("sends", 0), "flags": position.standing.flags_next}
        wanted |= {kind: position.facts.get(kind, 0) for kind in FACTS}
        first = await self._consumer.beginning_offsets([self.place(kind, number) for kind in wanted])
        for kind, offset in wanted.items():
            place = self.place(kind, number)
            committed = position.standing.positions.get(kind, 0)
            if kind in LASTING and offset < first[place] and max(offset, committed):
                raise LostRecordsError(
                    f"{place.topic}/{number}: offsets [{offset}, {first[place]}) were deleted before they were read"
                )
            self._consumer.seek(place, max(offset, first[place]))

    # -- rounds ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping:
            self._claim_lost_again()
            async with self._turn:
                if self._assignment_changed and not await self._still_ours(self._take_over()):
                    continue
            if not self._registries.caught_up:  # nothing may be judged by half a registry
                await asyncio.sleep(SHORT_PAUSE)
                continue
            generation = self._generation
            fetched = await self._consumer.getmany(timeout_ms=FETCH_MS, max_records=self._batch)
            started = time.perf_counter()
            async with self._turn:
                if generation == self._generation and not self._assignment_changed:
                    await self._still_ours(self._round(fetched))
            self._pace(sum(map(len, fetched.values())), time.perf_counter() - started)
            self.last_round = self._clock()

    async def _still_ours(self, step: Coroutine[Any, Any, None]) -> bool:
        """Take a step; False where the group took partitions away meanwhile: then the worker takes over anew.

        A worker that was starved of its heartbeats can lose its assignment between two calls. Nothing of the step
        is applied then unless it is in the ledger, and positions are sought again.
        """
        try:
            await step
        except IllegalStateError:
            log.warning("the group took partitions away in the middle of a step; taking over what is left")
            self._assignment_changed = True
            await asyncio.sleep(SHORT_PAUSE)
            return False
        return True

    def _claim_lost_again(self) -> None:
        """Whoever fenced us was an owner, or took itself for one: by a session later it would know better."""
        since = self._clock() - self._settings.kafka.session_timeout_seconds
        overdue = [number for number, at in self._lost.items() if at < since]
        for number in overdue:
            del self._lost[number]
            self._assignment_changed = True

    def _pace(self, records: int, seconds: float) -> None:
        """Read as much at once as can be judged in a short while: latency and heartbeats bound a round."""
        if records >= self._batch / 2:
            fitting = int(self._batch * ROUND_SECONDS / max(seconds, 0.001))
            most = self._settings.engine.batch_records
            self._batch = max(min(fitting, self._batch * 2, most), min(FEWEST, most))

    def stop(self) -> None:
        """End after the round that is under way."""
        self._stopping = True

    async def close(self) -> None:
        """Let go of every store; the rounds have ended."""
        async with self._turn:
            for number in list(self.owned):
                self._let_go(number)

    async def _round(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> None:
        by_number: dict[int, dict[str, Sequence[ConsumerRecord]]] = {}
        for place, records in fetched.items():
            if place.partition in self.owned:
                by_number.setdefault(place.partition, {})[self._kinds[place.topic]] = records
        outcomes: list[tuple[Owned, Outcome]] = []
        for number, batch in by_number.items():
            owned = self.owned[number]
            for kind, records in batch.items():
                self.newest[kind] = records[-1].timestamp
                if owned.held:
                    self._look_further(owned, kind)
            outcomes.append((owned, await self._process(owned, batch)))
        refused = list(self._registries.refused)
        for number, owned in self.owned.items():
            # a topic may end in offsets without records, and refused registry rows wait for nobody
            if number not in by_number and (owned.held or (number == 0 and refused)):
                outcomes.append((owned, await self._process(owned, {})))
        await self._commit(outcomes)
        if any(owned.partition.number == 0 for owned, _ in outcomes):
            self._registries.settle(refused)
        await self._heal()
        await self._fetch_parts()
        await self._look_back()
        await self._release()

    async def _process(self, owned: Owned, batch: Mapping[str, Sequence[ConsumerRecord]]) -> Outcome:
        number = owned.partition.number
        if owned.silent:
            batch = self._cut(owned, batch)
        next_offsets: dict[str, int] = {}
        for kind in SOURCES:
            position, known = await self._consumer.position(self.place(kind, number)), _known(owned, kind)
            if kind in batch or position > known:
                next_offsets[kind] = position
                await self._refuse_loss(kind, number, known, batch.get(kind, ()))
        self._follow_flags(owned, batch.get("flags", ()))
        owned.flags_next = await self._consumer.position(self.place("flags", number))
        refused = self._registries.refused if number == 0 else []
        flags_next = owned.flags_next if not owned.strangers else owned.partition.position.standing.flags_next
        return process(owned.partition, self._judging, batch, next_offsets, self._now(), flags_next, refused)

    async def _refuse_loss(self, kind: str, number: int, known: int, records: Sequence[ConsumerRecord]) -> None:
        """A hole before what was read is a marker or compaction, unless the topic begins after it: that is a loss."""
        if kind not in LASTING or known == 0 or (records and records[0].offset == known):
            return
        place = self.place(kind, number)
        first = (await self._consumer.beginning_offsets([place]))[place]
        if first > known:
            raise LostRecordsError(
                f"{place.topic}/{number}: offsets [{known}, {first}) were deleted before they were read"
            )

    def _cut(self, owned: Owned, batch: Mapping[str, Sequence[ConsumerRecord]]) -> dict[str, Sequence[ConsumerRecord]]:
        """Leave facts after the ledger's position for later: all that lie before it must be folded first."""
        committed, cut = owned.partition.position.standing.positions, dict(batch)
        for kind in FACTS:
            end, records = committed.get(kind, 0), batch.get(kind, ())
            if records and records[-1].offset >= end:
                self._consumer.seek(self.place(kind, owned.partition.number), end)
                cut[kind] = [record for record in records if record.offset < end]
        return cut

    async def _read_optouts(self, partition: Partition) -> None:
        """Read what replies were resolved to: the sends that they answered may be kept no longer."""
        name, number = self._settings.topics.name("optouts"), partition.number
        first, end = await self._reader.bounds(name, number)
        async for records in self._reader.read(name, number, first, end):
            for record in records:
                event = outgoing.read_optout(record.value)
                partition.resolved[event.source.offset] = event.owners

    def _pause_folded(self, owned: Owned) -> None:
        """Read no further in facts that are folded up to the ledger's position, until all are."""
        number, position = owned.partition.number, owned.partition.position
        committed = position.standing.positions
        done = [kind for kind in FACTS if position.facts.get(kind, 0) >= committed.get(kind, 0)]
        if len(done) == len(FACTS):
            owned.silent = False
            owned.partition.resolved.clear()
            self._consumer.resume(*(self.place(kind, number) for kind in FACTS))
        else:
            self._consumer.pause(*(self.place(kind, number) for kind in done))

    async def _commit(self, outcomes: Sequence[tuple[Owned, Outcome]]) -> None:
        messages = [message for _, outcome in outcomes for message in outcome.messages]
        if messages:
            flags = sum(message.topic == "flags" for message in messages)
            await self._patiently("publishing flags", lambda: self._publisher.publish(messages), flags)
        appended = await asyncio.gather(*(self._append(owned, outcome) for owned, outcome in outcomes))
        for (owned, outcome), ledger_next in zip(outcomes, appended, strict=True):
            if ledger_next is None:
                continue
            owned.partition.apply(outcome, ledger_next)
            self._metrics.count(outcome, self._now())
            for fault in sorted(set(outcome.counts.faults)):
                log.error("a rule failed; its answer is undecided", extra={"rule": fault})

    async def _append(self, owned: Owned, outcome: Outcome) -> int | None:
        """Append the ledger record: the commit. None where the partition turned out to be somebody else's."""
        partition = owned.partition
        if outcome.empty:
            return partition.position.ledger_next
        value = ledger.encode(outcome.record)
        expected = partition.position.ledger_next
        try:
            at = await self._publisher.append("ledger", partition.number, None, value)
        except KafkaError as error:
            if not _passes(error):
                raise
            self._tell_failure("appending to the ledger", error, 0)
            at = await self._patiently("appending to the ledger", lambda: self._append_once(partition, value), 0)
        if at == expected:
            return at + 1
        if await self._fenced(partition, at):
            log.warning("fenced: another worker has claimed the partition", extra={"partition": partition.number})
            self._let_go(partition.number)
            self._lost[partition.number] = self._clock()
            return None
        return at + 1

    async def _append_once(self, partition: Partition, value: bytes) -> int:
        """Append after a failure, unless the failed attempt was written after all: a range must stand only once."""
        name, start = self._names["ledger"], partition.position.ledger_next
        _, end = await self._reader.bounds(name, partition.number)
        written: int | None = None
        async for records in self._reader.read(name, partition.number, start, end):
            written = next((record.offset for record in records if record.value == value), written)
        if written is not None:
            return written
        return await self._publisher.append("ledger", partition.number, None, value)

    async def _patiently(self, doing: str, attempt: Callable[[], Awaitable[Answer]], flags: int) -> Answer:
        """Try until Kafka answers: nothing may be left out, and nothing is read meanwhile."""
        pause = 0.5
        while True:
            try:
                return await attempt()
            except KafkaError as error:
                if not _passes(error):
                    raise
                self._tell_failure(doing, error, flags)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _tell_failure(self, doing: str, error: KafkaError, flags: int) -> None:
        self._metrics.publish_failed(flags)
        log.error(
            "Kafka does not take what is to be written; trying again, nothing is lost",
            extra={"doing": doing, "servers": self._settings.kafka.bootstrap, "error": repr(error)},
        )

    async def _fenced(self, partition: Partition, at: int) -> bool:
        start, fenced = partition.position.ledger_next, False
        async for records in self._reader.read(self._names["ledger"], partition.number, start, at):
            for record in records:
                entry = ledger.decode.decode(record.value)
                fenced |= isinstance(entry, ledger.Claim) and entry.epoch > partition.epoch
        return fenced

    async def _release(self) -> None:
        """Let the sends of a partition go on once everything that they are judged by has caught up."""
        for number, owned in list(self.owned.items()):
            if owned.silent:
                self._pause_folded(owned)
            elif owned.held and await self._reached(owned):
                owned.held = False
                await self._commit([(owned, assemble(owned.partition, self._judging, [], self._now()))])
                self._consumer.resume(self.place("sends", number))
                log.info("partition caught up; its sends are judged", extra={"partition": number})

    async def _fetch_parts(self) -> None:
        """Read parts of long messages again whose texts are no longer in memory, and judge what waited for them."""
        for number, owned in list(self.owned.items()):
            if owned.held or not owned.partition.missing:
                continue
            wanted = sorted(set().union(*owned.partition.missing.values()))
            records = [record for offset in wanted async for record in self._one("sends", number, offset)]
            outcome = assemble(owned.partition, self._judging, records, self._now())
            await self._commit([(owned, outcome)])

    def _look_further(self, owned: Owned, kind: str) -> None:
        """Await what the first fetch shows to be there: some servers tell too early an end when only asked for it."""
        if kind in owned.unseen:
            owned.unseen.discard(kind)
            place = self.place(kind, owned.partition.number)
            owned.awaited[kind] = max(owned.awaited[kind], self._consumer.highwater(place) or 0)

    async def _reached(self, owned: Owned) -> bool:
        number = owned.partition.number
        for kind in (*FACTS, "flags"):
            if await self._consumer.position(self.place(kind, number)) < owned.awaited[kind]:
                return False
        return True

    @property
    def finished(self) -> bool:
        """Whether everything that was there at take-over has been judged and committed."""
        if not self.ready:
            return False
        return all(
            owned.partition.position.standing.positions.get("sends", 0) >= owned.awaited["sends"]
            and not owned.strangers
            and not owned.partition.missing
            and owned.look_back.idle
            and owned.partition.registries == self._judging.registry_positions
            for owned in self.owned.values()
        )

    def measure(self) -> None:
        """Hand positions, lag and table sizes to the metrics."""
        gauges.measure(self, self._consumer, self._registries, self._metrics, self._now())

    @property
    def ready(self) -> bool:
        """Whether it owns partitions, and the sends of every one of them are being judged."""
        return bool(self.owned) and not self._assignment_changed and not any(o.held for o in self.owned.values())

    # -- the own flags partition ----------------------------------------------------------------------------------

    def _follow_flags(self, owned: Owned, records: Sequence[ConsumerRecord]) -> None:
        """Remember flags that another owner wrote, until their sends have been judged here; ours replace them."""
        for record in records:
            if record.value is None:
                continue
            ours = outgoing.epoch_of(record.headers) == owned.partition.epoch
            if ours and not owned.strangers:
                continue
            event = outgoing.read_flag(record.value)
            seen = owned.strangers.setdefault(event.source.offset, {})
            if ours:
                seen.pop(event.rule, None)
            else:
                seen[event.rule] = outgoing.published_of(event)
            if not seen:
                del owned.strangers[event.source.offset]

    async def _heal(self) -> None:
        """Judge again the sends of strange flags, and publish where the topic says otherwise than we know."""
        for number, owned in list(self.owned.items()):
            judged = owned.partition.position.standing.positions.get("sends", 0)
            due = {offset: seen for offset, seen in owned.strangers.items() if offset < judged}
            if not due or owned.held:
                continue
            records = [record for offset in sorted(due) async for record in self._one("sends", number, offset)]
            because = outgoing.Because(self._names["flags"], "")
            outcome = review(owned.partition, self._judging, records, self._now(), due, because)
            for offset in due:
                del owned.strangers[offset]
            log.info("flags of another owner compared", extra={"partition": number, "sends": len(due)})
            await self._commit([(owned, outcome)])

    async def _one(self, kind: str, number: int, offset: int) -> AsyncIterator[ConsumerRecord]:
        async for records in self._reader.read(self._names[kind], number, offset, offset + 1):
            for record in records:
                yield record

    # -- looking back ---------------------------------------------------------------------------------------------

    async def _look_back(self) -> None:
        """Judge again, a little at a time, the sends that a change of the registries may concern."""
        now_read = dict(self._judging.registry_positions)
        for number, owned in list(self.owned.items()):
            partition, looking = owned.partition, owned.look_back
            if owned.held:
                continue
            if looking.idle and partition.registries != now_read:
                looking.waiting = self._registries.changed_since(partition.registries)
                looking.until = now_read
                if looking.waiting:
                    end = partition.position.ledger_next
                    window = self._judging.parameters.window
                    await looking.find(self._reader, self._names["ledger"], number, end, window)
                    log.info("looking back", extra={"partition": number, "stretches": len(looking.stretches)})
            stretch = looking.next(LOOK_BACK_RECORDS)
            if stretch is not None and looking.because is not None:
                await self._review_stretch(owned, stretch, looking.because)
            if looking.idle and looking.until:
                partition.registries, looking.until = looking.until, {}

    async def _review_stretch(self, owned: Owned, stretch: tuple[int, int], change: Change) -> None:
        number = owned.partition.number
        because = outgoing.Because(self._settings.topics.name(change.kind), change.id)
        records: list[ConsumerRecord] = []
        async for fetched in self._reader.read(self._names["sends"], number, *stretch):
            records += fetched
        outcome = review(owned.partition, self._judging, records, self._now(), {}, because)
        await self._commit([(owned, outcome)])

    # -- small things ---------------------------------------------------------------------------------------------

    def _open_store(self, number: int) -> Store:
        if self._settings.engine.store == "memory":
            return MemoryStore()
        return RocksStore(self._folder(number), self._shared)

    def _folder(self, number: int) -> Path:
        return Path(self._settings.engine.data_dir) / f"{self._names['sends']}-{number}"

    def place(self, kind: str, number: int) -> TopicPartition:
        """The topic of this kind, this partition."""
        return TopicPartition(self._names[kind], number)

    def _now(self) -> int:
        return int(self._clock() * 1000)


def _known(owned: Owned, kind: str) -> int:
    """How far a topic of the partition is accounted for."""
    position = owned.partition.position
    committed = position.standing.positions.get(kind, 0)
    return committed if kind == "sends" else max(position.facts.get(kind, 0), 0)


def _passes(error: KafkaError) -> bool:
    """Whether trying again may help."""
    return bool(error.retriable) or isinstance(error, KafkaTimeoutError | KafkaConnectionError)
