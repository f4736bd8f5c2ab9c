"""Publishing the difference: what was said of a send against what is known now.

Belongs here: raising and clearing flags, quarantine and opt-out records, and counting them. Not here: judging.

It is level-triggered: a flag is published because what was published differs from what is known, not because
something happened. So a repeat does no harm, and whatever went wrong before is put right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.dossier import Published
from sendwatch.engine.counts import Counts
from sendwatch.engine.tallies import MINUTE, Tallies
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
    from collections.abc import Collection, Mapping

    from sendwatch.dossier import Answer, Kept
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.memory import Known
    from sendwatch.events import Rejected, Send
    from sendwatch.outgoing import Because
    from sendwatch.verdict import Flag, Verdict
    from sendwatch.windows.joins import Joins

AFTER_REFUSAL = "C5_AFTER_OPT_OUT"
CLEARED = Reason("What is known now no longer breaks this rule.", "依据现有事实，不再违反本规则。")


class _Alike(Struct, gc=False):
    """Sends of one minute, port and place that are alike, with the same verdict; `until`: the latest of their times."""

    known: Known
    verdict: Verdict
    until: int
    port: str
    carrier: str | None
    province: str | None
    text: str | None
    count: int = 0


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
        self._alike: dict[tuple[object, ...], _Alike] = {}

    def settle(
        self,
        recipient: bytes,
        kept: Kept,
        verdict: Verdict,
        scope: Collection[str] | None,
        because: Because | None,
        held: Collection[str] | None = None,
    ) -> bool:
        """Publish where what was published of a send differs from the verdict; tells whether anything did.

        `scope`: the rules that were asked; the flags of all others stand (None: every rule was asked). `held`: the
        rules whose flags were counted as raised, where that is not what `kept` says was published: what is published
        and what is counted are put right each by itself.
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
                self._count_cleared(kept, rule_id)
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
            alike = self._alike[key] = _Alike(known, verdict, at, send.port, send.carrier, send.province, send.text)
        alike.count += 1
        alike.until = max(alike.until, at)

    def sum_up(self, joins: Joins) -> None:
        """Carry what was counted into tallies, counts and joins."""
        counts = self.counts
        for owners, received_at in self.resolved:
            joins.refused(owners, received_at)
        for alike in self._alike.values():
            facts, verdict, number = alike.known.facts, alike.verdict, alike.count
            self.lanes.add((facts.signature, alike.port, facts.sp))
            if facts.template is not None:
                self.templates.add(facts.template.id)
            self.until = max(self.until, alike.until)
            if facts.sp in self._judging.canaries:
                continue
            where = (alike.until // MINUTE, alike.carrier, alike.province, facts.sp, alike.port)
            self.tallies.add(where, facts, verdict, number)
            if alike.known.commercial and facts.reading is not None and alike.text is not None:
                text = self._judging.fingerprints.of(alike.text, facts.reading)
                joins.copied(alike.until, text, facts.signature, alike.port, number)
            carrier = alike.carrier or ""
            counts.decided[carrier, _outcome(verdict)] += number
            counts.covered[carrier, "some" if verdict.undecided else "all"] += number
            for rule_id, undecided in verdict.undecided.items():
                counts.undecided[rule_id, undecided.reason] += number
                if undecided.fault:
                    counts.faults.append(f"{rule_id}: {undecided.fault}")
        self._alike.clear()

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

    def token(self, recipient: bytes) -> str:
        """A recipient of this batch as it is published."""
        return self._judging.pseudonyms.token(self.recipients[recipient])


def _outcome(verdict: Verdict) -> str:
    if any(not flag.shadow for flag in verdict.flags):
        return "flagged"
    if verdict.undecided:
        return "undecided"
    return "suppressed" if verdict.suppressed else "clean"
