"""Examples that a rule carries: a lawful send with everything that makes it so, and what differs from it.

Belongs here: the lawful world, and putting a different one together. Not here: the examples (each rule has
its own, in `EXAMPLES`), asking the rules (`judge.py`). All names and numbers are made up.

    flagged("nobody ever agreed", consents=())
    clean("the consent ends an hour later", consents=({"expires_at": T + HOUR},))

Records are the contract's, as JSON has them; what is left out of one is as in the lawful one of its kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from sendwatch import dossier as dossiers
from sendwatch.days import DAY
from sendwatch.events import KINDS, REGISTRIES, Send
from sendwatch.facts import Facts, Parameters, add_recipient, facts_of_send, kept_of
from sendwatch.registry import Registry
from sendwatch.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

T = 1_781_071_200_000  # Wednesday, 2026-06-10, 14:00 in UTC+8

LAWFUL: dict[str, dict[str, Any]] = {
    "sends": {
        "id": "send-1",
        "recipient": "recipient-1",
        "sp": "sp-1",
        "port": "10690001",
        "sent_at": T,
        "text": "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R",
        "category": "marketing",
        "carrier": "cm",
        "province": "53",
    },
    "consents": {
        "id": "consent-1",
        "recipient": "recipient-1",
        "owner": "owner-1",
        "action": "grant",
        "effective_at": T - 30 * DAY,
        "method": "opt_in_form",
        "proof": {"id": "proof-1", "sha256": "0" * 64, "captured_at": T - 30 * DAY},
    },
    "replies": {
        "id": "reply-1",
        "recipient": "recipient-1",
        "port": "10690001",
        "text": "退订",
        "received_at": T - 5 * DAY,
    },
    "signatures": {
        "id": "filing-1",
        "signature": "云岭商贸",
        "owner": "owner-1",
        "uses": ["marketing", "service"],
        "ports": ["1069"],
        "valid_from": T - 300 * DAY,
    },
    "ports": {"id": "port-1", "port": "1069", "holder": "sp-1", "valid_from": T - 300 * DAY},
    "letters": {"id": "letter-1", "grantor": "holder-1", "grantee": "sp-1", "valid_from": T - 300 * DAY},
    "templates": {
        "id": "template-1",
        "signature": "云岭商贸",
        "use": "marketing",
        "pattern": "会员日全场{goods}八折，满300减50，欢迎选购。拒收请回复R",
        "valid_from": T - 300 * DAY,
    },
    "owners": {"id": "owner-1", "name": "云岭商贸有限公司"},
}
PRESENT = frozenset({"consents", "signatures", "ports", "owners"})
"""The kinds of which the lawful world holds a record; of the others it holds none."""

Record = dict[str, Any]
Records = tuple[Record, ...]


class Example(Struct, frozen=True):
    """A send, what is known about it, and what a rule must say. `records` by topic kind, `send` its own."""

    name: str
    outcome: Outcome
    send: Record
    records: dict[str, Records]

    def of(self, kind: str) -> Iterator[Any]:
        """The example's records of that kind; where it says nothing, the lawful world's."""
        lawful = LAWFUL[kind]
        for different in self.records.get(kind, ({},) if kind in PRESENT else ()):
            yield msgspec.convert(lawful | different, KINDS[kind])


def flagged(name: str, send: Record | None = None, **records: Records) -> Example:
    """An example that the rule flags. `send`: how it differs; `records`: all there are, by topic kind."""
    return Example(name, Outcome.FLAGGED, send or {}, records)


def clean(name: str, send: Record | None = None, **records: Records) -> Example:
    """An example that the rule finds nothing wrong with."""
    return Example(name, Outcome.CLEAN, send or {}, records)


def undecided(name: str, send: Record | None = None, **records: Records) -> Example:
    """An example about which the rule cannot say."""
    return Example(name, Outcome.UNDECIDED, send or {}, records)


def facts_of_example(example: Example, parameters: Parameters | None = None) -> Facts:
    """All that is known about the example's send. Each record arrives at its own time."""
    parameters = parameters or Parameters()
    window = parameters.window
    registry = Registry(window, pending_grace=parameters.pending_grace)
    for kind in REGISTRIES:
        for offset, row in enumerate(example.of(kind)):
            registry.put(kind, row.id, offset, 0, row)
    dossier = dossiers.Dossier()
    for offset, consent in enumerate(example.of("consents")):
        dossiers.fold_act(dossier, dossiers.act_of(consent, offset, consent.effective_at))
    for offset, reply in enumerate(example.of("replies")):
        dossiers.fold_answer(dossier, dossiers.answer_of(reply, offset, reply.received_at))
    own = msgspec.convert(LAWFUL["sends"] | example.send, Send)
    facts = facts_of_send(own, registry, parameters)
    for offset, send in enumerate((*example.of("sends"), own)):
        known = facts_of_send(send, registry, parameters)
        dossiers.put_kept(dossier, kept_of(known, send.request, offset, send.sent_at, b""))
    dossiers.aim(dossier, window, registry.owners_on_port)
    kept = dossier.sends[-1]
    return add_recipient(facts, kept, dossier, registry)
