"""The work on one batch of one partition: records in, an outcome out. No Kafka, no clock, and nothing is applied.

Belongs here: the order in which a batch is folded, judged and corrected, and the dossiers that it has open. Not here:
every decision about a send (`facts.py`, `judge.py`), what is published (`flagging.py`).

    fact_intake.py  facts are folded into the dossiers; below the ledger's position silently: their corrections are out
    send_intake.py  sends are decoded, typed, asked the rules of the send; what is kept is added to its dossier
    assembly.py     parts of long messages wait for each other
    judging         when all of the batch is in the dossiers: replies are aimed, new sends judged, and kept ones again
                    that a fact or a neighbour of this batch can touch
    review.py       sends of the past, read again because a registry changed or a strange flag was seen
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch import dossier as dossiers
from sendwatch.dossier import OF_RECIPIENT, OF_SEND, Dossier, Kept
from sendwatch.engine.assembly import Assembly
from sendwatch.engine.fact_intake import address_replies, fold_facts
from sendwatch.engine.flagging import Flagging
from sendwatch.engine.memory import joined
from sendwatch.engine.partition import Outcome, changes_of
from sendwatch.engine.review import reconsider
from sendwatch.engine.send_intake import take_sends
from sendwatch.engine.tallies import counted_of
from sendwatch.events import Complaint, Report
from sendwatch.facts import add_recipient, facts_of
from sendwatch.judge import judge
from sendwatch.ledger import LongRow, Range, Row, Span
from sendwatch.outgoing import Because
from sendwatch.verdict import Verdict
from sendwatch.windows.joins import Joins

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.dossier import Published
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.memory import Memory
    from sendwatch.engine.partition import Partition, Record
    from sendwatch.engine.send_intake import Appraised
    from sendwatch.events import Rejected
    from sendwatch.ledger import Books
    from sendwatch.outgoing import Place
    from sendwatch.parts import Counted
    from sendwatch.windows.complaints import Way

FACTS = ("consents", "replies", "reports", "complaints")


class Batch:
    """One batch, while it is worked on.

    `event_time`: the greatest `sent_at` of the partition so far. `dossiers`: those that are open; `packed`: those that
    are at hand as bytes; `changed`: those that will be written. `fresh`: the sends to be judged for the first time or
    as a whole; `held`: of some of these, the rules whose flags were counted as raised before; `rows_before`: the rows
    that they take the place of. `rows_since`: the time from which every send that was flagged has its row. `quiet`: the
    recipients whose facts were only folded silently.
    `told`: below which offset of replies it will be published what they were resolved to; None: nothing is told now.
    """

    def __init__(self, partition: Partition, judging: Judging, now: int) -> None:
        """Start with nothing; `now` is the wall clock in ms."""
        self.partition = partition
        self.judging = judging
        self.now = now
        self.event_time = partition.position.standing.event_time
        self.dossiers: dict[bytes, Dossier] = {}
        self.packed: dict[bytes, bytes | None] = {}
        self.changed: set[bytes] = set()
        self.facts: dict[str, int] = {}
        self.fresh: dict[tuple[bytes, str], tuple[Kept, Appraised, Because | None]] = {}
        self.held: dict[tuple[bytes, str], set[str]] = {}
        self.rows_before: dict[tuple[bytes, str], Kept] = {}
        self.quiet: set[bytes] = set()
        self.told: int | None = partition.position.facts.get("replies", 0) if partition.telling else None
        self.flagging = Flagging(judging, partition.number, partition.epoch, now)
        self.assembly = Assembly()
        self._parameters = judging.parameters
        kept = partition.aftermaths
        self.joins = Joins(judging.limits, kept.load, kept.until, kept.waiting, judging.canaries)
        self._came_back: list[tuple[bytes, Report | Complaint, bool]] = []
        self._final_before = dossiers.oldest_kept(self.event_time, self._parameters.window)
        self.rows_since = dossiers.oldest_row(self.event_time, self._parameters.window)
        self._untold = partition.position.standing.told
        self._since: dict[bytes, tuple[int, Because]] = {}
        self._rows: dict[tuple[bytes, str], Kept] = {}
        self._spans: dict[str, Span] = {}

    # -- dossiers -----------------------------------------------------------------------------------------------

    def fetch(self, recipients: Iterable[bytes]) -> None:
        """Have the dossiers of these recipients at hand as they lie in the store."""
        missing = sorted(set(recipients) - self.packed.keys() - self.dossiers.keys())
        if missing:
            self.packed.update(zip(missing, self.partition.packed(missing), strict=True))

    def open(self, recipients: Iterable[bytes]) -> None:
        """Have the dossiers of these recipients at hand."""
        self.fetch(recipients)
        for recipient in recipients:
            self.dossier(recipient)

    def dossier(self, recipient: bytes) -> Dossier:
        """The dossier of a recipient whose bytes were fetched."""
        dossier = self.dossiers.get(recipient)
        if dossier is None:
            packed = self.packed.pop(recipient)
            dossier = self.dossiers[recipient] = Dossier() if packed is None else dossiers.unpack(packed)
        return dossier

    def touch(self, recipient: bytes, since: int, because: Because) -> None:
        """Have the recipient's kept sends from `since` on judged again, because of this fact."""
        known = self._since.get(recipient)
        if known is None or since < known[0]:
            self._since[recipient] = (since, because)

    # -- judging ------------------------------------------------------------------------------------------------

    def judge(self) -> None:
        """Judge what is new, and again every kept send that a fact or a neighbour of this batch can touch."""
        self.assembly.put_together(self)
        for recipient in self.changed:
            if self.dossiers[recipient].replies:
                self._aim(recipient)
        for key, (kept, each, because) in self.fresh.items():
            self._judge_whole(key, kept, each, because)
        for recipient, (since, because) in self._since.items():
            self._judge_again(recipient, since, because)
        self._join()

    def count(self, recipient: bytes, each: Appraised, verdict: Verdict) -> None:
        """Count a send with its first verdict."""
        self.flagging.count(each.known, each.send, verdict)
        if self.joins.matters(recipient, each.send.recipient):
            self.joins.sent(recipient, each.send.recipient, each.facts_at_hand())

    def count_again(self, each: Appraised, now: Counted) -> None:
        """Count a send that was counted before where it belongs now; of long messages note where that is."""
        before = each.before
        assert before is not None
        if each.because is not None and before.counted is not None:
            self.flagging.count_again(before.counted, now)
        if before.long is not None:
            before.long.counted[each.offset] = now

    def came_back(self, recipient: bytes, fact: Report | Complaint, *, silent: bool) -> bool:
        """Keep a report or a complaint until the batch's sends are known; of complaints the ledger holds the traces."""
        if isinstance(fact, Complaint) and not silent:
            self.joins.expect(recipient, fact)
        if isinstance(fact, Report) or not silent:
            self._came_back.append((recipient, fact, silent))
        return True

    def _join(self) -> None:
        """Join what came back about sends: now all of the batch is in the dossiers."""
        joins, registry = self.joins, self.judging.registry
        joins.open({recipient for recipient, _, _ in self._came_back})
        due = set(self.partition.aftermaths.due_by(self.event_time))
        for recipient, fact, silent in self._came_back:
            if isinstance(fact, Report):
                kept = self.dossiers[recipient].find(fact.send_id)
                joins.reported(recipient, fact, kept, self.event_time, silent=silent)
            else:
                joins.complained(recipient, fact, self.flagging.token(recipient))
                due.add(recipient)
        self._came_back.clear()
        self.open(due)
        joins.open(due)
        for recipient in due:
            joins.take_due(recipient, self.dossiers[recipient].sends, registry, self.event_time, _place_of)

    def _aim(self, recipient: bytes) -> None:
        """Find what each reply means now. Where facts were only folded silently, what follows is published already."""
        dossier = self.dossiers[recipient]
        moved = dossiers.aim(dossier, self._parameters.window, self.judging.registry.owners_on_port)
        known = self._since.get(recipient)
        if recipient in self.quiet and known is None:
            for answer in dossier.replies:
                if answer.offset < self.partition.position.standing.told:
                    answer.published = answer.owners
            return
        if moved is not None:
            self.touch(recipient, moved, known[1] if known else Because(self.judging.topics["replies"], ""))
        if self.told is not None and recipient in self.flagging.recipients:
            for answer in dossier.replies:
                self.flagging.publish_optout(recipient, answer)
        elif self.told is None:  # what was told, and is no longer so, must be told anew
            untold = [answer.offset for answer in dossier.replies if answer.owners != answer.published]
            self._untold = min([self._untold, *untold])

    def _judge_whole(self, key: tuple[bytes, str], kept: Kept, each: Appraised, because: Because | None) -> None:
        recipient = key[0]
        facts = add_recipient(each.facts_at_hand(), kept, self.dossiers[recipient], self.judging.registry)
        of_recipient = judge(facts, each.known.in_force.of_recipient)
        verdict = joined(each.verdict, of_recipient)
        self.flagging.settle(recipient, kept, verdict, None, because, self.held.get(key), self.rows_before.get(key))
        counted = None if each.before is None else each.before.counted
        if because is None or counted is not None:
            kept.undecided = OF_SEND * bool(each.verdict.undecided) | OF_RECIPIENT * bool(of_recipient.undecided)
        self._rows[key] = kept
        if because is None:
            self.count(recipient, each, verdict)
        elif counted is not None:
            self.flagging.count_again(counted, counted_of(kept))

    def _judge_again(self, recipient: bytes, since: int, because: Because) -> None:
        dossier = self.dossiers[recipient]
        since = max(since, self._final_before)
        for kept in sorted(dossier.sends, key=lambda each: each.order):
            if kept.at < since or (recipient, kept.id) in self.fresh:
                continue
            facts = facts_of(kept, dossier, self.judging.registry, self._parameters)
            asked = self.judging.rulebook.in_force(kept.at).of_recipient
            scope = {each.rule.id for each in asked}
            verdict = judge(facts, asked)
            changed = self._count_undecided(kept, verdict)
            if self.flagging.settle(recipient, kept, verdict, scope, because) or changed:
                self._rows[recipient, kept.id] = kept
                self.changed.add(recipient)

    def _count_undecided(self, kept: Kept, verdict: Verdict) -> bool:
        """Count it where the rules of the recipient can say what they could not, or the other way round."""
        counted = counted_of(kept)
        if counted is None or kept.undecided is None:
            return False
        undecided = kept.undecided & OF_SEND | OF_RECIPIENT * bool(verdict.undecided)
        if undecided == kept.undecided:
            return False
        kept.undecided = undecided
        self.flagging.count_again((counted,), counted_of(kept))
        return True

    def withdraw(self, recipient: bytes, send_id: str, because: Because) -> None:
        """Clear what was said under the id of a part that turned out not to be the lowest of its message."""
        kept = self.dossiers[recipient].find(send_id)
        if kept is None:
            return
        self.touch(recipient, kept.at, because)
        self.flagging.settle(recipient, kept, Verdict(), None, because, self.held.pop((recipient, send_id), None))
        kept.type, kept.owner, kept.owner_reason, kept.asks, kept.undecided = None, None, "part", False, None
        self._rows[recipient, send_id] = kept
        self.changed.add(recipient)

    # -- the outcome --------------------------------------------------------------------------------------------

    def outcome(self, flags_next: int) -> Outcome:
        """Everything that follows from the batch; `flags_next`: how far the own flags partition was followed."""
        judging, flagging = self.judging, self.flagging
        flagging.sum_up(self.joins)
        record = Range(
            epoch=self.partition.epoch,
            version=judging.version,
            at=self.now,
            event_time=self.event_time,
            spans=self._spans,
            registries=dict(self.partition.registries),
            flags_next=flags_next,
            tallies=flagging.tallies.rows(),
            sums=self.joins.sums(self.event_time),
            cases=self.joins.cases(),
            rows=[Row(recipient, kept) for (recipient, _), kept in self._rows.items()],
            longs=[LongRow(recipient, long) for recipient, long in self.assembly.rows()],
            lanes=sorted(flagging.lanes, key=repr),
            templates=sorted(flagging.templates),
            until=flagging.until,
            told=self._untold if self.told is None else self.told,
            by=dict(self.judging.registry_positions),
        )
        for recipient in self.changed:  # not before: what ends with this batch may still bear on its sends
            dossiers.prune(self.dossiers[recipient], self.event_time, self._parameters.window)
        changes = changes_of({recipient: self.dossiers[recipient] for recipient in self.changed})
        came_back = {recipient: self.joins.opened[recipient] for recipient in self.joins.changed}
        open_longs = self.assembly.deadlines(self)
        return Outcome(
            flagging.messages, record, changes, self.facts, flagging.counts, open_longs, aftermaths=came_back
        )

    # -- the books ----------------------------------------------------------------------------------------------

    def count_ignored(self, kind: str, ignored: Counter[str], books: Books) -> None:
        """Note the bad optional fields of a topic's records."""
        books.ignored = dict(ignored)
        for name, count in ignored.items():
            self.flagging.counts.ignored[kind, name] += count

    def close_span(self, kind: str, first: int, next_offset: int, books: Books) -> None:
        """Note what became of a topic's offsets; those that no record had are absent."""
        if next_offset > first:
            books.absent = next_offset - first - books.offsets
            self._spans[kind] = Span(first, next_offset, books)


