"""Facts and sends that come at the very edge of the window, or past it: those within it count, the others never did.

Every case has a recipient of its own; what registries say late has rows of its own, too, and service texts, so that
consent plays no part. Times are about a send at `t` on the first morning of the week.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendwatch.simulate.carrier import Line
from sendwatch.simulate.customers import grant, withdrawal
from sendwatch.simulate.drafts import Draft, Prepared
from sendwatch.simulate.malformed import encode
from sendwatch.simulate.phrases import SERVICE
from sendwatch.simulate.truth import B2, C1, C5, DAY, G2, G3, G5, G7, G8, HOUR, MINUTE, UTC8, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.simulate.carrier import Carrier, Row
    from sendwatch.simulate.customers import Recipients

WINDOW: Final = 72 * HOUR
NEEDED: Final = 5 * DAY  # of the week, for the last of it to come


class Coming(NamedTuple):
    """When a fact is written, and when it says that it was recorded (None: it does not say); ms after `t`."""

    written: int
    recorded: int | None = None


IN_TIME: Final = (
    ("two days and a half later", Coming(60 * HOUR)),
    ("at the end of the window", Coming(WINDOW)),
    ("recorded in the window, written after it", Coming(WINDOW + 5 * HOUR, WINDOW - HOUR)),
)
TOO_LATE: Final = (
    ("past the window", Coming(WINDOW + 1)),
    ("recorded in the window, written more than a day after", Coming(WINDOW + 25 * HOUR, WINDOW - 5 * HOUR)),
)


class Latecomers:
    """Writes the cases: `prepared` sends, and the `messages` that come late."""

    def __init__(self, world: Carrier, recipients: Recipients, times: int) -> None:
        self.world, self.recipients = world, recipients
        self.random = Random(f"{world.seed}/latecomers")
        self.prepared: list[Prepared] = []
        self.messages: list[Message] = []
        ten = (world.start_at + UTC8) // DAY * DAY - UTC8 + 10 * HOUR
        self.ten = ten + (DAY if ten < world.start_at else 0)
        for _ in range(times if self.ten + NEEDED <= world.end_at else 0):
            self._consents()
            self._refusals()
            self._sends()
            self._registries()

    def _consents(self) -> None:
        for when, coming in IN_TIME:
            self._consent(f"granted, {when}", set(), coming, grant)
            self._consent(f"withdrawn, {when}", {C5}, coming, withdrawal)
        for when, coming in TOO_LATE:
            self._consent(f"granted, {when}", {C1}, coming, grant)
            self._consent(f"withdrawn, {when}", set(), coming, withdrawal)

    def _consent(self, name: str, rules: set[str], coming: Coming, act: Callable[..., dict[str, Any]]) -> None:
        draft, owner = self._letter()
        recipient = self.recipients.name(draft.recipient)
        before = (grant(self.random, recipient, owner, draft.at - 40 * DAY),) if act is withdrawal else ()
        self._come("consents", act(self.random, recipient, owner, draft.at - DAY), draft.at, coming)
        self.prepared.append(Prepared(name, draft, frozenset(rules), before))

    def _refusals(self) -> None:
        for rules, cases in ((frozenset({C5}), IN_TIME), (frozenset[str](), TOO_LATE)):
            for when, coming in cases:
                draft, owner = self._letter()
                recipient = self.recipients.name(draft.recipient)
                reply = self._reply(draft, draft.at - 5 * HOUR, "退订")
                self._come("replies", reply, draft.at, coming)
                act = grant(self.random, recipient, owner, draft.at - 40 * DAY)
                self.prepared.append(Prepared(f"refused, {when}", draft, rules, (act,)))

    def _sends(self) -> None:
        """Sends that come late, and are neighbours of others or what a reply answered."""
        for name, rules, delay in (("late", {C5}, 30 * HOUR), ("too late", set[str](), WINDOW + HOUR)):
            first, owner = self._letter()
            act = grant(self.random, self.recipients.name(first.recipient), owner, first.at - 40 * DAY)
            self.prepared.append(Prepared(f"answered, and came {name}", first, frozenset(), (act,), delay))
            answer = self._reply(first, first.at + 20 * MINUTE, "td")
            self._come("replies", answer, answer["received_at"], Coming(800))
            second = self._again(first, 5 * HOUR)
            self.prepared.append(Prepared(f"after an answer to what came {name}", second, frozenset(rules)))
        fifth = 40 * MINUTE
        for name, flags, delay in (("late", {B2}, 30 * HOUR), ("too late", set[str](), fifth + WINDOW + 1)):
            first, owner = self._letter()
            act = grant(self.random, self.recipients.name(first.recipient), owner, first.at - 40 * DAY)
            self.prepared.append(Prepared(f"the first of five, {name}", first, frozenset(), (act,), delay))
            for after in range(10 * MINUTE, fifth + 1, 10 * MINUTE):
                rules = flags if after == fifth else set()
                self.prepared.append(
                    Prepared(f"after one that came {name}", self._again(first, after), frozenset(rules))
                )

    def _registries(self) -> None:
        for when, coming in (IN_TIME[0], IN_TIME[1]):
            for what in ("filing", "port", "letter", "template"):
                self._row(f"{what}, {when}", set(), what, coming)
            self._row(f"filing revoked, {when}", {G3}, "revoked", coming)
            self._row(f"filing in error, {when}", {G2}, "error", coming)
        for what, rule in (("filing", G2), ("port", G8), ("letter", G5), ("template", G7)):
            self._row(f"{what}, {TOO_LATE[0][0]}", {rule}, what, TOO_LATE[0][1])
        self._row(f"filing revoked, {TOO_LATE[0][0]}", set(), "revoked", TOO_LATE[0][1])

    def _row(self, name: str, rules: set[str], what: str, coming: Coming) -> None:
        """A send on a line of its own, of which one row comes late."""
        world, at = self.world, self._time()
        owner, holder = world.owners[self.random.choice(world.traders)], world.fresh_sp()
        before = len(world.rows)
        sp, signature = holder, world.fresh_signature(owner.sector)
        prefix = world.fresh_main(holder)
        if what == "letter":
            sp = world.fresh_sp()
            world.entrust(holder, sp)
        world.file(owner, signature, [SERVICE], [prefix])
        line = Line(owner=owner.number, signature=signature, prefix=prefix, sp=sp, classes=(SERVICE,))
        draft = Draft(at, self.recipients.stranger(), line, SERVICE, SERVICE, world.phrases.body(SERVICE, self.random))
        if what == "template":
            template = world.file_template(owner, signature, SERVICE)
            draft.template, draft.body = template.id, template.skeleton.fill(self.random)
        rows, world.rows[before:] = world.rows[before:], []
        kinds = {"port": "ports", "letter": "letters", "template": "templates"}
        late = next(row for row in rows if row.kind == kinds.get(what, "signatures"))
        world.rows += [row for row in rows if row is not late or what in {"revoked", "error"}]
        self._write_row(late, what, at, coming)
        # A repeat is judged again where nothing is kept of a send, and what is kept of this one changes with time.
        self.prepared.append(Prepared(name, draft, frozenset(rules), once=True))

    def _write_row(self, row: Row, what: str, at: int, coming: Coming) -> None:
        value = row.value
        if what == "revoked" and value is not None:
            value = value | {"status": "revoked", "valid_until": at - HOUR}
        if what == "error":
            value = None
        self.messages.append(
            Message(row.kind, row.id.encode(), None if value is None else encode(value), at + coming.written)
        )

    def _letter(self) -> tuple[Draft, str]:
        """A clean commercial send but for consent, on a port that only its owner has filed; and that owner."""
        world, random = self.world, self.random
        number = random.choice([number for number in world.traders if world.lines[number][0].alone])
        klass, line = random.choice(world.owners[number].commercial), world.lines[number][0]
        body = world.phrases.body(klass, random)
        draft = Draft(self._time(), self.recipients.stranger(), line, klass, klass, body, extra={"port": line.prefix})
        return draft, world.owners[number].id

    def _again(self, draft: Draft, after: int) -> Draft:
        body = self.world.phrases.body(draft.klass, self.random)
        at, line, klass = draft.sent_at + after, draft.line, draft.klass
        return Draft(at, draft.recipient, line, klass, klass, body, extra={"port": line.prefix})

    def _reply(self, draft: Draft, at: int, text: str) -> dict[str, Any]:
        reply_id, recipient = f"mo-{self.random.getrandbits(48):012x}", self.recipients.name(draft.recipient)
        return {"id": reply_id, "recipient": recipient, "port": draft.line.prefix, "text": text, "received_at": at}

    def _come(self, kind: str, record: dict[str, Any], t: int, coming: Coming) -> None:
        if coming.recorded is not None:
            record = record | {"recorded_at": t + coming.recorded}
        self.messages.append(Message(kind, record["recipient"].encode(), encode(record), t + coming.written))

    def _time(self) -> int:
        return self.ten + self.random.randrange(HOUR)
