"""The work on one batch of one partition: records in, an outcome out. No Kafka, no clock, and nothing is applied.

Belongs here: the order in which a batch is folded, judged and corrected. Not here: every decision about a send
(`facts.py`, `judge.py`), what is published (`flagging.py`), long messages (`assembly.py`).

    facts        folded into the dossiers; below the ledger's position silently (their corrections are out already)
    sends        decoded, typed, asked the rules of the send; what is commercial or flagged is added to its dossier
    judging      when all of the batch is in the dossiers: replies are aimed, new sends judged, and kept ones again
                 that a fact or a neighbour of this batch can touch
    reviews      sends of the past, read again because a registry changed or a strange flag was seen
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sendwatch import dossier as dossiers
from sendwatch.dossier import Dossier, Kept, Published, is_commercial
from sendwatch.engine.assembly import Assembly
from sendwatch.engine.flagging import Flagging
from sendwatch.engine.memory import joined
from sendwatch.engine.partition import Outcome, changes_of
from sendwatch.events import Rejected, Send, arrival
from sendwatch.facts import Facts, add_recipient, facts_of, facts_of_send, kept_of
from sendwatch.judge import judge
from sendwatch.ledger import Books, LongRow, Range, Row, Span
from sendwatch.outgoing import Because, Place
from sendwatch.partitions import partitions_of
from sendwatch.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Partition, Record

FACTS = ("consents", "replies", "reports", "complaints")


class Appraised(Struct, gc=False):
    """A send with what its own rules said, waiting for its dossier.

    `offset` and `arrived` are its record's. `event_time`: the greatest `sent_at` of the partition up to it; what is
    kept is a matter of that alone, never of where a batch happens to end. `again`: it was counted before.
    """

    offset: int
    arrived: int
    event_time: int
    send: Send
    facts: Facts
    verdict: Verdict
    raw: bytes | None = None
    again: bool = False


class Batch:
    """One batch, while it is worked on."""

    def __init__(self, partition: Partition, judging: Judging, now: int) -> None:
        """Start with nothing; `now` is the wall clock in ms."""
        self.partition = partition
        self.judging = judging
        self.now = now
        self.flagging = Flagging(judging, partition.number, partition.epoch, now)
        self.assembly = Assembly(self)
        self.event_time = partition.position.standing.event_time
        self.dossiers: dict[bytes, Dossier] = {}
        self.changed: set[bytes] = set()
        self._parameters = judging.parameters
        self._since: dict[bytes, tuple[int, Because]] = {}
        self._fresh: dict[tuple[bytes, str], tuple[Kept, Appraised, Because | None]] = {}
        self._quiet: set[bytes] = set()
        self._held: dict[tuple[bytes, str], set[str]] = {}
        self._rows: dict[tuple[bytes, str], Kept] = {}
        self._spans: dict[str, Span] = {}
        self._facts: dict[str, int] = {}

    # -- facts --------------------------------------------------------------------------------------------------

    def fold(self, kind: str, records: Sequence[Record], next_offset: int) -> None:
        """Fold one topic's records into the dossiers of their recipients."""
        known = self.partition.position
        committed = known.standing.positions.get(kind, 0)
        first = max(known.facts.get(kind, 0), committed)
        books = Books()
        read = self._read_facts(kind, records, committed, books)
        self.open({recipient for _, _, recipient in read})
        for record, fact, recipient in read:
            silent = record.offset < committed
            changed = self._fold_one(kind, record, fact, recipient, silent=silent)
            if not silent:
                books.accepted += changed
                books.duplicates += not changed
        self._facts[kind] = next_offset
        self.flagging.counts.consumed[kind, ""] += len(records)
        self._close_span(kind, first, next_offset, books)

    def _read_facts(
        self, kind: str, records: Sequence[Record], committed: int, books: Books
    ) -> list[tuple[Record, msgspec.Struct, bytes]]:
        read: list[tuple[Record, msgspec.Struct, bytes]] = []
        ignored, silently = Counter[str](), Counter[str]()
        reader, internal = self.judging.readers[kind], self.judging.pseudonyms.internal
        misplaced = self._misplaced(records)
        for record in records:
            counted = record.offset >= committed
            fact = reader(record.key, record.value, record.timestamp, ignored if counted else silently)
            if not isinstance(fact, Rejected) and record.offset in misplaced:
                fact = misplaced[record.offset]
            if not isinstance(fact, Rejected):
                recipient = internal(fact.recipient)  # type: ignore[union-attr]
                self.flagging.recipients[recipient] = fact.recipient  # type: ignore[union-attr]
                read.append((record, fact, recipient))
            elif counted:
                books.quarantined += 1
                self.flagging.refuse(self.flagging.place(kind, record.offset), fact, record.value)
        self._count_ignored(kind, ignored, books)
        return read

    def _fold_one(self, kind: str, record: Record, fact: msgspec.Struct, recipient: bytes, *, silent: bool) -> bool:
        arrived = arrival(record.timestamp, getattr(fact, "recorded_at", None))
        dossier = self.dossiers[recipient]
        if kind == "consents":
            act = dossiers.act_of(fact, record.offset, arrived)  # type: ignore[arg-type]
            changed, since, fact_id = dossiers.fold_act(dossier, act), act.effective_at, act.id
        elif kind == "replies":
            answer = dossiers.answer_of(fact, record.offset, arrived)  # type: ignore[arg-type]
            if silent and record.offset in self.partition.resolved:
                answer.owners = answer.published = self.partition.resolved[record.offset]
                answer.restored = True
            changed, since, fact_id = dossiers.fold_answer(dossier, answer), answer.received_at, answer.id
        else:
            return True  # counted and kept in its topic; windows over them come with the aggregator
        if changed:
            self.changed.add(recipient)
            if silent:
                self._quiet.add(recipient)
            else:
                self._touch(recipient, since, Because(self.judging.topics[kind], fact_id))
        return changed

    # -- sends --------------------------------------------------------------------------------------------------

    def take_sends(self, records: Sequence[Record], next_offset: int) -> None:
        """Read the batch's sends, and add what is commercial or flagged to the dossiers."""
        first = self.partition.position.standing.positions.get("sends", 0)
        books = Books()
        whole: list[tuple[Record, int, Send]] = []
        parts: list[tuple[Record, int, Send]] = []
        for read in self._read_sends(records, books):
            part = read[2].part
            (whole if part is None or part.total == 1 else parts).append(read)
        self._add([self.appraise(r.offset, r.timestamp, t, send, r.value) for r, t, send in whole], books)
        if parts:
            self.assembly.take(parts, books)
        self._close_span("sends", first, next_offset, books)

    def add_whole(self, appraised: Sequence[Appraised]) -> None:
        """Add long messages that are judged now; their offsets stand in the books already."""
        self._add(appraised, Books())

    def _read_sends(self, records: Sequence[Record], books: Books) -> list[tuple[Record, int, Send]]:
        read: list[tuple[Record, int, Send]] = []
        ignored = Counter[str]()
        reader, consumed = self.judging.readers["sends"], self.flagging.counts.consumed
        misplaced = self._misplaced(records)
        event_time = self.event_time
        for record in records:
            send = reader(record.key, record.value, record.timestamp, ignored)
            if misplaced and record.offset in misplaced and not isinstance(send, Rejected):
                send = misplaced[record.offset]
            if isinstance(send, Send):
                event_time = max(event_time, send.sent_at)
                read.append((record, event_time, send))
                consumed["sends", send.carrier or ""] += 1
            elif isinstance(send, Rejected):
                books.quarantined += 1
                consumed["sends", ""] += 1
                self.flagging.refuse(self.flagging.place("sends", record.offset), send, record.value)
        self.event_time = event_time
        self._count_ignored("sends", ignored, books)
        return read

    def appraise(
        self, offset: int, arrived: int, event_time: int, send: Send, raw: bytes | None = None, *, again: bool = False
    ) -> Appraised:
        """What a send's own rules say of it; see `Appraised`."""
        facts = facts_of_send(send, self.judging.registry, self._parameters)
        verdict = self.judging.memory.judge(facts, self.judging.rulebook.asked(facts.at)[0])
        return Appraised(offset, arrived, event_time, send, facts, verdict, raw, again)

    def _add(self, appraised: Sequence[Appraised], books: Books) -> None:
        kept: list[Appraised] = []
        passing: list[Appraised] = []
        for each in appraised:
            (kept if _is_kept(each) else passing).append(each)
        self._meet_dossiers(kept, books)
        self._let_pass(passing, books)

    def _meet_dossiers(self, appraised: Sequence[Appraised], books: Books) -> None:
        """Add the sends that are kept to their dossiers; they are judged when all of the batch has been added."""
        internal = self.judging.pseudonyms.internal
        addressed = [(internal(each.send.recipient), each) for each in appraised]
        self.open({recipient for recipient, _ in addressed})
        for recipient, each in addressed:
            self.flagging.recipients[recipient] = each.send.recipient
            dossier = self.dossiers[recipient]
            digest = dossiers.digest_of(each.send)
            earlier = dossier.find(each.send.id)
            if earlier is not None and earlier.offset != each.offset and self._still_kept(earlier, each):
                self._repeated(each, earlier, digest, books)
                continue
            books.judged += 1
            self._keep(recipient, dossier, each, digest, earlier)

    def _keep(self, recipient: bytes, dossier: Dossier, each: Appraised, digest: bytes, earlier: Kept | None) -> None:
        kept = kept_of(each.facts, each.send.request, each.offset, each.arrived, digest)
        if kept.commercial or kept.asks or (earlier is not None and earlier.commercial):
            self._note_neighbours(recipient, dossier, kept)
        because = None
        if earlier is not None:
            kept.flags = earlier.flags
        if each.again:
            because = Because(self.judging.topics["sends"], kept.id)
        dossiers.put_kept(dossier, kept)
        self.changed.add(recipient)
        self._fresh[recipient, kept.id] = (kept, each, because)

    def _let_pass(self, appraised: Sequence[Appraised], books: Books) -> None:
        """Count the sends of which nothing is kept, less those that repeat a send that is kept.

        A dossier is only unpacked where the id stands somewhere in its bytes: that is nearly never the case.
        """
        internal = self.judging.pseudonyms.internal
        recipients = [internal(each.send.recipient) for each in appraised]
        packed = self.partition.packed(recipients)
        for recipient, raw, each in zip(recipients, packed, appraised, strict=True):
            if raw is not None and each.send.id.encode() in raw:
                self.open({recipient})
            dossier = self.dossiers.get(recipient)
            earlier = dossier.find(each.send.id) if dossier is not None else None
            if earlier is not None and not self._still_kept(earlier, each):
                earlier = None
            if earlier is not None and earlier.offset < each.offset:
                self._repeated(each, earlier, dossiers.digest_of(each.send), books)
                continue
            if dossier is not None and earlier is not None and earlier.offset == each.offset:
                # a long message, put together anew
                self.flagging.recipients[recipient] = each.send.recipient
                self._keep(recipient, dossier, each, earlier.digest, earlier)
                continue
            books.judged += 1
            if each.again:
                continue
            verdict = each.verdict
            if each.facts.type is None or each.facts.reading is None:
                verdict = joined(verdict, judge(each.facts, self.judging.rulebook.asked(each.facts.at)[1]))
            self.flagging.count(each.facts, verdict)

    def _still_kept(self, kept: Kept, each: Appraised) -> bool:
        """Whether a kept send was still kept when this one was read: a matter of event time alone."""
        return kept.at >= dossiers.oldest_kept(each.event_time, self._parameters.window)

    def _repeated(self, each: Appraised, earlier: Kept, digest: bytes, books: Books) -> None:
        if earlier.digest == digest:
            books.duplicates += 1
            return
        books.quarantined += 1
        self.refuse_conflict(each.offset, earlier.offset, each.raw)

    def refuse_conflict(self, offset: int, earlier: int, raw: bytes | None) -> None:
        """Quarantine a send whose recipient and id were those of an earlier one with other values."""
        rejected = Rejected("conflict", f"offset {earlier} has the same recipient and id, but other values")
        self.flagging.refuse(self.flagging.place("sends", offset), rejected, raw)

    def _note_neighbours(self, recipient: bytes, dossier: Dossier, kept: Kept) -> None:
        """A send that comes before others of its recipient can change what was said of those."""
        later = any(other.order > kept.order for other in dossier.sends)
        if later or any(answer.received_at >= kept.at for answer in dossier.replies):
            self._touch(recipient, kept.at, Because(self.judging.topics["sends"], kept.id))

    # -- judging ------------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Judge what is new, and again every kept send that a fact or a neighbour of this batch can touch."""
        self.assembly.put_together()
        for recipient in self.changed:
            if self.dossiers[recipient].replies:
                self._aim(recipient)
        for (recipient, _), (kept, each, because) in self._fresh.items():
            self._judge_whole(recipient, kept, each, because)
        for recipient, (since, because) in self._since.items():
            self._judge_again(recipient, since, because)

    def _aim(self, recipient: bytes) -> None:
        """Find what each reply means now. Where facts were only folded silently, what follows is published already."""
        dossier = self.dossiers[recipient]
        moved = dossiers.aim(dossier, self._parameters.window, self.judging.registry.owners_on_port)
        known = self._since.get(recipient)
        if recipient in self._quiet and known is None:
            for answer in dossier.replies:
                answer.published = answer.owners
            return
        if moved is not None:
            self._touch(recipient, moved, known[1] if known else Because(self.judging.topics["replies"], ""))
        if recipient in self.flagging.recipients:
            for answer in dossier.replies:
                self.flagging.publish_optout(recipient, answer)

    def _judge_whole(self, recipient: bytes, kept: Kept, each: Appraised, because: Because | None) -> None:
        facts = add_recipient(each.facts, kept, self.dossiers[recipient], self.judging.registry)
        verdict = joined(each.verdict, judge(facts, self.judging.rulebook.asked(kept.at)[1]))
        held = self._held.get((recipient, kept.id))
        self.flagging.settle(recipient, kept, verdict, None, because, held)
        self._rows[recipient, kept.id] = kept
        if because is None:
            self.flagging.count(facts, verdict)

    def _judge_again(self, recipient: bytes, since: int, because: Because) -> None:
        dossier = self.dossiers[recipient]
        for kept in sorted(dossier.sends, key=lambda each: each.order):
            if kept.at < since or (recipient, kept.id) in self._fresh:
                continue
            facts = facts_of(kept, dossier, self.judging.registry, self._parameters)
            asked = self.judging.rulebook.asked(kept.at)[1]
            scope = {each.rule.id for each in asked}
            if self.flagging.settle(recipient, kept, judge(facts, asked), scope, because):
                self._rows[recipient, kept.id] = kept
                self.changed.add(recipient)

    def withdraw(self, recipient: bytes, send_id: str, because: Because) -> None:
        """Clear what was said under the id of a part that turned out not to be the lowest of its message."""
        kept = self.dossiers[recipient].find(send_id)
        if kept is None:
            return
        self._touch(recipient, kept.at, because)
        self.flagging.settle(recipient, kept, Verdict(), None, because)
        kept.type, kept.owner, kept.owner_reason, kept.asks = None, None, "part", False
        self._rows[recipient, send_id] = kept
        self.changed.add(recipient)

    # -- reviews ------------------------------------------------------------------------------------------------

    def review(self, records: Sequence[Record], seen: Mapping[int, Mapping[str, Published]], because: Because) -> None:
        """Judge sends of the past again, as they lie in Kafka, with all that is known now.

        `seen`: by offset and rule, what the flags topic says where that is not what was published from here.
        """
        reader, ignored = self.judging.readers["sends"], Counter[str]()
        internal = self.judging.pseudonyms.internal
        read: list[tuple[Record, Send, bytes]] = []
        for record in records:
            send = reader(record.key, record.value, record.timestamp, ignored)
            if isinstance(send, Send):
                read.append((record, send, internal(send.recipient)))
        self.open({recipient for _, _, recipient in read})
        for record, send, recipient in read:
            self.flagging.recipients[recipient] = send.recipient
            if send.part is not None and send.part.total > 1:
                self.assembly.reconsider(recipient, send, record.offset, seen.get(record.offset, {}))
            else:
                each = self.appraise(record.offset, record.timestamp, self.event_time, send)
                self.review_one(recipient, each, seen.get(record.offset, {}), because)

    def review_one(self, recipient: bytes, each: Appraised, seen: Mapping[str, Published], because: Because) -> None:
        """Judge one send of the past again."""
        dossier = self.dossiers[recipient]
        earlier = dossier.find(each.send.id)
        if earlier is not None and earlier.offset != each.offset:
            return
        if earlier is None and not seen and not _is_kept(each):
            return
        kept = kept_of(each.facts, each.send.request, each.offset, each.arrived, dossiers.digest_of(each.send))
        flags = earlier.flags if earlier is not None else []
        if seen:
            self._held[recipient, kept.id] = {flag.rule for flag in flags if flag.raised}
        kept.flags = [flag for flag in flags if flag.rule not in seen] + list(seen.values())
        dossiers.put_kept(dossier, kept)
        self.changed.add(recipient)
        self._touch(recipient, kept.at, because)
        self._fresh[recipient, kept.id] = (kept, each, because)

    # -- the outcome --------------------------------------------------------------------------------------------

    def outcome(self, flags_next: int) -> Outcome:
        """Everything that follows from the batch; `flags_next`: how far the own flags partition was followed."""
        judging, flagging = self.judging, self.flagging
        record = Range(
            epoch=self.partition.epoch,
            version=judging.version,
            at=self.now,
            event_time=self.event_time,
            spans=self._spans,
            registries=dict(self.partition.registries),
            flags_next=flags_next,
            tallies=flagging.tallies.rows(),
            rows=[Row(recipient, kept) for (recipient, _), kept in self._rows.items()],
            longs=[LongRow(recipient, long) for recipient, long in self.assembly.rows()],
            lanes=sorted(flagging.lanes, key=repr),
            templates=sorted(flagging.templates),
            until=flagging.until,
        )
        for recipient in self.changed:  # not before: what ends with this batch may still bear on its sends
            dossiers.prune(self.dossiers[recipient], self.event_time, self._parameters.window)
        changes = changes_of({recipient: self.dossiers[recipient] for recipient in self.changed})
        return Outcome(flagging.messages, record, changes, self._facts, flagging.counts, self.assembly.deadlines())

    # -- small things -------------------------------------------------------------------------------------------

    def open(self, recipients: Iterable[bytes]) -> None:
        """Have the dossiers of these recipients at hand."""
        missing = set(recipients) - self.dossiers.keys()
        if missing:
            self.dossiers.update(self.partition.load(missing))

    def _touch(self, recipient: bytes, since: int, because: Because) -> None:
        known = self._since.get(recipient)
        if known is None or since < known[0]:
            self._since[recipient] = (since, because)

    def _misplaced(self, records: Sequence[Record]) -> dict[int, Rejected]:
        keyed = [(record.offset, record.key) for record in records if record.key]
        homes = partitions_of([key for _, key in keyed], self.judging.partitions)
        number = self.partition.number
        return {
            offset: Rejected("misplaced", f"the key belongs on partition {home}")
            for (offset, _), home in zip(keyed, homes, strict=True)
            if home != number
        }

    def _count_ignored(self, kind: str, ignored: Counter[str], books: Books) -> None:
        books.ignored = dict(ignored)
        for name, count in ignored.items():
            self.flagging.counts.ignored[kind, name] += count

    def _close_span(self, kind: str, first: int, next_offset: int, books: Books) -> None:
        if next_offset > first:
            books.absent = next_offset - first - books.offsets
            self._spans[kind] = Span(first, next_offset, books)


