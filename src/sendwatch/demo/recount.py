"""Counting anew what the aggregator has added up: from the topics, record by record, without the ledger.

Belongs here: what each send, flag, complaint and report adds to which sum. Not here: what the aggregator keeps
(`windows/`), where its sums lie (`month.py`).

    sends, complaints, reports   from the topics that go in; type, owner and signature as an audit finds them when
                                 everything is known, and of which sends some rule cannot say
    flags, refusals              from the topics that come out: the last record of a key is what holds; a flag counts
                                 where its send does, whatever was known of that when the flag was published

A sum is named by the table and subject that the aggregator counts it under, what is counted, and the clock hour.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sendwatch import readout, text
from sendwatch.audit.compute import Span, read_registries, tables_of
from sendwatch.audit.logs import read_log
from sendwatch.audit.messages import Submitted, put_together, without_repeats
from sendwatch.audit.recipients import Neighbours, acts_of, appraise, hear, keeping_of, lowest, verdict_on
from sendwatch.audit.terms import terms_of
from sendwatch.audit.topics import connected
from sendwatch.days import DAY, HOUR
from sendwatch.outgoing import read_flag, read_optout
from sendwatch.text import fold_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from aiokafka import ConsumerRecord

    from sendwatch.audit.logs import Entry, Log
    from sendwatch.audit.recipients import Known
    from sendwatch.audit.tables import Tables
    from sendwatch.audit.terms import Terms
    from sendwatch.events import Complaint, Report
    from sendwatch.settings import Settings
    from sendwatch.windows.board import Board

Sum = tuple[str, tuple[str | None, ...], str, int]
FAMILIES = ("owner", "port", "sp", "carrier", "province", "type")
TABLES = (*(f"h.{family}" for family in ("all", "signature", *FAMILIES)), "pairs", "lanes", "rules", "harvest")
COUNTED = ("sends", "undecided", "flagged", "complaints", "refusals", "flags", "delivered", "undelivered", "honeypots")


class Way(Struct, frozen=True):
    """A send as far as it is counted. `kept`: whether what comes back about it can be joined to it."""

    id: str
    at: int
    sp: str | None
    port: str
    owner: str | None
    signature: str | None
    carrier: str | None
    province: str | None
    type: str | None
    kept: bool = True
    undecided: bool = False


def sums_of(board: Board) -> Counter[Sum]:
    """What a board has counted."""
    found: Counter[Sum] = Counter()
    tables = board.tables()
    for name in TABLES:
        for subject, row in tables[name].rows.items():
            for count, line in row.items():
                if count in COUNTED:
                    found.update({(name, subject, count, bucket): n for bucket, n in line.within(0, 1 << 40) if n})
    return found


async def recount(settings: Settings, honeypots: Iterable[str]) -> Counter[Sum]:
    """What a board should have counted of everything in the topics."""
    terms, counting = terms_of(settings), Recount(frozenset(honeypots))
    async with connected(settings, Span()) as topics:
        tables = tables_of(read_registries(await topics.registries(), terms), terms)
        async for taken in topics.partitions():
            logs = {kind: read_log(kind, taken.number, some, terms) for kind, some in taken.records.items()}
            counting.count_partition(taken.number, logs, tables, terms)
    flags = await last_by_key(settings, "flags", lambda record: record.key)
    counting.count_flags(read_flag(record.value) for record in flags)
    optouts = await last_by_key(settings, "optouts", lambda record: msgspec.json.decode(record.value)["reply"])
    counting.count_refusals(read_optout(record.value) for record in optouts)
    return counting.sums


class Recount:
    """Sums, and everything that is added to them one by one."""

    def __init__(self, honeypots: frozenset[str]) -> None:
        """Nothing yet."""
        self.sums: Counter[Sum] = Counter()
        self._honeypots = honeypots
        self._counted: dict[tuple[int, int], Way] = {}

    def count_partition(self, number: int, logs: Mapping[str, Log], tables: Tables, terms: Terms) -> None:
        """Every send of a partition, and what came back about it."""
        ways: dict[str, list[Way]] = {}
        consents, replies = _entries_of(logs["consents"]), _entries_of(logs["replies"])
        event_time = max((entry.record.sent_at for entry in logs["sends"].entries), default=0)
        for recipient, submitted in _by_recipient(logs["sends"]).items():
            own = without_repeats(
                submitted,
                terms.parameters.window,
                lambda message: keeping_of(appraise(message, tables, terms), terms),
                logs["sends"],
            )
            known = [appraise(each, tables, terms) for each in put_together(own, event_time, logs["sends"])]
            undecided = _undecided(known, consents.get(recipient, ()), replies.get(recipient, ()), logs, tables, terms)
            ways[recipient] = [_way(each, terms, undecided=each.message.offset in undecided) for each in known]
            for each, way in zip(known, ways[recipient], strict=True):
                self._counted[number, each.message.offset] = way
                self._count_send(way, recipient)
        complained = self._count_complaints(logs["complaints"].entries, ways, tables)
        self._count_reports(logs["reports"].entries, ways, complained)

    def count_flags(self, flags: Iterable[Any]) -> None:
        """The flags that stand, each with its send as that was counted."""
        for flag in flags:
            if flag.status == "raised":
                send = self._counted.get((flag.source.partition, flag.source.offset)) or flag.send
                hour = send.at // HOUR
                self._add_families(send, "flagged", hour)
                self.sums["h.signature", (send.signature,), "flagged", hour] += 1
                self.sums["rules", (flag.rule, send.owner), "flags", hour] += 1

    def count_refusals(self, optouts: Iterable[Any]) -> None:
        """Refusals by reply, toward each owner that they withdraw from."""
        for optout in optouts:
            for owner in optout.owners:
                self.sums["h.owner", (owner,), "refusals", optout.received_at // HOUR] += 1
                self.sums["h.all", (), "refusals", optout.received_at // HOUR] += 1

    def _count_send(self, way: Way, recipient: str) -> None:
        hour = way.at // HOUR
        self._add_families(way, "sends", hour)
        self.sums["h.signature", (way.signature,), "sends", hour] += 1
        self.sums["pairs", (way.owner, way.port), "sends", hour] += 1
        self.sums["lanes", (way.signature, way.port, way.sp, way.type, way.province), "sends", hour] += 1
        if way.undecided:
            self._add_families(way, "undecided", hour)
            self.sums["h.signature", (way.signature,), "undecided", hour] += 1
        if recipient in self._honeypots:
            self.sums["harvest", (way.sp, way.port), "honeypots", hour] += 1

    def _count_complaints(
        self, entries: Iterable[Entry], ways: Mapping[str, list[Way]], tables: Tables
    ) -> dict[str, int]:
        """Each message once. Returns when each complainant first complained."""
        told: set[tuple[str, str]] = set()
        first: dict[str, int] = {}
        for entry in entries:
            complaint: Complaint = entry.record
            first.setdefault(complaint.recipient, complaint.received_at)
            way = _about(complaint, ways.get(complaint.recipient, ())) or _nothing_known(complaint, tables)
            if (complaint.recipient, way.id) not in told:
                told.add((complaint.recipient, way.id))
                self._count_complaint(complaint, way)
        return first

    def _count_complaint(self, complaint: Complaint, way: Way) -> None:
        hour = complaint.received_at // HOUR
        self._add_families(way, "complaints", hour)
        klass = text.read(complaint.text).klass if complaint.text is not None else None
        if not (klass or way.type or "").startswith("otp"):
            self.sums["pairs", (way.owner, way.port), "complaints", hour] += 1

    def _count_reports(
        self, entries: Iterable[Entry], ways: Mapping[str, list[Way]], complained: Mapping[str, int]
    ) -> None:
        """The first report of each send that is kept: for itself, or since its recipient had complained."""
        reported: set[tuple[str, str]] = set()
        for entry in entries:
            report: Report = entry.record
            way = next((each for each in ways.get(report.recipient, ()) if each.id == report.send_id), None)
            if way is None or (report.recipient, way.id) in reported:
                continue
            if way.kept or complained.get(report.recipient, way.at) < way.at:
                reported.add((report.recipient, way.id))
                what = "delivered" if report.stat == "DELIVRD" else "undelivered"
                self.sums["harvest", (way.sp, way.port), what, report.done_at // HOUR] += 1

    def _add_families(self, named: Any, what: str, hour: int) -> None:
        self.sums["h.all", (), what, hour] += 1
        for family in FAMILIES:
            self.sums[f"h.{family}", (getattr(named, family),), what, hour] += 1


def _by_recipient(log: Log) -> dict[str, list[Submitted]]:
    theirs: dict[str, list[Submitted]] = defaultdict(list)
    event_time = 0
    for entry in log.entries:
        event_time = max(event_time, entry.record.sent_at)
        theirs[entry.record.recipient].append(Submitted(entry.offset, entry.arrived, event_time, entry.record))
    return theirs


def _entries_of(log: Log) -> dict[str, list[Entry]]:
    theirs: dict[str, list[Entry]] = defaultdict(list)
    for entry in log.entries:
        theirs[entry.record.recipient].append(entry)
    return theirs


def _way(known: Known, terms: Terms, *, undecided: bool) -> Way:
    send, facts = known.message.send, known.facts
    return Way(
        send.id, facts.at, send.sp, send.port, facts.owner, facts.signature, send.carrier, send.province,
        facts.type, keeping_of(known, terms).now, undecided,
    )  # fmt: skip


def _undecided(
    messages: Sequence[Known],
    consents: Iterable[Entry],
    replies: Iterable[Entry],
    logs: Mapping[str, Log],
    tables: Tables,
    terms: Terms,
) -> set[int]:
    """The offsets of a recipient's messages of which some rule cannot say."""
    window = terms.parameters.window
    heard = [hear(entry, messages, tables, window) for entry in lowest(replies, logs["replies"])]
    acts = acts_of(lowest(consents, logs["consents"]), heard)
    by_id = {each.reply.id: each for each in heard}
    neighbours = Neighbours(messages, window, max(terms.parameters.ask_again_after, DAY))
    verdicts = ((each, verdict_on(each, acts, by_id, neighbours, tables, terms)) for each in messages)
    return {each.message.offset for each, verdict in verdicts if verdict.undecided}


