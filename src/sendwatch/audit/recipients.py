"""One recipient's messages, consents and replies: what each reply refused, and all that is known of each message.

Belongs here: type, owner, consent in force, requests, refusals, neighbours; each from all facts that count.
Not here: what the rules make of them (`rules/`), which records are messages (`messages.py`).

A fact counts for a send at `t` when it arrived no later than `t` + window; for a reply's meaning likewise, by the time
at which it was received: one that arrives later than that has no answered send.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sendwatch.audit.messages import SURELY, Keeping
from sendwatch.audit.standing import group_of, owners_on_port, standing_of
from sendwatch.audit.tables import valid
from sendwatch.days import DAY, HOUR
from sendwatch.dossier import Dossier, Kept
from sendwatch.facts import MOBILE, Facts
from sendwatch.history import EVERY_OWNER, Act, covers
from sendwatch.judge import judge
from sendwatch.templates import Named, matches
from sendwatch.text import asks, body, read, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.audit.logs import Entry, Log
    from sendwatch.audit.messages import Message
    from sendwatch.audit.tables import Tables
    from sendwatch.audit.terms import Terms
    from sendwatch.events import Consent, Reply
    from sendwatch.text import Reading
    from sendwatch.verdict import Verdict

ANSWERED_WITHIN = 72 * HOUR
REQUEST_HOLDS = DAY


class Known(Struct, frozen=True, gc=False):
    """A message and what it and the registries tell: `facts` without any other record of its recipient."""

    message: Message
    facts: Facts

    @property
    def commercial(self) -> bool:
        """Whether its type is marketing or below; False where that is undecided."""
        return self.facts.type is not None and covers(("marketing",), self.facts.type)


class Heard(Struct, frozen=True, gc=False):
    """A reply, and toward whom it withdraws. `answered`: the id of the send that it answered."""

    offset: int
    arrived: int
    reply: Reply
    refuses: bool
    owners: tuple[str, ...]
    answered: str | None


def appraise(message: Message, tables: Tables, terms: Terms) -> Known:
    """What a message tells by itself, and the registries as of its time."""
    send, t, parameters = message.send, message.send.at, terms.parameters
    reading = None if message.text is None else read(message.text)
    if parameters.consent_requests and reading is not None and message.text is not None:
        reading = replace(reading, asks=reading.asks or asks(message.text, parameters.consent_requests))
    standing = standing_of(tables, send, reading, pending_grace=parameters.pending_grace, t=t)
    named = _named(message, tables, standing.signature)
    kind, source = (None, None) if send.category is None else (send.category, "declared")
    if reading is not None and reading.klass is not None:
        kind, source = reading.klass, "text"
    if named is not None and named.state == "match" and named.template is not None:
        kind, source = named.template.use, "template"
    reason = standing.owner_reason
    if standing.owner is None and "signatures" in parameters.unconnected:
        reason = "signatures_not_connected"
    facts = Facts(
        id=send.id,
        at=t,
        sp=send.sp,
        port=send.port,
        carrier=send.carrier,
        province=send.province,
        parameters=parameters,
        signature=_as_written(reading, standing.signature),
        declared=send.category,
        reading=reading,
        text=message.text,
        template=named,
        standing=standing,
        type=kind,
        type_source=source,
        owner=standing.owner,
        owner_reason=reason,
    )
    return Known(message, facts)


def keeping_of(known: Known, terms: Terms) -> Keeping:
    """Whether a send is kept once judged: commercial, asking for consent, or flagged by what it says itself."""
    asking = known.facts.reading is not None and known.facts.reading.asks
    if asking or (known.commercial and known.message.send.template is None):
        return SURELY
    flagged = judge(known.facts, terms.rulebook.asked(known.facts.at)[0]).flags
    return Keeping(now=known.commercial or bool(flagged), sure=False)


Fact = TypeVar("Fact")


def lowest(entries: Iterable[Entry], log: Log) -> list[Entry]:
    """Of facts of one id that of the lowest offset, in the order of offsets; `log` is told what each is."""
    first: dict[str, Entry] = {}
    for entry in sorted(entries, key=lambda each: each.offset):
        log.what[entry.offset] = "duplicates" if entry.record.id in first else "accepted"
        first.setdefault(entry.record.id, entry)
    return list(first.values())


def hear(entry: Entry, messages: Iterable[Known], tables: Tables, window: int) -> Heard:
    """What a reply means, by the send that it answered."""
    reply: Reply = entry.record
    at = reply.received_at
    before = [
        each
        for each in messages
        if entry.arrived <= at + window
        and each.commercial
        and each.message.send.port == reply.port
        and at - ANSWERED_WITHIN <= each.message.send.at <= at
        and each.message.arrived <= at + window
    ]
    answered = max(before, key=lambda each: each.message.order, default=None)
    words = answered.facts.reading.advertised if answered is not None and answered.facts.reading is not None else ()
    refuses = refusal(reply.text, words, answered=answered is not None)
    owners: tuple[str, ...] = ()
    if refuses and answered is not None and answered.facts.owner is not None:
        owners = (answered.facts.owner,)
    elif refuses:
        owners = owners_on_port(tables, reply.port, at)
    return Heard(entry.offset, entry.arrived, reply, refuses, owners, None if answered is None else answered.facts.id)


def acts_of(consents: Iterable[Entry], heard: Iterable[Heard]) -> list[Act]:
    """Every act of the recipient: the recorded ones, and the withdrawals that refusals are."""
    return [*map(_act, consents), *(_withdrawal(each, owner) for each in heard for owner in each.owners)]


def verdict_on(
    known: Known,
    acts: Sequence[Act],
    heard: Mapping[str, Heard],
    neighbours: Neighbours,
    tables: Tables,
    terms: Terms,
) -> Verdict:
    """What the rules say of a message, from all that counts for it."""
    facts, t, window = known.facts, known.facts.at, terms.parameters.window
    counting = [act for act in acts if act.arrived <= t + window]
    facts.dossier = Dossier(acts=counting, sends=neighbours.before(known))
    facts.requested = _requested(known.message.send.request, heard, t, terms)
    if facts.owner is not None and facts.type is not None:
        owner, kind = facts.owner, facts.type
        speaking = [
            act
            for act in counting
            if act.effective_at <= t and act.owner in (owner, EVERY_OWNER) and covers(act.types, kind)
        ]
        facts.act = max(speaking, key=lambda act: (act.effective_at, not act.grant, act.id), default=None)
        facts.siblings = group_of(tables, owner, t) if counting else ()
    of_send, of_recipient = terms.rulebook.asked(t)
    return judge(facts, (*of_send, *of_recipient))


class Neighbours:
    """The messages of a recipient that can matter to others: the commercial ones, and those that ask for consent."""

    def __init__(self, messages: Iterable[Known], window: int, reach: int) -> None:
        """`reach`: how long before a send another one can matter to it, ms."""
        mattering = (_kept(each) for each in messages if each.commercial or each.facts.asks)
        self._kept = sorted(mattering, key=lambda kept: (kept.at, kept.id, kept.offset))
        self._orders = [(kept.at, kept.id) for kept in self._kept]
        self._window = window
        self._reach = reach

    def before(self, known: Known) -> list[Kept]:
        """Those that come before `known` and count for it; of one id once."""
        t = known.facts.at
        start, end = bisect_left(self._orders, (t - self._reach, "")), bisect_left(self._orders, known.message.order)
        counting: dict[str, Kept] = {}
        for kept in self._kept[start:end]:
            if kept.arrived <= t + self._window and kept.id != known.facts.id:
                counting.setdefault(kept.id, kept)
        return list(counting.values())


def _named(message: Message, tables: Tables, signature: str | None) -> Named | None:
    """How the text stands to the template that the send names."""
    name, t = message.send.template, message.send.at
    if name is None:
        return None
    row = tables.truth("templates", name, t)
    if row is None:
        return Named(name, "unknown")
    if not valid(row, t):
        return Named(name, "lapsed")
    if message.text is None:
        return Named(name, "unread", row)
    text = message.text.strip()
    found = matches(row.pattern, text) or (signature is not None and matches(row.pattern, body(text, signature)))
    return Named(name, "match" if found else "mismatch", row)


def _as_written(reading: Reading | None, signature: str | None) -> str | None:
    """The signature as the text has it; phone numbers in it are nobody's business."""
    if reading is None or signature is None:
        return None
    written = reading.head_shown if signature == reading.head else reading.tail_shown
    return None if written is None else MOBILE.sub("…", written)


