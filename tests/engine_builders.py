"""Builders for the tests of the engine: events as a producer writes them, a partition driven by hand, Kafka in memory.

    Desk       one `Partition` and its topics as lists: `desk.write(…)`, `desk.work()`; no worker, no broker
    Cluster    topics in memory; `cluster.worker()` gives a real `Worker` on them, `await settle(worker)` lets it work
    Fault      what the n-th write to the cluster does instead of succeeding; `cluster.outages`: what the next questions
               for the beginning of topics are answered with

Every number, name and text is made up.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from sendwatch import config, ledger
from sendwatch.app import ALL_KINDS, _metrics
from sendwatch.demo.stage import KEYS
from sendwatch.engine.batch import FACTS, assemble, process
from sendwatch.engine.judging import REGISTRY_KINDS, Judging, prepare
from sendwatch.engine.partition import Outcome, Partition
from sendwatch.engine.store import MemoryStore
from sendwatch.events import Deletion, Rejected, arrival
from sendwatch.kafka.log_reader import LogReader
from sendwatch.outgoing import FlagEvent, OptoutEvent, QuarantineEvent, read_flag
from sendwatch.reader import Reader
from sendwatch.registry import Registry
from sendwatch.worker.registries import Registries
from sendwatch.worker.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from sendwatch.engine.store import Store
    from sendwatch.ledger import Books
    from sendwatch.outgoing import Message
    from sendwatch.settings import Settings

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_781_071_200_000  # Wednesday, 2026-06-10, 14:00 in UTC+8
ANNE, BODO = "13912345678", "13812345678"
TEXT = "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
OTHER_TEXT = "【湖畔书屋】周末全场图书五折，满200减40，欢迎选购。拒收请回复R"
CODE = "【云岭商贸】您的验证码是824193，5分钟内有效，请勿泄露。"

ORDER = ("consents", "replies", "reports", "complaints", "sends")

read_optout = msgspec.json.Decoder(OptoutEvent).decode
read_quarantine = msgspec.json.Decoder(QuarantineEvent).decode


class Event(NamedTuple):
    """A record before it is written; `timestamp` is its Kafka timestamp."""

    kind: str
    timestamp: int
    key: bytes | None
    value: bytes | None


class Rec(NamedTuple):
    """A record as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


# -- events --------------------------------------------------------------------------------------------------


def an_event(kind: str, at: int, arrived: int | None, fields: dict[str, Any]) -> Event:
    """A record of these fields; it arrived at its own time unless told otherwise."""
    key = fields["id" if kind in REGISTRY_KINDS else "recipient"]
    value = json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)
    return Event(kind, at if arrived is None else arrived, key.encode(), value.encode())


def a_send(id_: str = "s", at: int = NOW, arrived: int | None = None, **fields: Any) -> Event:
    """A marketing text of 云岭商贸 by sp1 from 10690001 to Anne."""
    usual = {"recipient": ANNE, "sp": "sp1", "port": "10690001", "text": TEXT, "category": "marketing"}
    usual |= {"carrier": "cm", "province": "53"}
    return an_event("sends", at, arrived, {"id": id_, "sent_at": at, **usual, **fields})


def a_consent(id_: str = "c", at: int = NOW - 30 * DAY, arrived: int | None = None, **fields: Any) -> Event:
    """A proven, express grant of Anne's for O1's marketing."""
    proof = {"id": "proof", "sha256": "0" * 64, "captured_at": at}
    usual = {"recipient": ANNE, "owner": "O1", "action": "grant", "method": "written", "proof": proof}
    return an_event("consents", at, arrived, {"id": id_, "effective_at": at, **usual, **fields})


def a_withdrawal(id_: str = "w", at: int = NOW - DAY, arrived: int | None = None, **fields: Any) -> Event:
    """A recorded withdrawal of Anne's from O1."""
    return a_consent(id_, at, arrived, **{"action": "withdraw", "method": None, "proof": None, **fields})


def a_reply(id_: str = "m", at: int = NOW - DAY, arrived: int | None = None, **fields: Any) -> Event:
    """A refusal of Anne's to 10690001."""
    usual = {"recipient": ANNE, "port": "10690001", "text": "退订"}
    return an_event("replies", at, arrived, {"id": id_, "received_at": at, **usual, **fields})


