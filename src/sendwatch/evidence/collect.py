"""What a pack is made of, read from the topics, read-only: flags, their sends and facts, the books.

Belongs here: which stretches of which topics are read for what was asked. Not here: what is a fact (`facts.py`), the
shape of a pack (`pack.py`).

The whole flags topic is read, since its roots are of all of it; of the inputs, the partitions that hold a flag that is
asked for: consents and replies from their beginning, sends from a few days before the flag's on.
"""

from __future__ import annotations

import time
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from sendwatch import __version__, law
from sendwatch.audit.books import Pages, decode
from sendwatch.days import DAY, HOUR
from sendwatch.evidence.chain import Chained, disclosed
from sendwatch.evidence.facts import OF_RECIPIENT, OF_REGISTRIES, Case, facts_of
from sendwatch.evidence.pack import Asked, Contents, Entry, Facts, FlagRecord, LawLine, Run, runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from sendwatch.evidence.chain import Root
    from sendwatch.evidence.seal import Marks
    from sendwatch.readout import Readout
    from sendwatch.settings import Settings

SENDS_BEFORE = 8 * DAY
Read = dict[str, tuple[int, int]]


class NoSuchFlagError(Exception):
    """A flag that was asked for is not on the topic; the message names it."""


async def collect(topics: Readout, settings: Settings, asked: Asked, marks: Marks) -> Contents:
    """Everything that a pack holds. Raises NoSuchFlagError."""
    chained, histories = await flags(topics, asked)
    known = {flag_id for of_partition in histories.values() for flag_id in of_partition}
    if missing := [flag_id for flag_id in asked.flags if flag_id not in known]:
        raise NoSuchFlagError(f"{settings.topics.name('flags')} has no flag {', '.join(missing)}")
    contents = Contents(
        made_at=int(time.time() * 1000),
        sendwatch=__version__,
        asked=asked,
        topic=settings.topics.name("flags"),
        roots=[each.root() for each in chained],
        lines=list[FlagRecord | Facts | LawLine | Run](runs(chained, asked)),
    )
    registries = {kind: await _all(topics, kind, 0) for kind in OF_REGISTRIES} if known else {}
    packs: set[str] = set()
    for number, of_partition in histories.items():
        cases, read = await _cases(topics, settings, number, of_partition, registries)
        entries = await _entries(topics, settings, number, {case.send.offset for case in cases.values() if case.send})
        for flag_id, records in of_partition.items():
            contents.lines += [_line(record) for record in records]
            case = cases[flag_id]
            entry = entries.get(case.send.offset) if case.send is not None else None
            contents.lines.append(Facts(flag_id=flag_id, read=read, facts=facts_of(case, marks), entry=entry))
            packs |= {str(each["law"]["pack"]) for each in case.revisions}
    contents.lines += [_law(pack) for pack in law.load() if pack.id in packs]
    return contents


async def flags(topics: Readout, asked: Asked) -> tuple[list[Chained], dict[int, dict[str, list[ConsumerRecord]]]]:
    """Every partition of the flags, and by partition and flag the records of those that are asked for."""
    chained, histories = [], {}
    for number in range(topics.partitions("flags")):
        one = Chained(number)
        by_rule: dict[str, list[ConsumerRecord]] = defaultdict(list)
        async for records in topics.read("flags", number):
            for record in records:
                one.take(record.offset, record.timestamp, record.key or b"", record.value)
                if (record.key or b"").decode() in asked.flags or _may_be(record, asked):
                    by_rule[(record.key or b"").decode()].append(record)
        chained.append(one)
        wanted = [leaf.flag_id for leaf in one.leaves if asked.takes(leaf)]
        if wanted:
            histories[number] = {flag_id: by_rule[flag_id] for flag_id in wanted}
    return chained, histories


async def differing(topics: Readout, roots: Sequence[Root]) -> list[str]:
    """Which partitions are not, up to where they were signed, what they were then; a sentence each."""
    found = []
    for root in roots:
        one = Chained(root.partition)
        async for records in topics.read("flags", root.partition, 0, root.next):
            for record in records:
                one.take(record.offset, record.timestamp, record.key or b"", record.value)
        now = one.root()
        if now != root:
            found.append(
                f"partition {root.partition}: it was signed with {root.records} records at "
                f"[{root.first}, {root.next}), and has {now.records} there now"
                + ("" if now.records != root.records else ", which are others")
            )
    return found


