"""The canary: made-up sends that are known to flag go through the whole pipe, and are looked for at its end.

Belongs here: sending them, seeing their flags come back, how long that took. Not here: judging them and keeping them
out of all sums (`flagging.py`), when somebody is called (`deploy/`).

Every partition gets one each `SLOTS * EVERY` seconds, from its owner; so their number depends on the partitions, not
on the workers. Every worker reads the whole canary topic: so each of them can tell of every partition, also of one
that nobody owns, since when nothing has come back from it.

Their text bears no signature (G1) and their port is too long for any (G8): that flags whatever registries, consents
and law packs hold. Their recipients have numbers of a country that does not exist, as many per partition as keep each
one's dossier small: flagged sends are kept for days.
"""

from __future__ import annotations

import asyncio
import logging
import time
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from sendwatch.kafka import clients, connection
from sendwatch.outgoing import read_flag
from sendwatch.partitions import partitions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sendwatch.metrics import Metrics
    from sendwatch.outgoing import FlagEvent
    from sendwatch.settings import Settings

log = logging.getLogger("sendwatch.canary")

EVERY: Final = 5.0  # seconds
SLOTS: Final = 3
PEOPLE: Final = 64
LISTEN_MS: Final = 500
TEXT: Final = "sendwatch canary, addressed to nobody"
PORT: Final = "9" * 22


class Chirp(NamedTuple):
    """One send of the canary's, ready to be written."""

    partition: int
    key: bytes
    value: bytes


def people(partitions: int, each: int = PEOPLE) -> list[list[str]]:
    """Made-up recipients by partition, the same ones always."""
    found: list[list[str]] = [[] for _ in range(partitions)]
    first, block = 0, partitions * each
    while any(len(some) < each for some in found):
        numbers = [f"00999{number:08}" for number in range(first, first + block)]
        for number, partition in zip(
            numbers, partitions_of([each.encode() for each in numbers], partitions), strict=True
        ):
            found[partition].append(number)
        first += block
    return [some[:each] for some in found]


class Rounds:
    """Whose turn it is, and since when each partition has not answered. Pure; times are ms since 1970 UTC."""

    def __init__(self, partitions: int, sp: str, name: str, began_at: int) -> None:
        """`name` tells this worker's sends, of this run, from all others."""
        self._people = people(partitions)
        self._sp, self._name = sp, name
        self._turn = 0
        self.answered = [began_at] * partitions

    def chirps(self, owned: Collection[int], now: int) -> Iterator[Chirp]:
        """The sends of one turn: a share of the owned partitions, each one's in every `SLOTS`-th turn."""
        self._turn += 1
        for partition in sorted(owned):
            if (self._turn + partition) % SLOTS == 0:
                some = self._people[partition]
                recipient = some[self._turn // SLOTS % len(some)]
                send = {
                    "id": f"{self._name}/{self._turn}",
                    "recipient": recipient,
                    "sp": self._sp,
                    "port": PORT,
                    "sent_at": now,
                    "text": TEXT,
                }
                yield Chirp(partition, recipient.encode(), msgspec.json.encode(send))

    def hear(self, partition: int, event: FlagEvent, now: int) -> float | None:
        """Take in a flag that came back: the seconds of the round trip, where this worker sent it, and only once."""
        at = event.send.at
        first = at > self.answered[partition]  # a send has two flags; after a crash, old ones may come again
        self.answered[partition] = max(self.answered[partition], at)
        mine = event.send.id.startswith(f"{self._name}/")
        return max(0, now - at) / 1000 if first and mine else None

    @property
    def proven(self) -> int:
        """All sends until then have been judged, as far as the canary of the worst partition tells."""
        return min(self.answered)


class Canary(Service):  # type: ignore[misc]
    """Sends and listens, beside the worker, with clients of its own. What fails is tried again: it never ends it."""

    def __init__(self, settings: Settings, metrics: Metrics, owned: Callable[[], Collection[int]]) -> None:
        """`owned` tells the partitions that the worker owns now; [engine] must name the canary's account."""
        super().__init__()
        assert settings.engine.canary_sp is not None
        self._settings, self._metrics, self._owned = settings, metrics, owned
        self._silent = asyncio.Event()
        self._rounds = Rounds(settings.topics.partitions, settings.engine.canary_sp, f"canary-{token_hex(8)}", _now())

    async def on_start(self) -> None:
        """Connect, and listen from now on."""
        kafka, topics = self._settings.kafka, self._settings.topics
        options = await connection.reach(kafka, "starting the canary", log.warning)
        self._producer = clients.producer(options, idempotence=kafka.idempotence)
        self._consumer = clients.consumer(options, fetch_max_wait_ms=LISTEN_MS)
        await self._producer.start()
        await self._consumer.start()
        places = [TopicPartition(topics.name("canary"), number) for number in range(topics.partitions)]
        self._consumer.assign(places)
        await self._consumer.seek_to_end(*places)
        self._metrics.set_canary(self._rounds.proven)

    async def on_stop(self) -> None:
        """Disconnect, when nobody listens any more."""
        await self._silent.wait()
        await self._producer.stop()
        await self._consumer.stop()

    @Service.timer(EVERY)  # type: ignore[untyped-decorator]
    async def sing(self) -> None:
        """Send one turn's share."""
        try:
            for chirp in self._rounds.chirps(self._owned(), _now()):
                topic = self._settings.topics.name("sends")
                await self._producer.send_and_wait(topic, chirp.value, chirp.key, chirp.partition)
        except KafkaError as error:
            log.warning("the canary could not send", extra={"error": type(error).__name__})

    @Service.task  # type: ignore[untyped-decorator]
    async def listen(self) -> None:
        """Take in what comes back, until stopped."""
        while not self.should_stop:
            try:
                fetched = await self._consumer.getmany(timeout_ms=LISTEN_MS)
            except KafkaError as error:
                log.warning("the canary could not listen", extra={"error": type(error).__name__})
                await self.sleep(EVERY)
                continue
            self._take(fetched)
        self._silent.set()

    def _take(self, fetched: dict[TopicPartition, Any]) -> None:
        now = _now()
        for place, records in fetched.items():
            for record in records:
                seconds = self._rounds.hear(place.partition, read_flag(record.value), now)
                if seconds is not None:
                    self._metrics.canary_returned(seconds)
        self._metrics.set_canary(self._rounds.proven)


def _now() -> int:
    return int(time.time() * 1000)