def a_report(send_id: str = "s", at: int = NOW, arrived: int | None = None) -> Event:
    """Anne's phone took the message."""
    fields = {"send_id": send_id, "recipient": ANNE, "stat": "DELIVRD", "done_at": at}
    return an_event("reports", at, arrived, fields)


def a_complaint(id_: str = "x", at: int = NOW, arrived: int | None = None) -> Event:
    """Anne complains of 10690001."""
    fields = {"id": id_, "recipient": ANNE, "channel": "12321", "port": "10690001", "received_at": at}
    return an_event("complaints", at, arrived, fields)


def a_row(kind: str, id_: str, **fields: Any) -> Event:
    """A registry record, a year old."""
    return an_event(kind, NOW - 365 * DAY, None, {"id": id_, **fields})


def a_filing(id_: str = "f1", **fields: Any) -> Event:
    """A filing of 云岭商贸 by O1 on 1069, for every use."""
    usual = {"signature": "云岭商贸", "owner": "O1", "uses": ["marketing", "service", "otp"], "ports": ["1069"]}
    return a_row("signatures", id_, **{**usual, "valid_from": NOW - 300 * DAY, **fields})


def a_port(id_: str = "p1", **fields: Any) -> Event:
    """Port 1069 of sp1."""
    return a_row("ports", id_, **{"port": "1069", "holder": "sp1", "valid_from": NOW - 300 * DAY, **fields})


REGISTRIES = (
    a_filing(),
    a_filing("f2", signature="湖畔书屋", owner="O2"),
    a_port(),
    a_row("owners", "O1", name="云岭商贸有限公司", group="g1"),
    a_row("owners", "O2", name="湖畔书屋有限公司", group="g1"),
)


# -- judging -------------------------------------------------------------------------------------------------


def settings_of(**overrides: str) -> Settings:
    """Settings of a worker with its store in memory; names of settings with two underscores for the dot."""
    usual = {"kafka.bootstrap": "nowhere:9092", "topics.partitions": "1", "engine.store": "memory"}
    usual["kafka.client_id"] = "tester"
    given = {name.replace("__", "."): value for name, value in overrides.items()}
    return config.read(None, KEYS, usual | given).settings


SETTINGS = settings_of()
PREPARED = prepare(SETTINGS)


def a_judging(rows: Iterable[Event] = REGISTRIES, prepared: Judging = PREPARED) -> Judging:
    """What is judged with, and these rows in its registries from the beginning."""
    parameters = prepared.parameters
    registry = Registry(window=parameters.window, pending_grace=parameters.pending_grace)
    offsets: Counter[str] = Counter()
    for row in rows:
        read: Any = Reader(row.kind, recipient_form="number")(row.key, row.value, row.timestamp, Counter())
        assert not isinstance(read, Rejected), read
        if isinstance(read, Deletion):
            registry.put(row.kind, read.id, offsets[row.kind], row.timestamp, None)
        else:
            registry.put(row.kind, read.id, offsets[row.kind], arrival(row.timestamp, read.recorded_at), read)
        offsets[row.kind] += 1
    return msgspec.structs.replace(prepared, registry=registry, registry_positions=dict(offsets))


JUDGING = a_judging()


# -- what came out -------------------------------------------------------------------------------------------


def flags_of(messages: Iterable[Message | Rec]) -> list[FlagEvent]:
    """The flag events among messages, in order."""
    return [read_flag(message.value) for message in messages if message.topic.endswith("flags")]  # type: ignore[arg-type]


def standing_of(events: Iterable[FlagEvent]) -> list[FlagEvent]:
    """The flags that stand after these events."""
    last = {event.flag_id: event for event in events}
    return [event for event in last.values() if event.status == "raised"]


def net(events: Iterable[FlagEvent], *, places: bool = True) -> dict[str, Any]:
    """What stands after these events, less what tells of the way there (or, on demand, where the send lies)."""
    left_out = {"revision", "epoch", "because", "judged_at", "version"} | (set() if places else {"source"})
    return {
        event.flag_id: {name: value for name, value in msgspec.to_builtins(event).items() if name not in left_out}
        for event in standing_of(events)
    }


