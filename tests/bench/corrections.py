"""`make bench ARGS='--corrections'`: what it costs on the hot path that late facts can correct what was said.

Belongs here: the runs that are compared, and the facts that come late. Not here: a worker that keeps nothing
(`forgetful.py`).

    plain       the benchmark's traffic as it is; no fact is late
    forgetful   the same, and nothing is kept of any send
    late        for 2 % of the sends, a withdrawal that was effective before comes after they have been judged: each
                raises C5 on what it bears on
    early       the same facts, all there before: whatever differs from `late` is the price of the order

All but the cold start counts, as in the ordinary run: sends per CPU-second in the steady stretch. The runs take turns;
medians are shown. The flags of `plain` and `forgetful` must be those planted, those of `late` must be those of `early`,
and late facts must have raised some; else all is void.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import Struct

from bench.forgetful import NEIGHBOURS
from bench.loading import BATCH_BYTES
from bench.loading import _pour as pour
from bench.outcome import _raised, faults, progress, read_mark, read_topic
from bench.report import steady_from
from bench.town import COMMERCIAL_SHARE
from bench.traffic import Record
from sendwatch.kafka import connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from bench.site import Site, StandingWorker
    from sendwatch.demo.stage import Stage
    from sendwatch.settings import Settings

SHARE = 0.02  # late facts, of all sends
TURNS = 3
COMMERCIAL = b'"category":"marketing'
BEFORE = 10 * 60_000
RUNS = ("plain", "forgetful", "late", "early")
WITHIN = 900.0


class Late(Struct):
    """A fact that is written when the send at `offset` of its partition has been judged."""

    offset: int
    record: Record


class Send(Struct):
    """What of a send a withdrawal needs."""

    recipient: str
    sent_at: int


class Course(Struct):
    """One run: sends per CPU-second in the steady stretch, the ledger's bytes for each send, what makes it void."""

    rate: float
    ledger_bytes: float
    void: list[str]


class Standing:
    """How far the ledger of a run is, by topic and partition."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """Bind a consumer that stands at its beginning."""
        self._consumer = consumer
        self.next: dict[tuple[str, int], int] = {}

    async def look(self) -> None:
        """Read on."""
        for place, records in (await self._consumer.getmany(timeout_ms=20, max_records=2000)).items():
            for record in records:
                for kind, span in read_mark(record.value).spans.items():
                    self.next[kind, place.partition] = span.next

    def of(self, kind: str) -> int:
        """How many records of a topic are accounted for."""
        return sum(following for (each, _), following in self.next.items() if each == kind)


async def measure(site: Site) -> dict[str, Any]:
    """All runs, in turn."""
    late = await late_facts(site.stage(1).settings)
    given = sum(map(len, late.values()))
    found: dict[str, list[Course]] = {name: [] for name in RUNS}
    raised = 0
    for turn in range(TURNS):
        stages = {name: site.stage(1 + turn * len(RUNS) + number) for number, name in enumerate(RUNS)}
        consents = stages["late"].settings.topics.names.ledger.removesuffix("ledger") + "consents"
        for name in ("late", "early"):  # one topic: what comes late to the first is there before the second
            stages[name].overrides["topics.names.consents"] = consents
            stages[name].settings = stages[name].settings_of({})
        for name, stage in stages.items():
            await stage.make_topics()
            if name == "late":
                await copy_consents(site.stage(1).settings, stage.settings)
            found[name].append(await one(site, stage, name, late if name == "late" else {}))
            site.tell(f"{name}: {found[name][-1].rate:,.0f} sends per CPU-second")
        found["late"][-1].void += await gate_of_late(site, stages)
        raised = len(await _raised(stages["late"].settings)) - len(await _raised(stages["plain"].settings))
        found["late"][-1].void += [] if raised > 0 else ["no late fact changed anything"]
    rate = {name: median(each.rate for each in some) for name, some in found.items()}
    return {
        "turns": TURNS,
        "late_facts": given,
        "raised_by_them": raised,
        "per_cpu_second": {name: round(each) for name, each in rate.items()},
        "apart": {name: round(apart([each.rate for each in some]), 3) for name, some in found.items()},
        "ledger_bytes": {name: round(median(each.ledger_bytes for each in some)) for name, some in found.items()},
        "keeping_costs": round(1 - rate["plain"] / rate["forgetful"], 3),
        "late_facts_cost": round(1 - rate["late"] / rate["plain"], 3),
        "being_late_costs": round(1 - rate["late"] / rate["early"], 3),
        "void": [f"{name}: {fault}" for name, some in found.items() for each in some for fault in each.void],
    }


def apart(rates: list[float]) -> float:
    """How far the best and the worst of some runs alike lie apart: what noise there was."""
    return max(rates) / min(rates) - 1


async def one(site: Site, stage: Stage, name: str, late: Mapping[int, Sequence[Late]]) -> Course:
    """One run: a cold start, and on until everything is judged and every late fact accounted for."""
    worker = site.worker(stage, f"run-{stage.settings.kafka.group}")
    worker.module = "bench.forgetful" if name == "forgetful" else "sendwatch"
    before = await length(stage.settings, "consents")
    async with worker, standing(stage.settings) as ledger, asyncio.timeout(WITHIN):
        await write_late(stage.settings, late, ledger, worker)
        wanted = before + sum(map(len, late.values()))
        while ledger.of("sends") < site.wish.sends or ledger.of("consents") < wanted:
            worker.check()
            await ledger.look()
    worker.check_end()
    shutil.rmtree(worker.folder / "state")
    sends = await progress(stage.settings, "sends")
    begins_at, ends_at = steady_from(sends), sends.last_at
    cpu = worker.course.cpu_at(ends_at) - worker.course.cpu_at(begins_at)
    on = site.on - NEIGHBOURS if name == "forgetful" else site.on
    void = (
        await faults(stage.settings, site.truth.flags, on, site.truth.counts) if name in ("plain", "forgetful") else []
    )
    stored = site.stored(stage.settings.topics.name("ledger")) / site.wish.sends
    return Course(sends.after(begins_at) / max(cpu, 0.001), stored, void)


async def gate_of_late(site: Site, stages: Mapping[str, Stage]) -> list[str]:
    """What differs between the flags of facts that came late and those of the same facts in time."""
    early: dict[str, list[str]] = {}
    for send, rule in await _raised(stages["early"].settings):
        early.setdefault(send, []).append(rule)
    return await faults(stages["late"].settings, early, site.on, site.truth.counts)


async def late_facts(settings: Settings) -> dict[int, list[Late]]:
    """A withdrawal for every so-manieth commercial send, by partition, in the order of their sends."""
    every, seen = round(COMMERCIAL_SHARE / SHARE), 0
    found: dict[int, list[Late]] = {}
    decode = msgspec.json.Decoder(Send).decode
    async for number, records in read_topic(settings, "sends"):
        for record in records:
            if COMMERCIAL not in record.value:
                continue
            seen += 1
            if seen % every:
                continue
            send = decode(record.value)
            withdrawal = {
                "id": f"late{number}-{record.offset}", "recipient": send.recipient, "owner": "*", "action": "withdraw",
                "effective_at": send.sent_at - BEFORE,
            }  # fmt: skip
            told = Record(number, record.timestamp, record.key, msgspec.json.encode(withdrawal))
            found.setdefault(number, []).append(Late(record.offset, told))
    return found


async def copy_consents(given: Settings, to: Settings) -> None:
    """Copy what recipients have agreed to into a topic of this run's own."""
    async with producing(given) as producer:
        async for number, records in read_topic(given, "consents"):
            copies = [Record(number, each.timestamp, each.key, each.value) for each in records]
            await pour(producer, to.topics.name("consents"), copies)