def _act(entry: Entry) -> Act:
    consent: Consent = entry.record
    return Act(
        id=consent.id,
        offset=entry.offset,
        arrived=entry.arrived,
        effective_at=consent.effective_at,
        owner=consent.owner,
        grant=consent.action == "grant",
        types=consent.types,
        method=consent.method,
        expires_at=consent.expires_at,
        max_per_day=consent.max_per_day,
        proof=None if consent.proof is None else consent.proof.id,
        captured_at=None if consent.proof is None else consent.proof.captured_at,
    )


def _withdrawal(heard: Heard, owner: str) -> Act:
    return Act(
        id=heard.reply.id,
        offset=heard.offset,
        arrived=heard.arrived,
        effective_at=heard.reply.received_at,
        owner=owner,
        grant=False,
        by_reply=True,
    )


def _requested(request: str | None, heard: Mapping[str, Heard], t: int, terms: Terms) -> bool | None:
    """Whether the recipient asked for it; None where replies are not connected."""
    if request is None:
        return False
    if "replies" in terms.parameters.unconnected:
        return None
    reply = heard.get(request)
    return (
        reply is not None
        and not reply.refuses
        and t - REQUEST_HOLDS <= reply.reply.received_at <= t
        and reply.arrived <= t + terms.parameters.window
    )


def _kept(known: Known) -> Kept:
    facts, message = known.facts, known.message
    return Kept(
        id=facts.id,
        offset=message.offset,
        arrived=message.arrived,
        at=facts.at,
        digest=b"",
        sp=facts.sp,
        port=facts.port,
        carrier=facts.carrier,
        province=facts.province,
        signature=facts.signature,
        owner=facts.owner,
        owner_reason=facts.owner_reason,
        type=facts.type,
        type_source=facts.type_source,
        advertised=(),
        asks=facts.reading.asks if facts.reading is not None else None,
        request=message.send.request,
    )
