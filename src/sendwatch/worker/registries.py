"""The five registry topics, read in full by every worker, without a group, and followed for ever.

Belongs here: reading them into the `Registry`, knowing how far they are read, what was known when they were read less
far, and remembering what was refused until the owner of partition 0 has put it into quarantine. Not here: any answer
that the registries give (`registry/`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, cast

from aiokafka import TopicPartition
from msgspec import Struct

from sendwatch.engine.judging import REGISTRY_KINDS
from sendwatch.engine.memory import Memory
from sendwatch.events import Deletion, Filing, Rejected, arrival
from sendwatch.outgoing import Place
from sendwatch.reader import Reader
from sendwatch.registry import Registry
from sendwatch.registry.touch import touches
from sendwatch.windows.alikes import Alikes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from sendwatch.engine.judging import Judging
    from sendwatch.registry.touch import Row, Touch

AT_ONCE = 2000
Refused = tuple[Place, Rejected, bytes | None]


class Change(Struct, frozen=True):
    """A registry record that was taken in, its row, and what it touches. `arrived` as the contract has it."""

    kind: str
    id: str
    offset: int
    arrived: int
    touches: list[Touch]
    row: Row | None = None


class Past:
    """A registry as it was once, made from the changes; it can only go on."""

    def __init__(self, judging: Judging) -> None:
        """Before any change."""
        parameters = judging.parameters
        self._registry = Registry(parameters.window, pending_grace=parameters.pending_grace)
        self._memory = Memory(self._registry, parameters, judging.rulebook)
        self._positions: dict[str, int] = {}

    def leads_to(self, positions: Mapping[str, int]) -> bool:
        """Whether these positions lie nowhere before those that it has come to."""
        return all(at <= positions.get(kind, 0) for kind, at in self._positions.items())

    async def go_on(self, changes: Sequence[Change], positions: Mapping[str, int]) -> Memory:
        """Take in what lies before these positions; others get their turn meanwhile."""
        known, self._positions = self._positions, dict(positions)
        for number, each in enumerate(changes):
            if known.get(each.kind, 0) <= each.offset < positions.get(each.kind, 0):
                self._registry.put(each.kind, each.id, each.offset, each.arrived, each.row)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return self._memory


class Registries:
    """Follows the registry topics into the worker's one `Registry`."""

    def __init__(self, consumer: AIOKafkaConsumer, judging: Judging, names: Mapping[str, str]) -> None:
        """Bind a consumer without a group; `names` maps topic kinds to topic names."""
        self._consumer = consumer
        self._judging = judging
        self._places = {TopicPartition(names[kind], 0): kind for kind in REGISTRY_KINDS}
        self._readers = {kind: Reader(kind, recipient_form=judging.pseudonyms.form) for kind in REGISTRY_KINDS}
        self.refused: list[Refused] = []
        self.changes: list[Change] = []
        self.ignored: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()
        self.newest: dict[str, int] = {}
        self.ends: dict[str, int] = {}
        self.alikes = Alikes(pending=judging.parameters.pending_grace)
        self._rows: dict[tuple[str, str], Row | None] = {}
        self._past: Past | None = None

    async def start(self) -> None:
        """Begin at the beginning, and note where the topics end now."""
        self._consumer.assign(list(self._places))
        await self._consumer.seek_to_beginning(*self._places)
        await self.look()

    async def look(self) -> None:
        """Note where the topics end now: `caught_up` is then about these ends."""
        ends = await self._consumer.end_offsets(list(self._places))
        self.ends = {self._places[place]: end for place, end in ends.items()}

    @property
    def caught_up(self) -> bool:
        """Whether everything up to the ends seen last has been taken in."""
        positions = self._judging.registry_positions
        return bool(self.ends) and all(positions.get(kind, 0) >= end for kind, end in self.ends.items())

    async def follow(self, timeout_ms: int) -> None:
        """Take in what there is; waits at most `timeout_ms` for something to come."""
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms, max_records=AT_ONCE)
        positions = {kind: await self._consumer.position(place) for place, kind in self._places.items()}
        for place in fetched:  # some servers tell too early an end when only asked for it
            kind = self._places[place]
            self.ends[kind] = max(self.ends.get(kind, 0), self._consumer.highwater(place) or 0)
        # from here on without a pause: whoever looks sees records and positions that agree
        for place, records in fetched.items():
            for record in records:
                self._take(self._places[place], place, record)
        self._judging.registry_positions.update(positions)

    def settle(self, refused: Sequence[Refused]) -> None:
        """Forget refused records that are in quarantine now."""
        done = {(place.topic, place.offset) for place, _, _ in refused}
        self.refused = [each for each in self.refused if (each[0].topic, each[0].offset) not in done]

    def settle_below(self, positions: Mapping[str, int]) -> None:
        """Forget refused records before these positions: an earlier owner has put them into quarantine."""
        kinds = {place.topic: kind for place, kind in self._places.items()}
        self.refused = [each for each in self.refused if each[0].offset >= positions.get(kinds[each[0].topic], 0)]

    def changed_since(self, positions: Mapping[str, int]) -> list[Change]:
        """The changes at or after these positions, in the order in which they were read."""
        return [change for change in self.changes if change.offset >= positions.get(change.kind, 0)]

    async def as_of(self, positions: Mapping[str, int]) -> Memory:
        """What was known of sends when the registries were read up to these positions, and no further.

        Kept until `forget_past`: stretches are mostly looked back at in the order in which they were counted.
        """
        if self._past is None or not self._past.leads_to(positions):
            self._past = Past(self._judging)
        return await self._past.go_on(self.changes, positions)

    def forget_past(self) -> None:
        """Let go of what was known once: it takes as much memory as what is known now."""
        self._past = None

    def _take(self, kind: str, place: TopicPartition, record: ConsumerRecord) -> None:
        row = self._readers[kind](record.key, record.value, record.timestamp, self.ignored)
        self.records[kind] += 1
        self.newest[kind] = record.timestamp
        if isinstance(row, Rejected):
            self.refused.append((Place(place.topic, 0, record.offset), row, record.value))
        elif isinstance(row, Deletion):
            self._put(kind, row.id, record.offset, record.timestamp, None)
        else:
            filed = cast("Row", row)
            self._put(kind, filed.id, record.offset, arrival(record.timestamp, filed.recorded_at), filed)

    def _put(self, kind: str, id_: str, offset: int, arrived: int, row: Row | None) -> None:
        before = self._rows.get((kind, id_))
        self.keys[kind] += (row is not None) - (before is not None)
        self._rows[kind, id_] = row
        displaced = self._judging.registry.put(kind, id_, offset, arrived, row)
        if row is None or isinstance(row, Filing):
            self.alikes.put(f"{kind}/{id_}", row)
        self.changes.append(Change(kind, id_, offset, arrived, touches((*displaced, row)), row))