def _place_of(send: Way) -> tuple[str | None, str | None]:
    return getattr(send, "carrier", None), getattr(send, "province", None)


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
            fold_facts(batch, kind, fetched.get(kind, ()), next_offsets[kind])
    if "sends" in next_offsets:
        take_sends(batch, fetched.get("sends", ()), next_offsets["sends"])
    batch.judge()
    return batch.outcome(flags_next)


def review(
    partition: Partition,
    judging: Judging,
    sends: Sequence[Record],
    now: int,
    seen: Mapping[int, Mapping[str, Published]],
    because: Because,
    as_counted: Memory | None = None,
) -> Outcome:
    """Judge sends of the past again, and publish what differs; see `review.py`."""
    batch = Batch(partition, judging, now)
    reconsider(batch, sends, seen, because, as_counted)
    batch.judge()
    return batch.outcome(partition.position.standing.flags_next)


def assemble(partition: Partition, judging: Judging, parts: Sequence[Record], now: int) -> Outcome:
    """Judge the long messages that waited for these parts, read again from Kafka."""
    batch = Batch(partition, judging, now)
    batch.assembly.provide(batch, parts)
    batch.judge()
    return batch.outcome(partition.position.standing.flags_next)


def tell(partition: Partition, judging: Judging, replies: Sequence[Record], until: int, now: int) -> Outcome:
    """Publish what these replies were resolved to, where that differs from what was told.

    They are folded already; with them all below offset `until` are told.
    """
    batch = Batch(partition, judging, now)
    address_replies(batch, replies, until)
    batch.told = until
    batch.judge()
    return batch.outcome(partition.position.standing.flags_next)