def rules_of(events: Iterable[FlagEvent]) -> dict[str, set[str]]:
    """The rules whose flags stand, by send, by the first two characters of their ids."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in standing_of(events):
        found[event.send.id].add(event.rule[:2])
    return dict(found)


def quarantine_of(messages: Iterable[Message | Rec]) -> dict[str, str]:
    """The reasons why records were refused, by topic/partition/offset."""
    return {
        (message.key or b"").decode(): read_quarantine(message.value or b"").reason
        for message in messages
        if message.topic.endswith("quarantine")
    }


def optouts_of(messages: Iterable[Message | Rec]) -> list[OptoutEvent]:
    """The opt-outs among messages, in order."""
    return [read_optout(message.value) for message in messages if message.topic.endswith("optouts")]  # type: ignore[arg-type]


def tallied(ranges: Iterable[ledger.Range]) -> dict[str, int]:
    """The flags by rule that the tallies of these ranges add up to, corrections included; no zeros."""
    sums: Counter[str] = Counter()
    for tally in (tally for each in ranges for tally in each.tallies):
        sums.update(tally.flags)
        for name, count in tally.corrections.items():
            sums[name[:-1]] += count if name[-1] == "+" else -count
    return {rule: count for rule, count in sums.items() if count}


# -- a partition by hand -------------------------------------------------------------------------------------


class Desk:
    """A partition that is read, judged and committed by hand; `messages` and `ledger` are what came out."""

    def __init__(self, judging: Judging = JUDGING, store: Store | None = None) -> None:
        """Take over a partition of which nothing is known."""
        self.judging = judging
        self.partition = Partition(0, store or MemoryStore())
        self.partition.epoch = self.partition.position.standing.epoch = 1
        self.topics: dict[str, list[Any]] = {kind: [] for kind in ORDER}
        self.messages: list[Message] = []
        self.ledger: list[ledger.Range] = []
        self._read: dict[str, int] = dict.fromkeys(ORDER, 0)

    def write(self, *events: Event) -> Desk:
        """Write records to the ends of their topics."""
        for kind, timestamp, key, value in events:
            self.topics[kind].append(Rec(kind, 0, len(self.topics[kind]), timestamp, key, value))
        return self

    def work(self) -> Outcome:
        """Judge all that was written and not yet read, in one batch."""
        fetched = {kind: records[self._read[kind] :] for kind, records in self.topics.items()}
        following = {kind: len(self.topics[kind]) for kind, records in fetched.items() if records}
        self._read |= following
        outcome = self.commit(self.process(fetched, following))
        missing = self.partition.missing
        if missing:
            parts = [self.topics["sends"][offset] for offset in sorted(set().union(*missing.values()))]
            self.commit(assemble(self.partition, self.judging, parts, NOW))
        return outcome

    def process(self, fetched: Mapping[str, Sequence[Any]], following: Mapping[str, int]) -> Outcome:
        """What follows from these records; nothing is applied."""
        return process(self.partition, self.judging, fetched, following, NOW, 0)

    def commit(self, outcome: Outcome) -> Outcome:
        """Acknowledge, append and apply."""
        self.messages += outcome.messages
        if not outcome.empty:
            written = ledger.decode.decode(ledger.encode(outcome.record))
            assert isinstance(written, ledger.Range)
            self.ledger.append(written)
        self.partition.apply(outcome, len(self.ledger))
        return outcome

    def fork(self) -> Desk:
        """Another desk that goes on from what this one has in its store and its topics."""
        store = MemoryStore()
        store.write(dict(self.partition.store.scan(b"")))
        other = Desk(self.judging, store)
        other.topics = {kind: list(records) for kind, records in self.topics.items()}
        other.messages, other.ledger, other._read = list(self.messages), list(self.ledger), dict(self._read)
        return other

    @property
    def flags(self) -> list[FlagEvent]:
        """Every flag event so far."""
        return flags_of(self.messages)

    @property
    def rules(self) -> dict[str, set[str]]:
        """See `rules_of`."""
        return rules_of(self.flags)

    def books(self) -> dict[str, Books]:
        """The books by topic, checked: no gap, and every offset once."""
        claim = ledger.Claim(1, "tester", NOW, self.judging.version)
        _, spans, gaps, void = ledger.audit([claim, *self.ledger])
        assert not gaps, gaps
        assert not void
        return {kind: span.books for kind, span in spans.items()}


def judged(*batches: Iterable[Event], judging: Judging = JUDGING) -> Desk:
    """A desk that has worked on these batches, one after another."""
    desk = Desk(judging)
    for batch in batches:
        desk.write(*batch).work()
    return desk


# -- Kafka in memory -----------------------------------------------------------------------------------------


class CrashError(Exception):
    """The worker dies here."""


class Fault(NamedTuple):
    """At the write of this number (from 1) `error` is raised, after the record was written or instead of it."""

    at: int
    error: Exception
    written: bool


class Cluster:
    """Topics in memory, one partition each unless more are written to; None is an offset without a record.

    `whims`: as from real servers, not every fetch then brings something of every topic, nor all that there is.
    """

    def __init__(self, settings: Settings = SETTINGS, registries: Iterable[Event] = REGISTRIES) -> None:
        """Begin with these registries."""
        self.settings = settings
        self.names = {kind: settings.topics.name(kind) for kind in ALL_KINDS}
        self.logs: dict[TopicPartition, list[Rec | None]] = defaultdict(list)
        self.first: dict[TopicPartition, int] = defaultdict(int)
        self.disks: dict[int, Store] = {}
        self.faults: list[Fault] = []
        self.outages: list[Exception] = []
        self.whims: Random | None = None
        self.writes = 0
        self.produce(*registries)

    def produce(self, *events: Event, partition: int = 0) -> None:
        """Write input records, as their producers do."""
        for kind, timestamp, key, value in events:
            self.append(TopicPartition(self.names[kind], partition), timestamp, key, value)

    def append(
        self, place: TopicPartition, timestamp: int, key: bytes | None, value: bytes | None, headers: Any = ()
    ) -> int:
        """Write one record; returns its offset."""
        offset = self.end(place)
        self.logs[place].append(Rec(place.topic, place.partition, offset, timestamp, key, value, tuple(headers)))
        return offset

    def leave_holes(self, kind: str, count: int, partition: int = 0) -> None:
        """Offsets without a record at the end of a topic, as transaction markers leave them."""
        self.logs[TopicPartition(self.names[kind], partition)] += [None] * count

    def expire(self, kind: str, upto: int | None = None, partition: int = 0) -> None:
        """Delete records below an offset, as retention does; all of them if none is told."""
        place = TopicPartition(self.names[kind], partition)
        upto = self.end(place) if upto is None else upto
        self.first[place] = upto
        self.logs[place][:upto] = [None] * upto

    def end(self, place: TopicPartition) -> int:
        """The next offset that will be written."""
        return len(self.logs[place])

    def records(self, kind: str, partition: int = 0) -> list[Rec]:
        """What a topic holds."""
        return [record for record in self.logs[TopicPartition(self.names[kind], partition)] if record is not None]

    def entries(self) -> list[ledger.Record]:
        """The ledger of partition 0."""
        return [ledger.decode.decode(record.value or b"") for record in self.records("ledger")]

    def ranges(self) -> list[ledger.Range]:
        """The valid ranges of the ledger of partition 0."""
        standing = ledger.Standing()
        return [each for each in self.entries() if standing.accept(each) and isinstance(each, ledger.Range)]

    def flags(self) -> list[FlagEvent]:
        """Every flag event so far."""
        return flags_of(self.records("flags"))

    def books(self) -> dict[str, Books]:
        """The books by topic, checked: no gap, and every offset once."""
        _, spans, gaps, _ = ledger.audit(self.entries())
        assert not gaps, gaps
        for kind, span in spans.items():
            assert span.first == 0, (kind, span)
        return {kind: span.books for kind, span in spans.items()}

    async def worker(self, *, disk: dict[int, Store] | None = None, assigned: Sequence[int] = (0,)) -> Worker:
        """A worker that has been assigned partitions; `disk`: its stores by partition, by default those of `disks`.

        Stores are in memory and outlive the worker.
        """
        judging = msgspec.structs.replace(
            PREPARED, registry=Registry(window=PREPARED.parameters.window), registry_positions={}
        )
        following, consumer = Consumer(self), Consumer(self)
        registries = Registries(following, judging, self.names)
        await registries.start()
        worker = Worker(
            self.settings,
            judging,
            consumer,
            Outlet(self),  # type: ignore[arg-type]
            LogReader(Consumer(self)),
            registries,
            METRICS,
            clock=lambda: NOW / 1000,
        )
        consumer.on_idle = worker.stop
        stores = self.disks if disk is None else disk
        worker._open_store = lambda number: stores.setdefault(number, MemoryStore())
        await assign(worker, *assigned)
        return worker

    def written(self) -> Fault | None:
        """Count a write; what is to go wrong with it."""
        self.writes += 1
        return next((fault for fault in self.faults if fault.at == self.writes), None)


METRICS = _metrics(SETTINGS, PREPARED)


async def assign(worker: Worker, *numbers: int) -> None:
    """Have the group assign these partitions to a worker, and no others."""
    consumer = worker._consumer
    await worker.on_partitions_revoked(consumer.assignment())
    kinds = ("sends", *FACTS, "flags")
    consumer.assign([worker.place(kind, number) for kind in kinds for number in numbers])
    await worker.on_partitions_assigned(consumer.assignment())


async def settle(worker: Worker) -> Worker:
    """Let a worker work until nothing more comes of it."""
    worker.patience.stopping.clear()
    while not worker._registries.caught_up:
        await worker._registries.follow(0)
    await worker._registries.follow(0)
    async with asyncio.timeout(10):
        await worker.run()
    return worker


class Consumer:
    """As much of `AIOKafkaConsumer` as the worker uses."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.on_idle: Callable[[], None] = lambda: None
        self._idle = 0

    def assign(self, places: Iterable[TopicPartition]) -> None:
        self.positions = dict.fromkeys(places, 0)
        self.paused = set()

    def unsubscribe(self) -> None:
        self.positions = {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.positions)

    def seek(self, place: TopicPartition, offset: int) -> None:
        assert place in self.positions
        self.positions[place] = offset

    async def seek_to_beginning(self, *places: TopicPartition) -> None:
        for place in places:
            self.positions[place] = self.cluster.first[place]

    def pause(self, *places: TopicPartition) -> None:
        self.paused |= set(places)

    def resume(self, *places: TopicPartition) -> None:
        self.paused -= set(places)

    async def position(self, place: TopicPartition) -> int:
        return self.positions[place]

    def highwater(self, place: TopicPartition) -> int:
        return self.cluster.end(place)

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        if self.cluster.outages:
            raise self.cluster.outages.pop(0)
        return {place: self.cluster.first[place] for place in places}

    async def end_offsets(self, places: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {place: self.cluster.end(place) for place in places}

    async def getmany(
        self, *places: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Rec]]:
        await asyncio.sleep(0)
        fetched, whims = {}, self.cluster.whims
        ready = [place for place in places or sorted(self.positions) if self._has_more(place)]
        if whims is not None:
            ready = whims.sample(ready, whims.randint(1, len(ready))) if ready else []
            max_records = whims.choice([1, 2, max_records])
        for place in ready:
            if records := self._take(place, max_records):
                fetched[place] = records
        self._idle = 0 if fetched else self._idle + 1
        if self._idle > 3:  # a round may come of the one before
            self.on_idle()
        return fetched

    def _has_more(self, place: TopicPartition) -> bool:
        return place not in self.paused and self.positions[place] < self.cluster.end(place)

    def _take(self, place: TopicPartition, most: int | None) -> list[Rec]:
        start = max(self.positions[place], self.cluster.first[place])
        log = self.cluster.logs[place]
        records: list[Rec] = []
        while start < len(log) and len(records) < (most or len(log)):
            record = log[start]
            start += 1
            if record is not None:
                records.append(record)
        self.positions[place] = start
        return records


class Outlet:
    """The publisher's part: writes to the cluster, and fails where it is told to."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def publish(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._write(message.topic, message.partition, message.key, message.value, message.headers)

    async def append(self, kind: str, partition: int, key: bytes | None, value: bytes) -> int:
        return self._write(kind, partition, key, value, ())

    def _write(self, kind: str, partition: int, key: bytes | None, value: bytes, headers: Any) -> int:
        cluster = self._cluster
        fault = cluster.written()
        if fault is not None and not fault.written:
            raise fault.error
        offset = cluster.append(TopicPartition(cluster.names[kind], partition), NOW, key, value, headers)
        if fault is not None:
            raise fault.error
        return offset
