"""Accepting that records are gone which were to be read: an operator's decision, written into the ledger.

Belongs here: making sure that nobody works meanwhile, checking what is accepted, appending it. Not here: noticing that
records are gone (`take_over.py`), what the record means (`ledger.py`).

It is a claim and a range like a worker's: the claim makes void whatever somebody else still writes, the range accounts
for the offsets as absent and says below which offset nobody has to miss anything, and why.
"""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient

from sendwatch import ledger
from sendwatch.engine.judging import prepare
from sendwatch.kafka import clients, connection
from sendwatch.kafka.log_reader import LogReader
from sendwatch.kafka.publish import Publisher
from sendwatch.worker.take_over import LASTING

if TYPE_CHECKING:
    from sendwatch.ledger import Version
    from sendwatch.settings import Settings


class CannotAcceptError(Exception):
    """The gap cannot be accepted. The message says why, in a sentence for people."""


async def accept_gap(settings: Settings, told: str, reason: str) -> str:
    """Accept the gap TOPIC:PARTITION:UNTIL; returns a sentence that says what was accepted.

    Raises CannotAcceptError, also while a worker is a member of the group, and CannotConnectError.
    """
    kind, number, until = place_of(settings, told)
    options = await connection.reach(settings.kafka, "accepting a gap")
    async with AsyncExitStack() as open_clients:
        admin = AIOKafkaAdminClient(**options)
        await admin.start()
        open_clients.push_async_callback(admin.close)
        await _refuse_members(admin, settings.kafka.group)
        consumer = clients.consumer(options)
        producer = clients.producer(options, idempotence=settings.kafka.idempotence)
        for client in (consumer, producer):
            await open_clients.enter_async_context(client)
        names = {name: settings.topics.name(name) for name in (kind, "ledger")}
        acceptance = Acceptance(names, LogReader(consumer), Publisher(producer, names), prepare(settings).version)
        return await acceptance.accept(kind, number, until, reason, int(time.time() * 1000))


def place_of(settings: Settings, told: str) -> tuple[str, int, int]:
    """What TOPIC:PARTITION:UNTIL names: topic kind, partition, offset. Raises CannotAcceptError."""
    topic, _, place = told.partition(":")
    number, _, until = place.partition(":")
    kinds = {settings.topics.name(kind): kind for kind in LASTING}
    if topic not in kinds:
        raise CannotAcceptError(f"{topic}: records are missed only of {', '.join(kinds)}")
    if not (number.isdecimal() and until.isdecimal()):
        raise CannotAcceptError(f"{told}: not of the form TOPIC:PARTITION:UNTIL, as in sms.sends:3:1200")
    if int(number) >= settings.topics.partitions:
        raise CannotAcceptError(f"{topic} has {settings.topics.partitions} partitions")
    return kinds[topic], int(number), int(until)


async def _refuse_members(admin: AIOKafkaAdminClient, group: str) -> None:
    for response in await admin.describe_consumer_groups([group]):
        for described in response.to_object()["groups"]:
            if members := described["members"]:
                known = ", ".join(sorted({each["client_id"] or each["member_id"] for each in members}))
                raise CannotAcceptError(f"workers of the group {group} are running, stop them first: {known}")


class Acceptance:
    """One gap of one partition, and the clients to accept it with; `names` by topic kind."""

    def __init__(self, names: dict[str, str], reader: LogReader, publisher: Publisher, version: Version) -> None:
        """Bind started clients."""
        self._names = names
        self._reader = reader
        self._publisher = publisher
        self._version = version

    async def accept(self, kind: str, number: int, until: int, reason: str, now: int) -> str:
        """Append the acceptance; `now` in ms. Raises CannotAcceptError where there is no such gap."""
        topic = f"{self._names[kind]}/{number}"
        first = await self._reader.first(self._names[kind], number)
        standing, end = await self._read(number, ledger.Standing(), None)
        known = standing.positions.get(kind, 0)
        if until > first:
            raise CannotAcceptError(
                f"{topic}: offsets [{first}, {until}) are not gone; at most {first} can be accepted"
            )
        if until <= standing.given_up.get(kind, 0) or (kind == "sends" and until <= known):
            raise CannotAcceptError(f"{topic}: everything below offset {until} is accounted for or accepted already")
        claim = ledger.Claim(standing.epoch + 1, "accept-gap", now, self._version)
        gap = ledger.Range(
            epoch=claim.epoch,
            version=self._version,
            at=now,
            event_time=standing.event_time,
            spans={kind: ledger.Span(known, until, ledger.Books(absent=until - known))} if until > known else {},
            registries=standing.registries,
            flags_next=standing.flags_next,
            number=1,
            given_up={kind: until},
            reason=reason,
        )
        await self._publisher.append("ledger", number, b"claim", ledger.encode(claim))
        await self._publisher.append("ledger", number, None, ledger.encode(gap))
        standing, _ = await self._read(number, standing, end)
        if standing.epoch != claim.epoch or standing.given_up.get(kind) != until:
            raise CannotAcceptError(f"{topic}: a worker has taken the partition over meanwhile; stop it and try again")
        missing = f"offsets [{known}, {until}) are accounted for as absent" if until > known else "no offset is unread"
        return f"{topic}: {missing}; a table is built anew without what lay below {until}"

    async def _read(self, number: int, standing: ledger.Standing, start: int | None) -> tuple[ledger.Standing, int]:
        """The ledger's standing after what was written from `start` on (None: all of it), and where it ends."""
        first, end = await self._reader.bounds(self._names["ledger"], number)
        async for records in self._reader.read(self._names["ledger"], number, first if start is None else start, end):
            for record in records:
                standing.accept(ledger.decode.decode(record.value))
        return standing, end