def _about(complaint: Complaint, ways: Iterable[Way]) -> Way | None:
    """The send that it names, or the latest before it under the signature that it names."""
    if complaint.send_id is not None:
        return next((way for way in ways if way.id == complaint.send_id), None)
    before = [way for way in ways if way.port == complaint.port and way.at <= complaint.received_at and way.kept]
    named = [way for way in before if complaint.signature in (None, way.signature)]
    return max(named, key=lambda way: (way.at, way.id), default=None)


def _nothing_known(complaint: Complaint, tables: Tables) -> Way:
    """Of a complaint about no known send: the owner that its signature is filed for on that port."""
    named = fold_name(complaint.signature or "")
    filed = tables.under("signatures", ("name", named), complaint.received_at)
    owners = {row.owner for row in filed if any(complaint.port.startswith(prefix) for prefix in row.ports)}
    owner = owners.pop() if len(owners) == 1 else None
    return Way(complaint.id, 0, None, complaint.port, owner, None, None, None, None)


async def last_by_key(settings: Settings, kind: str, key: Callable[[ConsumerRecord], Any]) -> list[ConsumerRecord]:
    """The last record of each key of a topic, in the order in which the keys came first."""
    return list({(record.partition, key(record)): record for record in await everything(settings, kind)}.values())


async def everything(settings: Settings, kind: str) -> list[ConsumerRecord]:
    """Every record of a topic, to its end as it is now."""
    async with readout.reading(settings, f"counting {kind} anew") as topics:
        return [
            record
            for number in range(topics.partitions(kind))
            async for records in topics.read(kind, number)
            for record in records
        ]