def _may_be(record: ConsumerRecord, asked: Asked) -> bool:
    """Whether a record may be of a rule that is asked for; all records of one flag are of one rule."""
    if not asked.rules:
        return False
    return record.value is None or any(f'"{rule}"'.encode() in record.value for rule in asked.rules)


async def _all(topics: Readout, kind: str, number: int) -> list[ConsumerRecord]:
    return [record async for records in topics.read(kind, number) for record in records]


async def _cases(
    topics: Readout,
    settings: Settings,
    number: int,
    histories: Mapping[str, Sequence[ConsumerRecord]],
    registries: Mapping[str, Sequence[ConsumerRecord]],
) -> tuple[dict[str, Case], Read]:
    """The case of each flag of one partition, and the offsets that were looked through for them."""
    revisions = {
        flag_id: [msgspec.json.decode(record.value) for record in records if record.value is not None]
        for flag_id, records in histories.items()
    }
    places = {flag_id: int(told[-1]["source"]["offset"]) for flag_id, told in revisions.items()}
    begin = min(await _beginning(topics, settings, number, revisions.values()), *places.values())
    sends = {
        record.offset: record
        async for records in topics.read("sends", number, begin, max(places.values()) + 1)
        for record in records
        if record.offset in places.values()
    }
    keys = {record.key for record in sends.values()}
    by_key: dict[str, dict[bytes, list[ConsumerRecord]]] = {kind: defaultdict(list) for kind in OF_RECIPIENT}
    read: Read = {}
    for kind in OF_RECIPIENT:
        start = begin if kind == "sends" else 0
        first = end = max(start, await topics.first(kind, number)) if topics.partitions(kind) else 0
        async for records in topics.read(kind, number, start):
            for record in records:
                if record.key in keys:
                    by_key[kind][record.key].append(record)
            end = records[-1].offset + 1
        read[settings.topics.name(kind)] = (first, end)
    for kind, rows in registries.items():
        read[settings.topics.name(kind)] = (rows[0].offset, rows[-1].offset + 1) if rows else (0, 0)
    cases = {}
    for flag_id, place in places.items():
        send = sends.get(place)
        own = {kind: of_kind.get(send.key or b"", []) if send else [] for kind, of_kind in by_key.items()}
        cases[flag_id] = Case(revisions[flag_id], send, {**own, **registries}, settings.judging.window_hours * HOUR)
    return cases, read


async def _beginning(
    topics: Readout, settings: Settings, number: int, histories: Iterable[Sequence[dict[str, object]]]
) -> int:
    """The offset from which sends can matter to these flags."""
    times = [int(told[-1]["send"]["at"]) for told in histories]  # type: ignore[index]
    return await topics.at("sends", number, min(times) - SENDS_BEFORE - settings.judging.window_hours * HOUR)


async def _entries(topics: Readout, settings: Settings, number: int, offsets: set[int]) -> dict[int, Entry]:
    """The ledger record that accounts for each send, by the send's offset."""
    found: dict[int, Entry] = {}
    pages = Pages(whole=await topics.first("ledger", number) == 0)
    async for records in topics.read("ledger", number):
        for record in records:
            entry, void = decode(record.value), pages.void
            pages.turn(entry)
            span = entry.spans.get("sends")
            if entry.record != "range" or pages.void != void or span is None:
                continue
            for offset in offsets:
                if span.first <= offset < span.next:
                    found[offset] = Entry(
                        topic=settings.topics.name("ledger"),
                        partition=number,
                        offset=record.offset,
                        sha256=sha256(record.value).hexdigest(),
                        epoch=entry.epoch,
                        version=msgspec.to_builtins(entry.version),
                        first=span.first,
                        next=span.next,
                    )
    return found


def _line(record: ConsumerRecord) -> FlagRecord:
    return FlagRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp,
        key=(record.key or b"").decode(),
        value=msgspec.Raw(disclosed(record.value)),
    )


def _law(pack: law.Pack) -> LawLine:
    return LawLine(
        pack=pack.id,
        title={"en": pack.title_en, "zh": pack.title_zh},
        since=pack.since,
        until=pack.until,
        checked_by_person=pack.checked,
        clauses=dict(pack.clauses),
    )
