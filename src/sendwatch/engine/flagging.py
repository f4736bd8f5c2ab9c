"""Publishing the difference: what was said of a send against what is known now.

Belongs here: raising and clearing flags, quarantine and opt-out records, and counting them. Not here: judging.

It is level-triggered: a flag is published because what was published differs from what is known, not because
something happened. So a repeat does no harm, and whatever went wrong before is put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sendwatch.dossier import Published
from sendwatch.engine.counts import Counts
from sendwatch.engine.tallies import MINUTE, Tallies, row_of
from sendwatch.judge import flag_id
from sendwatch.outgoing import (
    FlagEvent,
    FlaggedSend,
    Law,
    Message,
    OptoutEvent,
    Place,
    Reason,
    evidence_digest,
    flag_message,
    law_of,
    optout_message,
    quarantine_message,
    reason_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sendwatch.dossier import Answer, Kept
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.memory import Known
    from sendwatch.events import Rejected, Send
    from sendwatch.outgoing import Because
    from sendwatch.parts import Counted
    from sendwatch.verdict import Flag, Verdict
    from sendwatch.windows.joins import Joins

AFTER_REFUSAL = "C5_AFTER_OPT_OUT"
_Key: TypeAlias = tuple[int, int, int, str, str | None, str | None]
"""Of sends that are alike: ids of what is known and of the verdict, minute, port, carrier, province."""
_Alike: TypeAlias = list[Any]
"""How many, what is known of them, the verdict, the text of the first. A list: there is nearly one for each send."""
CLEARED = Reason("What is known now no longer breaks this rule.", "依据现有事实，不再违反本规则。")


class Flagging:
    """The messages, counts and tallies of one batch of one partition."""

    def __init__(self, judging: Judging, partition: int, epoch: int, now: int) -> None:
        """Start with none; `now` is the wall clock in ms."""
        self._judging = judging
        self._partition = partition
        self._epoch = epoch
        self._now = now
        self.recipients: dict[bytes, str] = {}
        self.messages: list[Message] = []
        self.counts = Counts()
        self.tallies = Tallies()
        self.lanes: set[tuple[str | None, str, str]] = set()
        self.templates: set[str] = set()
        self.until = 0
        self.resolved: list[tuple[tuple[str, ...], int]] = []
        self._alike: dict[_Key, _Alike] = {}

    def settle(
        self,
        recipient: bytes,
        kept: Kept,
        verdict: Verdict,
        scope: Collection[str] | None,
        because: Because | None,
        held: Collection[str] | None = None,
        before: Kept | None = None,
    ) -> bool:
        """Publish where what was published of a send differs from the verdict; tells whether anything did.

        `scope`: the rules that were asked; the flags of all others stand (None: every rule was asked). `held`: the
        rules whose flags were counted as raised, where that is not what `kept` says was published: what is published
        and what is counted are put right each by itself. `before`: the row that `kept` takes the place of, under which
        the flags were counted.
        """
        if not verdict.flags and not kept.flags:
            return False
        if held is None:
            held = {each.rule for each in kept.flags if each.raised}
        raised = {flag.rule.id: flag for flag in verdict.flags}
        changes = self._publish_changes(recipient, kept, raised, scope, because)
        for rule_id, flag in raised.items():
            if rule_id not in held:
                self._count_raised(kept, flag, because)
        for rule_id in held:
            if rule_id not in raised and (scope is None or rule_id in scope):
                self._count_cleared(before or kept, rule_id)
            elif before is not None and rule_id in raised:
                self._count_moved(before, kept, rule_id, counted=because is None)
        if changes:
            kept.flags = [each for each in kept.flags if each.rule not in changes] + list(changes.values())
        return bool(changes)

    def _publish_changes(
        self,
        recipient: bytes,
        kept: Kept,
        raised: Mapping[str, Flag],
        scope: Collection[str] | None,
        because: Because | None,
    ) -> dict[str, Published]:
        known = {each.rule: each for each in kept.flags}
        changes: dict[str, Published] = {}
        for rule_id, flag in raised.items():
            digest = evidence_digest(flag.evidence, flag.pack, shadow=flag.shadow)
            was = known.get(rule_id)
            if was is None or not was.raised or was.digest != digest:
                changes[rule_id] = Published(rule_id, was.revision + 1 if was else 1, raised=True, digest=digest)
                self._publish(recipient, kept, changes[rule_id], flag, because)
        for rule_id, was in known.items():
            if was.raised and rule_id not in raised and (scope is None or rule_id in scope):
                changes[rule_id] = Published(rule_id, was.revision + 1, raised=False)
                self._publish(recipient, kept, changes[rule_id], None, because)
        return changes

    def refuse(self, place: Place, rejected: Rejected, raw: bytes | None) -> None:
        """Put a record into quarantine."""
        self.counts.rejected[place.topic, rejected.reason] += 1
        self.messages.append(
            quarantine_message(place, rejected.reason, rejected.detail, raw, payload=self._judging.keep_payload)
        )

    def publish_optout(self, recipient: bytes, answer: Answer) -> None:
        """Publish what a reply was resolved to, where that differs from what was published."""
        if answer.owners == answer.published:
            return
        if not answer.published:
            self.resolved.append((answer.owners, answer.received_at))
        answer.published = answer.owners
        event = OptoutEvent(
            reply=answer.id,
            recipient=self.token(recipient),
            owners=answer.owners,
            received_at=answer.received_at,
            answered_send=answer.answered.id if answer.answered else None,
            source=self.place("replies", answer.offset),
        )
        self.messages.append(optout_message(event, self._partition, self._now))

    def count(self, known: Known, send: Send, verdict: Verdict) -> None:
        """Count a send with its first verdict; those that are alike are added up first (`sum_up`)."""
        at = send.at
        key = (id(known), id(verdict), at // MINUTE, send.port, send.carrier, send.province)
        alike = self._alike.get(key)
        if alike is None:
            self._alike[key] = [1, known, verdict, send.text]
        else:
            alike[0] += 1
        self.until = max(self.until, at)

    def note_part(self, send: Send) -> None:
        """Have a part found by whoever looks back: its message may never be whole, and is judged in another range."""
        self.lanes.add((None, send.port, send.sp))
        if send.template is not None:
            self.templates.add(send.template)
        self.until = max(self.until, send.at)

    def sum_up(self, joins: Joins) -> None:
        """Carry what was counted into tallies, counts and joins."""
        for owners, received_at in self.resolved:
            joins.refused(owners, received_at)
        add_lane, add, canaries = self.lanes.add, self.tallies.add, self._judging.canaries
        decided: dict[tuple[int, str | None], list[Any]] = {}
        for (_, verdict_id, minute, port, carrier, province), (number, known, verdict, text) in self._alike.items():
            facts = known.facts
            add_lane((facts.signature, port, facts.sp))
            if facts.template is not None:
                self.templates.add(facts.template.id)
            if facts.sp in canaries:
                continue
            add(minute, carrier, province, port, facts, verdict, number)
            if known.commercial and facts.reading is not None and text is not None:
                fingerprint = self._judging.fingerprints.of(text, facts.reading)
                joins.copied(minute * MINUTE, fingerprint, facts.signature, port, number)
            counted = decided.get((verdict_id, carrier))
            if counted is None:
                decided[verdict_id, carrier] = [number, verdict]
            else:
                counted[0] += number
        for (_, carrier), (number, verdict) in decided.items():
            self._count_verdicts(carrier or "", verdict, number)
        self._alike.clear()

    def _count_verdicts(self, carrier: str, verdict: Verdict, number: int) -> None:
        counts = self.counts
        counts.decided[carrier, _outcome(verdict)] += number
        counts.covered[carrier, "some" if verdict.undecided else "all"] += number
        for rule_id, undecided in verdict.undecided.items():
            counts.undecided[rule_id, undecided.reason] += number
            if undecided.fault:
                counts.faults.append(f"{rule_id}: {undecided.fault}")

    def place(self, kind: str, offset: int) -> Place:
        """Where a record of this partition lies."""
        return Place(self._judging.topics[kind], self._partition, offset)

    def _publish(
        self, recipient: bytes, kept: Kept, now: Published, flag: Flag | None, because: Because | None
    ) -> None:
        judging = self._judging
        rule = judging.rulebook.rules[now.rule].RULE
        send = FlaggedSend(
            id=kept.id,
            recipient=self.token(recipient),
            sp=kept.sp,
            port=kept.port,
            carrier=kept.carrier,
            province=kept.province,
            signature=kept.signature,
            owner=kept.owner,
            type=kept.type,
            type_source=kept.type_source,
            at=kept.at,
        )
        event = FlagEvent(
            flag_id=flag_id(judging.pseudonyms.key, recipient, kept.id, now.rule),
            revision=now.revision,
            epoch=self._epoch,
            status="raised" if now.raised else "cleared",
            shadow=flag.shadow if flag else False,
            rule=now.rule,
            severity=(flag.severity if flag else rule.severity).value,
            law=law_of(flag) if flag else self._law_at(now.rule, kept.at),
            send=send,
            evidence=flag.evidence if flag else {},
            reason=reason_of(flag, send) if flag else CLEARED,
            source=self.place("sends", kept.offset),
            because=because,
            judged_at=self._now,
            version=judging.version,
        )
        topic = "canary" if kept.sp in judging.canaries else "flags"
        self.messages.append(flag_message(event, topic, self._partition))
        if now.raised and because is None and topic == "flags":  # of corrections the delay tells nothing
            self.counts.flagged_sent_at.append(kept.at)
        if now.raised and now.revision == 1 and topic == "flags" and flag is not None:
            age = flag.evidence.get("age_ms")
            if now.rule == AFTER_REFUSAL and isinstance(age, int):
                self.counts.after_refusal.append(age)

    def _law_at(self, rule_id: str, t: int) -> Law:
        rules = self._judging.rulebook.in_force(t)
        for asked in (*rules.of_send, *rules.of_recipient):
            if asked.rule.id == rule_id:
                return Law(asked.pack, asked.clause, asked.checked)
        return Law("", "", checked=False)  # switched off since it was raised

    def _count_raised(self, kept: Kept, flag: Flag, because: Because | None) -> None:
        if kept.sp in self._judging.canaries:
            return
        if not flag.shadow:
            self.counts.flags[flag.rule.id, flag.severity.value, kept.carrier or ""] += 1
        if because is not None:
            self.counts.corrections[flag.rule.id, "raised"] += 1
            self.tallies.correct(kept, flag.rule.id, "+")

    def _count_cleared(self, kept: Kept, rule_id: str) -> None:
        if kept.sp in self._judging.canaries:
            return
        self.counts.corrections[rule_id, "cleared"] += 1
        self.tallies.correct(kept, rule_id, "-")

    def _count_moved(self, before: Kept, kept: Kept, rule_id: str, *, counted: bool) -> None:
        """Count a flag that stands where its send belongs now; `counted`: it is, with its send."""
        if kept.sp in self._judging.canaries or (not counted and row_of(before) == row_of(kept)):
            return
        self.tallies.correct(before, rule_id, "-")
        if not counted:
            self.tallies.correct(kept, rule_id, "+")

    def count_again(self, before: Iterable[Counted], now: Counted | None) -> None:
        """Count a send that was counted before as it is known now. `before`: how it, or its parts, were."""
        was = [each for each in before if each.sp not in self._judging.canaries]
        if now is None or now.sp in self._judging.canaries or was == [now]:
            return
        for each in was:
            self.tallies.add_again(each, -1)
        self.tallies.add_again(now, 1)

    def count_out(self, counted: Counted) -> None:
        """Take a send out of the tallies that turns out to repeat another."""
        if counted.sp not in self._judging.canaries:
            self.tallies.add_again(counted, -1)

    def token(self, recipient: bytes) -> str:
        """A recipient of this batch as it is published."""
        return self._judging.pseudonyms.token(self.recipients[recipient])


def _outcome(verdict: Verdict) -> str:
    if any(not flag.shadow for flag in verdict.flags):
        return "flagged"
    if verdict.undecided:
        return "undecided"
    return "suppressed" if verdict.suppressed else "clean"
