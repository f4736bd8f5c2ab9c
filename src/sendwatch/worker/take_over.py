"""Taking a partition over: read its ledger, claim it, seek every topic to where it stands, hold its sends.

Belongs here: from being assigned a partition to letting its sends go on. Not here: judging them (`worker.py`), what
follows from a batch (`batch.py`), trying again when Kafka fails (`patience.py`).

    claim    read the ledger from where the store stopped, append a claim (epoch + 1), apply the rows
    seek     facts to the store's positions, sends and flags to the ledger's
    hold     first fold facts up to the ledger's position, silently; then facts, flags and registries up to the ends
             seen now; only then are sends read
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sendwatch import ledger, outgoing
from sendwatch.engine.batch import FACTS
from sendwatch.engine.store import MemoryStore, RocksShared, RocksStore
from sendwatch.worker.owned import FOLLOWED, Owned

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Partition
    from sendwatch.engine.store import Store
    from sendwatch.kafka.log_reader import LogReader
    from sendwatch.kafka.publish import Publisher
    from sendwatch.settings import Settings
    from sendwatch.windows.aftermath import CaseRow
    from sendwatch.worker.owned import Topics
    from sendwatch.worker.registries import Registries

log = logging.getLogger("sendwatch.worker")

LASTING = ("sends", "consents", "replies")  # of these nothing may be lost before it was read


class LostRecordsError(Exception):
    """Records that were to be read are no longer there; the message names topic, partition and offsets."""


class TakeOver:
    """What a worker does to own partitions; it holds nothing of any of them."""

    def __init__(
        self,
        settings: Settings,
        judging: Judging,
        topics: Topics,
        consumer: AIOKafkaConsumer,
        publisher: Publisher,
        reader: LogReader,
        registries: Registries,
        now: Callable[[], int],
    ) -> None:
        """Bind started clients; `now` is the wall clock in ms."""
        self._settings = settings
        self._judging = judging
        self._topics = topics
        self._consumer = consumer
        self._publisher = publisher
        self._reader = reader
        self._registries = registries
        self._now = now
        self._shared = RocksShared(settings.engine.cache_mb, settings.engine.write_buffer_mb)

    def open_store(self, number: int) -> Store:
        """Where the dossiers of a partition lie."""
        if self._settings.engine.store == "memory":
            return MemoryStore()
        return RocksStore(self._folder(number), self._shared)

    async def prepare(self, partition: Partition) -> Owned:
        """Claim a partition, seek everything to where it stands, and hold its sends."""
        number = partition.number
        partition.telling = False
        await self._claim(partition)
        ends = await self._consumer.end_offsets([self._topics.place(kind, number) for kind in FOLLOWED])
        awaited = {self._topics.kinds[place.topic]: end for place, end in ends.items()}
        await self._seek(partition)
        flags_next, now = partition.position.standing.flags_next, self._now()
        owned = Owned(partition, awaited, flags_next, ends=dict(awaited), taken_at=now)
        self._consumer.pause(self._topics.place("sends", number))
        if number == 0:
            self._registries.settle_below(partition.position.standing.registries)
        self.pause_folded(owned)
        if owned.silent:
            await self._read_optouts(partition)
        await self._date_first(owned)
        return owned

    # -- the ledger -----------------------------------------------------------------------------------------------

    async def _claim(self, partition: Partition) -> None:
        """Read the ledger to its end, append a claim, and read on up to it: then the partition is ours."""
        number, position = partition.number, partition.position
        name = self._topics.name("ledger")
        first, end = await self._reader.bounds(name, number)
        if position.ledger_next and not first <= position.ledger_next <= end:
            raise LostRecordsError(
                f"{name}/{number}: the store has read up to offset {position.ledger_next}, the topic "
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
        name = self._topics.name("ledger")
        async for records in self._reader.read(name, partition.number, position.ledger_next, end):
            rows: list[ledger.Row] = []
            longs: list[ledger.LongRow] = []
            cases: list[CaseRow] = []
            for record in records:
                entry = ledger.decode.decode(record.value)
                if not position.standing.accept(entry):
                    continue
                if isinstance(entry, ledger.Claim):
                    claims.add(record.offset)
                else:
                    rows += entry.rows
                    longs += entry.longs
                    cases += entry.cases
                    partition.enter(entry)
            partition.replay(rows, longs, cases)
            position.ledger_next = records[-1].offset + 1
        position.ledger_next = max(position.ledger_next, end)
        return claims

    # -- where to read on -----------------------------------------------------------------------------------------

    async def _seek(self, partition: Partition) -> None:
        number, position = partition.number, partition.position
        wanted = {"sends": position.standing.positions.get("sends", 0), "flags": position.standing.flags_next}
        wanted |= {kind: position.facts.get(kind, 0) for kind in FACTS}
        first = await self._consumer.beginning_offsets([self._topics.place(kind, number) for kind in wanted])
        for kind, offset in wanted.items():
            place = self._topics.place(kind, number)
            if offset or position.standing.positions.get(kind, 0):  # of what was never read nothing is lost
                self._refuse_hole(partition, kind, offset, first[place])
            self._consumer.seek(place, max(offset, first[place]))

    async def refuse_loss(self, partition: Partition, kind: str, known: int, records: Sequence[ConsumerRecord]) -> None:
        """A hole before what was read is a marker or compaction, unless the topic begins after it: that is a loss."""
        if kind not in LASTING or known == 0 or (records and records[0].offset == known):
            return
        place = self._topics.place(kind, partition.number)
        self._refuse_hole(partition, kind, known, (await self._consumer.beginning_offsets([place]))[place])

    def _refuse_hole(self, partition: Partition, kind: str, known: int, first: int) -> None:
        """Raise where [known, first) was to be read, unless an operator has accepted that it is gone."""
        if kind in LASTING and known < first and first > partition.position.standing.given_up.get(kind, 0):
            raise LostRecordsError(
                f"{self._topics.name(kind)}/{partition.number}: offsets [{known}, {first}) were deleted before they "
                "were read"
            )

    async def _read_optouts(self, partition: Partition) -> None:
        """Read what replies were resolved to: the sends that they answered may be kept no longer."""
        name, number = self._topics.name("optouts"), partition.number
        async for records in self._reader.read(name, number):
            for record in records:
                event = outgoing.read_optout(record.value)
                partition.resolved[event.source.offset] = event.owners

    async def _date_first(self, owned: Owned) -> None:
        """Note how old the first send is that is to be read: nothing else tells while sends are held."""
        at = await self._consumer.position(self._topics.place("sends", owned.number))
        if at < owned.awaited["sends"]:
            for record in await self._reader.pick(self._topics.name("sends"), owned.number, {at}):
                owned.read_at["sends"] = record.timestamp

    # -- holding --------------------------------------------------------------------------------------------------

    def pause_folded(self, owned: Owned) -> None:
        """Read no further in facts that are folded up to the ledger's position, until all are."""
        position = owned.partition.position
        committed = position.standing.positions
        done = [kind for kind in FACTS if position.facts.get(kind, 0) >= committed.get(kind, 0)]
        if len(done) == len(FACTS):
            owned.silent = False
            owned.partition.resolved.clear()
            self._consumer.resume(*(self._topics.place(kind, owned.number) for kind in FACTS))
        else:
            self._consumer.pause(*(self._topics.place(kind, owned.number) for kind in done))

    def cut(self, owned: Owned, batch: Mapping[str, Sequence[ConsumerRecord]]) -> dict[str, Sequence[ConsumerRecord]]:
        """Leave facts after the ledger's position for later: all that lie before it must be folded first."""
        committed, cut = owned.partition.position.standing.positions, dict(batch)
        for kind in FACTS:
            end, records = committed.get(kind, 0), batch.get(kind, ())
            if records and records[-1].offset >= end:
                self._consumer.seek(self._topics.place(kind, owned.number), end)
                cut[kind] = [record for record in records if record.offset < end]
        return cut

    def look_further(self, owned: Owned, kind: str) -> None:
        """Await what the first fetch shows to be there: some servers tell too early an end when only asked for it."""
        if kind in owned.unseen:
            owned.unseen.discard(kind)
            place = self._topics.place(kind, owned.number)
            owned.awaited[kind] = max(owned.awaited[kind], self._consumer.highwater(place) or 0)

    async def reached(self, owned: Owned) -> bool:
        """Whether everything is folded that was there at take-over and that sends are judged by."""
        for kind in (*FACTS, "flags"):
            if await self._consumer.position(self._topics.place(kind, owned.number)) < owned.awaited[kind]:
                return False
        return True

    def _folder(self, number: int) -> Path:
        return Path(self._settings.engine.data_dir) / f"{self._topics.name('sends')}-{number}"
