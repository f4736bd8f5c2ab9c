"""What anybody can see from outside while workers run: net flags, quarantine, and how far the ledger is.

Belongs here: following the topics that come out, as a downstream team would. Not here: any state of a worker.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

import msgspec
from aiokafka import TopicPartition
from msgspec import Struct

from sendwatch import ledger
from sendwatch.events import REGISTRIES
from sendwatch.kafka import clients, connection
from sendwatch.outgoing import QuarantineEvent, read_flag

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

    from sendwatch.outgoing import FlagEvent
    from sendwatch.settings import Settings

KINDS = ("flags", "quarantine", "ledger")
LATEST = 12
read_quarantine = msgspec.json.Decoder(QuarantineEvent).decode


class Seen(Struct, frozen=True):
    """The last record of one flag."""

    raised: bool
    rule: str
    send_id: str


class Audience:
    """Follows flags, quarantine and ledger from their beginning."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is read before `start`."""
        self.settings = settings
        self._partitions = range(settings.topics.partitions)
        self._names = {settings.topics.name(kind): kind for kind in KINDS}
        self.flags: dict[str, Seen] = {}
        self.records: Counter[str] = Counter()
        self.quarantined: dict[str, QuarantineEvent] = {}
        self.raised_late: Counter[str] = Counter()
        self.cleared: Counter[str] = Counter()
        self.latest: deque[FlagEvent] = deque(maxlen=LATEST)
        self.standing = {number: ledger.Standing() for number in self._partitions}
        self.books = ledger.Books()
        self.void = 0

    async def start(self) -> None:
        """Connect and begin at the beginning."""
        options = connection.client_options(self.settings.kafka)
        self._consumer = clients.consumer(options, auto_offset_reset="earliest", fetch_max_wait_ms=100)
        await self._consumer.start()
        self._places = [TopicPartition(name, number) for name in self._names for number in self._partitions]
        self._consumer.assign(self._places)
        await self._consumer.seek_to_beginning(*self._places)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def look(self, timeout_ms: int = 200) -> None:
        """Take in what has come since."""
        fetched = await self._consumer.getmany(timeout_ms=timeout_ms)
        for place, records in fetched.items():
            for record in records:
                self._take(self._names[place.topic], place.partition, record)

    async def caught_up(self) -> bool:
        """Whether everything that is in the topics now has been taken in."""
        ends = await self._consumer.end_offsets(self._places)
        for place, end in ends.items():
            # some servers tell too early an end when only asked for it; a fetch tells the right one
            if await self._consumer.position(place) < max(end, self._consumer.highwater(place) or 0):
                return False
        return True

    def judged(self, kind: str = "sends") -> int:
        """How many records of a topic the ledger accounts for, over all partitions."""
        return sum(standing.positions.get(kind, 0) for standing in self.standing.values())

    def accounted(self, kind: str) -> int:
        """As `judged`; of a registry, how many of its records every partition has looked back for.

        Replies are accounted for when it has been published what they were resolved to.
        """
        if kind == "replies":
            return sum(min(standing.positions.get(kind, 0), standing.told) for standing in self.standing.values())
        if kind in REGISTRIES:
            return min(standing.registries.get(kind, 0) for standing in self.standing.values())
        return self.judged(kind)

    def raised(self) -> dict[str, frozenset[str]]:
        """The rules whose flags stand, by send id."""
        found: dict[str, set[str]] = {}
        for seen in self.flags.values():
            if seen.raised:
                found.setdefault(seen.send_id, set()).add(seen.rule)
        return {send_id: frozenset(rules) for send_id, rules in found.items()}

    def by_rule(self) -> Counter[str]:
        """How many flags of each rule stand."""
        return Counter(seen.rule for seen in self.flags.values() if seen.raised)

    def _count(self, event: FlagEvent) -> None:
        """Count corrections: a flag that was cleared, or raised only when a later fact had come."""
        before = self.flags.get(event.flag_id)
        stood = before is not None and before.raised
        if event.status == "cleared":
            self.cleared[event.rule] += stood
        elif event.because is not None and not stood:
            self.raised_late[event.rule] += 1

    def _take(self, kind: str, partition: int, record: ConsumerRecord) -> None:
        self.records[kind] += 1
        if kind == "flags":
            event = read_flag(record.value)
            self._count(event)
            self.flags[event.flag_id] = Seen(event.status == "raised", event.rule, event.send.id)
            self.latest.append(event)
        elif kind == "quarantine":
            self.quarantined[record.key.decode()] = read_quarantine(record.value)
        else:
            entry = ledger.decode.decode(record.value)
            if not self.standing[partition].accept(entry):
                self.void += 1
            elif isinstance(entry, ledger.Range):
                for span in entry.spans.values():
                    self.books.add(span.books)
