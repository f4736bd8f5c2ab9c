"""All that the rules may know about one send: from itself, from the registries, from the recipient's dossier.

Belongs here: deciding what the contract decides before any rule is asked (type, owner, whether it was
requested), and gathering no more than the rules read. Not here: whether that breaks a clause (`rules/`).
Pure: everything comes in as arguments, nothing is looked up behind their back.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch import history, text
from sendwatch.dossier import HOUR, Kept, is_commercial
from sendwatch.templates import match_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.dossier import Dossier
    from sendwatch.events import Send
    from sendwatch.registry import Registry, Standing
    from sendwatch.templates import Named
    from sendwatch.text import Reading

LONGEST_PORT = 21  # digits of a terminal number (CMPP Src_Id)
REQUEST_HOLDS = 24 * HOUR
MOBILE = re.compile(r"[1１](?:[ -]?\d){10}")


class Parameters(Struct, frozen=True):
    """The numbers that the contract lets a carrier set; durations in ms, hours of the day in UTC+8."""

    window: int = 72 * HOUR
    grace: int = 60_000
    quiet_from: int = 22
    quiet_until: int = 8
    hourly_limit: int = 4
    ask_again_after: int = 72 * HOUR
    pending_grace: bool = False
    holidays: frozenset[str] = frozenset()
    consent_requests: tuple[str, ...] = ()
    unconnected: frozenset[str] = frozenset()


class Facts(Struct, gc=False):
    """One send and what is known about it as of its time.

    `type` and `owner` are None where undecided; `owner_reason` then says why. `reading` is None where the
    text is absent or incomplete, or no longer at hand (a kept send). `signature` as it is written.
    `template` is how the text stands to the template that the send names; None: it names none. `requested`
    is None where the send names a reply and replies are not connected. `siblings`: the other owners of the owner's
    group, where its consent may be missing.
    """

    id: str
    at: int
    sp: str
    port: str
    carrier: str | None
    province: str | None
    parameters: Parameters
    signature: str | None = None
    declared: str | None = None
    reading: Reading | None = None
    text: str | None = None
    template: Named | None = None
    standing: Standing | None = None
    type: str | None = None
    type_source: str | None = None
    owner: str | None = None
    owner_reason: str = "unknown"
    requested: bool | None = False
    act: history.Act | None = None
    siblings: tuple[str, ...] = ()
    dossier: Dossier | None = None
    kept: Kept | None = None

    @property
    def commercial(self) -> bool | None:
        """Whether the send is commercial; None where its type is undecided."""
        return None if self.type is None else is_commercial(self.type)

    @property
    def asks(self) -> bool | None:
        """Whether the text asks for consent, by the built-in patterns or the carrier's; None: not at hand."""
        if self.reading is not None:
            own = self.parameters.consent_requests
            return self.reading.asks or (bool(own) and text.asks(self.text or "", own))
        return self.kept.asks if self.kept is not None else None

    def earlier(self) -> list[Kept]:
        """The kept sends of the same owner that count for this one and come before it (by time, then id).

        Where the owner is undecided: those that might be of the same.
        """
        if self.dossier is None:
            return []
        order, latest_arrival = (self.at, self.id), self.at + self.parameters.window
        return [
            other
            for other in self.dossier.sends
            if other.owner is not None
            and self.owner in (other.owner, None)
            and other.arrived <= latest_arrival
            and other.order < order
        ]

    def earlier_commercial(self) -> list[Kept]:
        """Those of `earlier` that are commercial."""
        return [other for other in self.earlier() if other.commercial]

    def acts(self) -> list[history.Act]:
        """The acts that count for this send and speak for its owner and type, in no order."""
        if self.dossier is None or self.owner is None or self.type is None:
            return []
        acts, window = self.dossier.every_act(), self.parameters.window
        return history.counting(acts, self.owner, self.type, self.at, window)


def decide_type(send: Send, template_use: str | None, reading: Reading | None) -> tuple[str | None, str | None]:
    """The type of a send, and whether `template`, `text` or `declared` decided it; (None, None): undecided.

    `template_use`: the use of the template that it names, where that is valid and matches the text.
    """
    if template_use is not None:
        return template_use, "template"
    if reading is not None and reading.klass is not None:
        return reading.klass, "text"
    if send.category is not None:
        return send.category, "declared"
    return None, None