def process(
    partition: Partition,
    judging: Judging,
    fetched: Mapping[str, Sequence[Record]],
    next_offsets: Mapping[str, int],
    now: int,
    flags_next: int,
    refused: Sequence[tuple[Place, Rejected, bytes | None]] = (),
) -> Outcome:
    """Fold, judge and correct one batch.

    `fetched` by topic kind; `next_offsets` where reading goes on, by kind (holes before it are absent offsets);
    `now` the wall clock in ms; `flags_next` how far the own flags partition was followed; `refused` registry records
    that this partition is to quarantine.
    """
    batch = Batch(partition, judging, now)
    for place, rejected, raw in refused:
        batch.flagging.refuse(place, rejected, raw)
    for kind in FACTS:
        if kind in next_offsets:
            batch.fold(kind, fetched.get(kind, ()), next_offsets[kind])
    if "sends" in next_offsets:
        batch.take_sends(fetched.get("sends", ()), next_offsets["sends"])
    batch.judge()
    return batch.outcome(flags_next)


def review(
    partition: Partition,
    judging: Judging,
    sends: Sequence[Record],
    now: int,
    seen: Mapping[int, Mapping[str, Published]],
    because: Because,
) -> Outcome:
    """Judge sends of the past again, and publish what differs; see `Batch.review`."""
    batch = Batch(partition, judging, now)
    batch.review(sends, seen, because)
    batch.judge()
    return batch.outcome(partition.position.standing.flags_next)


def assemble(partition: Partition, judging: Judging, parts: Sequence[Record], now: int) -> Outcome:
    """Judge the long messages that waited for these parts, read again from Kafka."""
    batch = Batch(partition, judging, now)
    batch.assembly.provide(parts)
    batch.judge()
    return batch.outcome(partition.position.standing.flags_next)


def _is_kept(each: Appraised) -> bool:
    return is_commercial(each.facts.type) or bool(each.verdict.flags) or bool(each.facts.asks)