async def write_late(
    settings: Settings, late: Mapping[int, Sequence[Late]], ledger: Standing, worker: StandingWorker
) -> None:
    """Write each fact soon after its send has been judged."""
    written = dict.fromkeys(late, 0)
    async with producing(settings) as producer:
        while any(written[number] < len(some) for number, some in late.items()):
            worker.check()
            await ledger.look()
            due: list[Record] = []
            for number, some in late.items():
                judged, start = ledger.next.get(("sends", number), 0), written[number]
                while written[number] < len(some) and some[written[number]].offset < judged:
                    written[number] += 1
                due += [each.record for each in some[start : written[number]]]
            await pour(producer, settings.topics.name("consents"), due)


async def length(settings: Settings, kind: str) -> int:
    """How many records a topic holds."""
    options, name = connection.client_options(settings.kafka), settings.topics.name(kind)
    async with AIOKafkaConsumer(**options, group_id=None) as consumer:
        places = [TopicPartition(name, each) for each in range(settings.topics.partitions)]
        return sum((await consumer.end_offsets(places)).values())


@asynccontextmanager
async def producing(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """A producer as that which fills the topics."""
    options = connection.client_options(settings.kafka)
    async with AIOKafkaProducer(**options, compression_type="lz4", acks="all", max_batch_size=BATCH_BYTES) as producer:
        yield producer


@asynccontextmanager
async def standing(settings: Settings) -> AsyncIterator[Standing]:
    """The ledger of a run, from its beginning."""
    options = connection.client_options(settings.kafka)
    async with AIOKafkaConsumer(**options, group_id=None, enable_auto_commit=False) as consumer:
        places = [TopicPartition(settings.topics.name("ledger"), each) for each in range(settings.topics.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        yield Standing(consumer)


def as_lines(found: dict[str, Any]) -> list[str]:
    """A table, one column a run."""
    lines = [f"{'':<32}" + "".join(f"{name:>12}" for name in RUNS)]
    for title, name, form in (
        ("sends per CPU-second", "per_cpu_second", "{:,.0f}"),
        ("  runs alike lie apart by", "apart", "{:.1%}"),
        ("bytes in the ledger per send", "ledger_bytes", "{:,.0f}"),
    ):
        lines.append(f"{title:<32}" + "".join(f"{form.format(found[name][each]):>12}" for each in RUNS))
    return [
        *lines,
        "",
        f"{found['late_facts']:,} late facts, which raised {found['raised_by_them']:,} flags",
        f"keeping rows, so that facts can correct: {found['keeping_costs']:.1%} of the rate (plain to forgetful)",
        f"late facts: {found['late_facts_cost']:.1%} (late to plain)",
        f"that they were late: {found['being_late_costs']:.1%} (late to early)",
    ]