def facts_of_send(
    send: Send, registry: Registry, parameters: Parameters, read: Callable[[str], Reading] = text.read
) -> Facts:
    """What a send itself and the registries as of its time tell: enough for every rule of the send.

    `read`: how a text is read, where somebody remembers readings for themselves.
    """
    t = send.at
    reading = read(send.text) if send.text is not None and is_whole(send) else None
    head, tail = (reading.head, reading.tail) if reading is not None else (None, None)
    standing = registry.standing(
        head, tail, send.port, send.sp, send.carrier, send.province, t, text_known=reading is not None
    )
    named = match_template(send, registry, reading, standing.signature) if send.template is not None else None
    kind, source = decide_type(send, named.use if named is not None else None, reading)
    blind = "signatures" in parameters.unconnected and standing.owner is None
    return Facts(
        id=send.id,
        at=t,
        sp=send.sp,
        port=send.port,
        carrier=send.carrier,
        province=send.province,
        parameters=parameters,
        signature=_shown(reading, standing.signature),
        declared=send.category,
        reading=reading,
        text=send.text if reading is not None else None,
        template=named,
        standing=standing,
        type=kind,
        type_source=source,
        owner=standing.owner,
        owner_reason="signatures_not_connected" if blind else standing.owner_reason,
    )


def is_whole(send: Send) -> bool:
    """Whether a send's text is all there: a part's is not, unless it is the only one."""
    return send.part is None or send.part.total == 1


def _shown(reading: Reading | None, signature: str | None) -> str | None:
    """The chosen signature as it is written, less phone numbers: one might be the recipient's."""
    if reading is None or signature is None:
        return None
    shown = reading.head_shown if signature == reading.head else reading.tail_shown
    return None if shown is None else MOBILE.sub("…", shown)


def kept_of(facts: Facts, request: str | None, offset: int, arrived: int, digest: bytes) -> Kept:
    """The row that is kept of a send; `request` as the send names it, the rest of its record."""
    return Kept(
        id=facts.id,
        offset=offset,
        arrived=arrived,
        at=facts.at,
        digest=digest,
        sp=facts.sp,
        port=facts.port,
        carrier=facts.carrier,
        province=facts.province,
        signature=facts.signature,
        owner=facts.owner,
        owner_reason=facts.owner_reason,
        type=facts.type,
        type_source=facts.type_source,
        advertised=facts.reading.advertised if facts.reading is not None else (),
        asks=facts.asks,
        request=request,
    )


def add_recipient(facts: Facts, kept: Kept, dossier: Dossier, registry: Registry) -> Facts:
    """Complete the facts of a kept send with what its recipient's dossier says as of its time."""
    window = facts.parameters.window
    facts.kept = kept
    facts.dossier = dossier
    facts.requested = kept.request is not None and was_requested(kept, dossier, facts.parameters)
    if facts.owner is not None and facts.type is not None:
        facts.act = history.latest(dossier.every_act(), facts.owner, facts.type, facts.at, window)
        if (dossier.acts or dossier.replies) and (facts.act is None or facts.act.expires_at is not None):
            facts.siblings = registry.group_members(facts.owner, facts.at)
    return facts


def facts_of(kept: Kept, dossier: Dossier, registry: Registry, parameters: Parameters) -> Facts:
    """The facts of a kept send, for the rules that read its recipient's dossier: its text is not needed."""
    facts = Facts(
        id=kept.id,
        at=kept.at,
        sp=kept.sp,
        port=kept.port,
        carrier=kept.carrier,
        province=kept.province,
        parameters=parameters,
        type=kept.type,
        type_source=kept.type_source,
        owner=kept.owner,
        owner_reason=kept.owner_reason,
    )
    return add_recipient(facts, kept, dossier, registry)


def was_requested(kept: Kept, dossier: Dossier, parameters: Parameters) -> bool | None:
    """Whether `request` names a reply of that recipient in the 24 h before that is not a refusal.

    None where replies are not connected.
    """
    if "replies" in parameters.unconnected:
        return None
    answer = dossier.reply(kept.request) if kept.request else None
    return (
        answer is not None
        and kept.at - REQUEST_HOLDS <= answer.received_at <= kept.at
        and answer.arrived <= kept.at + parameters.window
        and not answer.refuses
    )
