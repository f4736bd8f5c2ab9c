"""Flags, breaches and dispositions as they come from their topics, and dispositions as they go there.

Belongs here: clients of Kafka, from where on is read, and when it has caught up. Not here: what is kept of it
(`at_hand.py`). No group, nothing committed: a desk is an audience like any other.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from sendwatch.desk import dispositions
from sendwatch.kafka import clients
from sendwatch.kafka.log_reader import LogReader
from sendwatch.outgoing import read_breach, read_flag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import ConsumerRecord

    from sendwatch.desk.at_hand import AtHand
    from sendwatch.desk.say import Disposition
    from sendwatch.desk.stream import Stream
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.desk")

FETCH_MS = 200
AT_ONCE = 500
LOOK_SECONDS = 1.0


class Following:
    """Reads what is published into what is at hand, and pushes what is new."""

    def __init__(self, settings: Settings, at_hand: AtHand, stream: Stream, options: Mapping[str, object]) -> None:
        """`options`: of every client of Kafka; nothing is connected before `start`."""
        self._settings = settings
        self._at_hand = at_hand
        self._stream = stream
        self._consumer = clients.consumer(options, fetch_max_wait_ms=FETCH_MS)
        self._aside = clients.consumer(options, fetch_max_wait_ms=20)
        self.past = LogReader(self._aside)
        self._producer = clients.producer(options, idempotence=settings.kafka.idempotence, linger_ms=0)
        name, partitions = settings.topics.name, range(settings.topics.partitions)
        self._kinds = {name(kind): kind for kind in ("flags", "breaches", "dispositions")}
        self._flags = [TopicPartition(name("flags"), number) for number in partitions]
        self._sends = [TopicPartition(name("sends"), number) for number in partitions]
        self._few = [TopicPartition(name(kind), 0) for kind in ("breaches", "dispositions")]
        self._ends: dict[TopicPartition, int] = {}
        self._looked_at = 0.0
        self.caught_up = False
        self.sends_ends: dict[int, int] = {}

    async def start(self) -> None:
        """Connect; begin with the latest flags, and with all breaches and dispositions."""
        for client in (self._producer, self._consumer, self._aside):
            await client.start()
        places = [*self._flags, *self._few]
        self._consumer.assign(places)
        first = await self._consumer.beginning_offsets(places)
        self._ends = await self._consumer.end_offsets(places)
        most = self._settings.desk.flags_kept
        for place in places:
            latest = self._ends[place] - most if place in self._flags else 0
            self._consumer.seek(place, max(first[place], latest))

    async def stop(self) -> None:
        """Disconnect."""
        for client in (self._consumer, self._aside, self._producer):
            await client.stop()

    async def look(self) -> None:
        """Take in what has come; raises errors of Kafka."""
        fetched = await self._consumer.getmany(timeout_ms=FETCH_MS, max_records=AT_ONCE)
        for place, records in fetched.items():
            self._take(self._kinds[place.topic], records)
        if not self.caught_up:
            behind = [p for p, end in self._ends.items() if await self._consumer.position(p) < end]
            self.caught_up = not behind
            if self.caught_up:
                self._stream.push("changed", {})  # what was there before is not pushed one by one
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._looked_at = time.monotonic()
            ends = await self._consumer.end_offsets(self._sends)
            self.sends_ends = {place.partition: end for place, end in ends.items()}

    async def publish(self, made: Disposition) -> None:
        """Write a disposition, and take it in once it is acknowledged; raises errors of Kafka."""
        await self._producer.send_and_wait(
            self._settings.topics.name("dispositions"),
            key=made.about.id.encode(),
            value=dispositions.encode(made),
            headers=dispositions.headers_of(made),
            partition=0,
        )
        self._take_disposition(made)

    def _take(self, kind: str, records: list[ConsumerRecord]) -> None:
        for record in records:
            if record.value is None:
                continue
            try:
                self._take_one(kind, record.value)
            except ValueError as error:  # others may write dispositions too; a record that is none stops nobody
                where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
                log.warning("a record was left out", extra={**where, "error": type(error).__name__})

    def _take_one(self, kind: str, value: bytes) -> None:
        if kind == "flags":
            held = self._at_hand.flags.take(read_flag(value))
            if held is not None and self.caught_up:
                self._stream.add_flags([held])
        elif kind == "breaches":
            event = read_breach(value)
            if self._at_hand.take_breach(event) and self.caught_up:
                self._stream.push("breach", self._at_hand.breach(event))
        else:
            self._take_disposition(dispositions.read(value))

    def _take_disposition(self, made: Disposition) -> None:
        if self._at_hand.dispositions.take(made) and self.caught_up:
            self._stream.push("disposition", made)
