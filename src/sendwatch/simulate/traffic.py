"""The week's sends, in order of time: clean ones by a daily curve, planted ones among them, repeats and
wreckage.

A send's flags are the union of what its planted parts say (line, consent, text, hour); nothing else is
known here. Clean traffic keeps so far below the frequency limits that no neighbour ever makes a send
unlawful.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from itertools import chain
from random import Random
from typing import TYPE_CHECKING, Any

from sendwatch.simulate import misworded, refusals
from sendwatch.simulate.curve import instants
from sendwatch.simulate.drafts import Draft, Pen, nonsense, parts_of, record_of, retold
from sendwatch.simulate.late import Late, Waiting
from sendwatch.simulate.malformed import CONFLICT, Deck, damages, encode
from sendwatch.simulate.phrases import COMMERCIAL, OTP, SERVICE
from sendwatch.simulate.plans import AT_NIGHT, LINES, PLANS
from sendwatch.simulate.prelude import every_act, reply_of
from sendwatch.simulate.restraint import Restraint
from sendwatch.simulate.truth import B1, CLEAN, CONSENT_RULES, MINUTE, Message, Truth, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.carrier import Line
    from sendwatch.simulate.drafts import Prepared
    from sendwatch.simulate.truth import Course
    from sendwatch.simulate.world import World


class Traffic:
    """One pass over the week. Everything drawn here comes from one seeded source, in order of time."""

    def __init__(self, world: World, truth: Truth) -> None:
        self.world, self.truth = world, truth
        self.settings = settings = world.settings
        self.random = Random(f"{settings.seed}/traffic")
        self.draw = self.random.random
        self.plans: deque[str] = deque()
        kinds = damages("sends", settings.recipient_form, settings.partitions)
        self.damages = Deck(self.random, (*kinds, CONFLICT))
        self.later: list[tuple[int, int, Message]] = []
        self.owed = self.owed_bad = 0.0
        self.owed_nights = 3
        self.made = self.put_off = 0
        self.kept: dict[str, Any] | None = None
        self.restraint = Restraint(len(world.carrier.owners))
        late = Late(settings)
        self.replies = [(reply, reply_of(reply)) for reply in world.replies]
        facts = [("replies", record) for _, record in self.replies]
        acts = (("consents", act) for act in every_act(world)) if settings.late else ()
        self.late_facts = Waiting(late, chain(acts, facts))
        self.replies = [(reply, record) for reply, record in self.replies if not late.has(record["id"])]

    def messages(self) -> Iterator[Message]:
        self._put_off_what_is_known()
        settings = self.settings
        prepared = deque(self.world.prepared)
        rest = max(0, settings.sends - len(prepared))
        for at, share in instants(settings.start_at, settings.days, rest, self.random):
            yield from self._waiting(prepared, at)
            yield self._send(at, share)
            self.owed_bad += settings.malformed
            while self.owed_bad >= 1:
                self.owed_bad -= 1
                yield self._malformed(at)
        yield from self._waiting(prepared, None)
        yield from self.late_facts.rest(settings.end_at)

    def _waiting(self, prepared: deque[Prepared], until: int | None) -> Iterator[Message]:
        """What was prepared and what was put off, in order of time, up to `until`; None: all of it."""
        later = self.later
        while prepared or later:
            first = prepared[0].draft.sent_at if prepared else None
            put_off = later[0][0] if later else None
            at = min(each for each in (first, put_off) if each is not None)
            if until is not None and at > until:
                return
            if at == first:
                self._emit_prepared(prepared.popleft())
            else:
                yield heappop(later)[2]

    def _put_off_what_is_known(self) -> None:
        for refusal in self.world.wreckage:
            if refusal.message.kind == "sends":
                self.truth.refuse(*refusal)
                self._put_off(refusal.message)
        for reply, _ in self.replies:
            if reply.timestamp >= self.settings.start_at:
                self._put_off(reply)
        for message in self.world.latecomers:
            self._put_off(message)

    def _send(self, at: int, share: float) -> Message:
        self.owed += self.settings.violations
        if self.owed >= 1:
            plan = self._next_plan()
            planted = self._planted(plan, at)
            if planted is not None:
                self.owed -= 1
                self.truth.planted[plan] += 1
                return self._message(*planted)
            if len(self.plans) > 3:
                self.plans.appendleft(plan)  # no place for it now; its turn comes again
        if self.owed_nights and quiet(at) and self.draw() < 0.1:
            draft = self._commercial(at)
            if draft is not None:
                self.owed_nights -= 1
                self.truth.planted[AT_NIGHT] += 1
                return self._message(draft, CLEAN)
        draft = self._commercial(at) if self.draw() < share else None
        return self._message(draft or self._other(at), CLEAN)

    def _next_plan(self) -> str:
        while True:
            if not self.plans:
                names = [name for name, weight in PLANS.items() for _ in range(weight)]
                self.plans.extend(self.random.sample(names, len(names)))
            plan = self.plans.pop()
            if plan != AT_NIGHT:
                return plan
            self.owed_nights += 1
            self.owed -= 1

    def _planted(self, plan: str, at: int) -> tuple[Draft, Course] | None:
        if plan in refusals.PLANS:
            return self._refused(plan, at)
        draft = self._misfiled(plan, at) if plan in LINES else self._misworded(plan, at)
        return None if draft is None else (draft, CLEAN)

    def _refused(self, plan: str, at: int) -> tuple[Draft, Course] | None:
        """A send to a pair whose consent is not in order, on a line that mostly is."""
        world, random = self.world, self.random
        pairs = world.pairs[plan]
        if not pairs:
            return None
        pair = random.choice(pairs)
        if not self.restraint.allows(pair.recipient, pair.owner, at):
            return None
        klass = random.choice(list(pair.courses))
        lines = world.faulty_of.get(pair.owner, ()) if self.draw() < 0.4 else ()
        line = random.choice([line for line in lines if klass in line.classes] or world.carrier.lines[pair.owner])
        draft = Draft(at, pair.recipient, line, klass, klass, world.phrases.body(klass, random, line.owner))
        if self.draw() < 0.06:
            misworded.no_refusal(draft, Pen(random, world.phrases, None))
        return draft, pair.courses[klass]

    def _misfiled(self, plan: str, at: int) -> Draft | None:
        world, random = self.world, self.random
        line = random.choice(world.faulty[plan])
        return self._on(line, at, 0.1 if quiet(at) else 0.5)

    def _misworded(self, name: str, at: int) -> Draft | None:
        world, random = self.world, self.random
        plan = misworded.PLANS[name]
        templated = random.choice(world.templated) if plan.templated else None
        if templated is not None:
            draft = self._on(templated.line, at, 1.0 if plan.commercial else 0.5)
        else:
            draft = self._commercial(at) if plan.commercial or self.draw() < 0.5 else self._other(at)
        if draft is None or (plan.commercial and draft.klass not in COMMERCIAL):
            return None
        plan.rewrite(draft, Pen(random, world.phrases, templated))
        return draft

    def _on(self, line: Line, at: int, share: float) -> Draft | None:
        """A send on that line, to a customer of its owner where it is commercial; `share` of them are."""
        world, random = self.world, self.random
        commercial = [klass for klass in line.classes if klass in COMMERCIAL]
        others = [klass for klass in line.classes if klass not in COMMERCIAL]
        if others and (not commercial or self.draw() >= share):
            klass, index = random.choice(others), self._recipient()
        elif not line.owned:
            klass, index = random.choice(commercial), self._recipient()
        else:
            klass = random.choice(commercial)
            customers = world.customers.extra[line.owner]
            index = random.choice(customers) if customers else -1
            if index < 0 or not self.restraint.allows(index, line.owner, at):
                return None
        return Draft(at, index, line, klass, klass, world.phrases.body(klass, random, line.owner))

    def _commercial(self, at: int) -> Draft | None:
        """A clean commercial send, or None where nobody drawn may be written to just now."""
        world, draw = self.world, self.draw
        table = world.customers
        for _ in range(6):
            index = self._recipient()
            first, end = table.first[index], table.first[index + 1]
            owner, plain = divmod(table.owners[first + int(draw() * (end - first))], 2)
            if self.restraint.allows(index, owner, at):
                break
        else:
            return None
        lines = world.carrier.lines[owner]
        line = lines[int(draw() * len(lines))]
        klass = line.classes[-1] if len(line.classes) < 4 else line.classes[2 + (draw() < 0.5)]
        draft = self._worded(Draft(at, index, line, klass, klass, None))
        chance = draw()
        if plain and line.coarse and chance < 0.3:
            draft.declared = "marketing"
        elif chance > 0.99 and not quiet(at):
            later = self.restraint.later(index, owner, at, self.random)
            draft.deliver_at = None if later is None or quiet(later) else later
        return draft

    def _other(self, at: int) -> Draft:
        """An otp or service send: to anybody, from any owner, always clean."""
        world, draw = self.world, self.draw
        lines = world.carrier.lines[int(len(world.carrier.lines) * draw() ** 2)]
        line = lines[int(draw() * len(lines))]
        klass = OTP if draw() < 0.42 else SERVICE
        return self._worded(Draft(at, self._recipient(), line, klass, klass, None))

    def _worded(self, draft: Draft) -> Draft:
        """A clean text: mostly free, else a filed template's; rarely none at all, where the owner is known
        anyhow.
        """
        chance = self.draw()
        template = draft.line.templates.get(draft.klass) if chance < 0.7 else None
        if template is not None:
            draft.template, draft.body = template.id, template.skeleton.fill(self.random)
        elif chance < 0.997 or not draft.line.alone:
            draft.body = self.world.phrases.body(draft.klass, self.random, draft.line.owner)
        return draft

    def _recipient(self) -> int:
        """Zipf-like: the i-th recipient gets a share that falls with the square root of i."""
        return int(self.world.recipients.count * self.draw() ** 2)

    def _message(self, draft: Draft, course: Course) -> Message:
        """The send's record, with what follows from it written down."""
        if draft.deliver_at is None and self.draw() < 0.003:
            draft.extra = nonsense(draft, self.random)
        at, line = draft.at, draft.line
        flags = draft.flags | line.flags.at(at)
        if draft.klass in COMMERCIAL:
            flags |= course.at(at)
            if quiet(at):
                flags |= {B1}
            if not line.owned:
                flags -= CONSENT_RULES
        return self._emit(draft, flags)

    def _emit_prepared(self, prepared: Prepared) -> None:
        """Put off what was prepared until it arrives, which is at the latest a moment later."""
        self.truth.planted[prepared.name] += 1
        if prepared.slices:
            self._emit_long(prepared)
        else:
            self._put_off(self._emit(prepared.draft, prepared.flags, prepared.delay, once=prepared.once))

    def _emit_long(self, prepared: Prepared) -> None:
        record = self._record(prepared.draft)
        parts = parts_of(record, prepared)
        key = record["recipient"].encode()
        if prepared.flags:
            lowest = min(parts, key=lambda part: part[1]["part"]["no"])[1]
            self.truth.flags[record["recipient"], lowest["id"]] = prepared.flags
        self.truth.counts["sends"] += 1
        self.truth.counts["parts"] += len(parts)
        self._bring_about(record["recipient"], prepared.draft)
        for arrives, part in parts:
            self._put_off(Message("sends", key, encode(part), prepared.draft.sent_at + arrives))

    def _emit(self, draft: Draft, flags: frozenset[str], delay: int | None = None, *, once: bool = False) -> Message:
        record = self._record(draft)
        value = encode(record)
        if self.draw() < 0.003:
            value = retold(value, self.random)
        recipient = record["recipient"]
        if flags:
            self.truth.flags[recipient, record["id"]] = flags
        if draft.klass in COMMERCIAL:
            self.kept = record
        self._bring_about(recipient, draft)
        self.truth.counts["sends"] += 1
        arrives_at = draft.sent_at + (20 + int(self.draw() * 1500) if delay is None else delay)
        message = Message("sends", recipient.encode(), value, arrives_at)
        if self.draw() < self.settings.repeats and not once:
            self.truth.counts["repeats"] += 1
            at = message.timestamp + 1000 + int(self.draw() * 5 * MINUTE)
            self._put_off(Message("sends", message.key, value, at))
        return message

    def _bring_about(self, recipient: str, draft: Draft) -> None:
        for message in self.late_facts.due(recipient, draft.sent_at, draft.at):
            self._put_off(message)

    def _record(self, draft: Draft) -> dict[str, Any]:
        self.made += 1
        return record_of(draft, self.made, self.world.recipients, self.world.phrases, self.random)

    def _malformed(self, at: int) -> Message:
        """A record that must be refused: a clean send's, which nobody else sees, or for a conflict the last
        kept send's with another port and time.
        """
        damage = self.damages.deal()
        arrives_at = at + 30 + int(self.draw() * 1500)
        record = self._record(self._other(at))
        if damage.reason == "conflict":
            if self.kept is None:
                return self._malformed(at)
            record = self.kept | {"port": record["port"], "sent_at": at}
        damaged = damage.make(record, record["recipient"].encode(), arrives_at)
        message = Message("sends", damaged.key, damaged.value, arrives_at, damaged.partition)
        self.truth.refuse(message, damage.reason)
        return message

    def _put_off(self, message: Message) -> None:
        self.put_off += 1
        heappush(self.later, (message.timestamp, self.put_off, message))
