"""Builders for the tests of the core: every field has a made-up default, every world is lawful until told otherwise.

`about(a_send(), a_grant(expires_at=NOW))` are the facts of a send that is all right but for its consent;
`ask("C1", facts)` is what the judge has one rule say about it.
"""

# ruff: noqa: A002 - the fields of the records are called `id`

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sendwatch import law, rules
from sendwatch.dossier import (
    Answer,
    Dossier,
    Kept,
    aim,
    fold_act,
    fold_answer,
    put_kept,
)
from sendwatch.events import Filing, Letter, Owner, Part, Port, Send, Template
from sendwatch.facts import Facts, Parameters, add_recipient, facts_of_send, kept_of
from sendwatch.history import Act
from sendwatch.judge import Answer as Said
from sendwatch.judge import Rulebook, answers
from sendwatch.registry import Registry
from sendwatch.text import fold_word
from sendwatch.verdict import Evidence, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NOW = 1_781_071_200_000  # Wednesday, 2026-06-10, 14:00 in UTC+8
MIDNIGHT = NOW - 14 * HOUR  # of that day, in UTC+8

TEXT = "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
UNSIGNED = "会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"
CODE = "【云岭商贸】您的验证码是824193，5分钟内有效，请勿泄露。"
NOT_SURE = "【云岭商贸】您好。"
ASKING = "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复Y，每月至多4条。"
PATTERN = "会员日全场{goods}八折，满300减50，欢迎选购。拒收请回复R"
PART = Part(ref=7, no=1, total=2)

RULES = rules.discover()
RULEBOOK = Rulebook(RULES, law.load())
REGISTRY: dict[type, str] = {
    Filing: "signatures",
    Port: "ports",
    Letter: "letters",
    Template: "templates",
    Owner: "owners",
}

Known = Filing | Port | Letter | Template | Owner | Act | Answer | Kept


def a_send(id: str = "s", **fields: Any) -> Send:
    """A marketing text of 云岭商贸 by sp1 from 10690001, at NOW."""
    usual: dict[str, Any] = {
        "recipient": "r",
        "sp": "sp1",
        "port": "10690001",
        "sent_at": NOW,
        "text": TEXT,
        "category": "marketing",
        "carrier": "cm",
        "province": "53",
    }
    return Send(id=id, **(usual | fields))


def a_filing(id: str = "f1", **fields: Any) -> Filing:
    """A filing of 云岭商贸 by O1 on 1069, for marketing and service, without limits."""
    usual: dict[str, Any] = {
        "signature": "云岭商贸",
        "owner": "O1",
        "uses": ("marketing", "service", "otp"),
        "ports": ("1069",),
        "valid_from": NOW - 300 * DAY,
    }
    return Filing(id=id, **(usual | fields))


def a_port(id: str = "p1", **fields: Any) -> Port:
    """Port 1069 of sp1."""
    usual: dict[str, Any] = {"port": "1069", "holder": "sp1", "valid_from": NOW - 300 * DAY}
    return Port(id=id, **(usual | fields))


def a_letter(id: str = "l1", **fields: Any) -> Letter:
    """A letter of holder1 for sp1, for every port and signature."""
    usual: dict[str, Any] = {"grantor": "holder1", "grantee": "sp1", "valid_from": NOW - 300 * DAY}
    return Letter(id=id, **(usual | fields))


def a_template(id: str = "t1", **fields: Any) -> Template:
    """The template that TEXT was written after."""
    usual: dict[str, Any] = {
        "signature": "云岭商贸",
        "use": "marketing",
        "pattern": PATTERN,
        "valid_from": NOW - 300 * DAY,
    }
    return Template(id=id, **(usual | fields))


def an_owner(id: str = "O1", **fields: Any) -> Owner:
    """An owner of no group, without an SP account."""
    return Owner(id=id, **({"name": "云岭商贸有限公司"} | fields))


def a_grant(id: str = "c1", **fields: Any) -> Act:
    """A proven, express grant for O1's marketing, a month old; it arrived as it took effect."""
    at = fields.get("effective_at", NOW - 30 * DAY)
    usual: dict[str, Any] = {
        "offset": 0,
        "arrived": at,
        "effective_at": at,
        "owner": "O1",
        "grant": True,
        "method": "opt_in_form",
        "proof": "proof1",
        "captured_at": NOW - 30 * DAY,
    }
    return Act(id=id, **(usual | fields))


def a_withdrawal(id: str = "w1", **fields: Any) -> Act:
    """A recorded withdrawal from O1, a day old."""
    at = fields.get("effective_at", NOW - DAY)
    usual: dict[str, Any] = {
        "offset": 1,
        "arrived": at,
        "effective_at": at,
        "owner": "O1",
        "grant": False,
    }
    return Act(id=id, **(usual | fields))


def a_reply(id: str = "m1", text: str = "退订", **fields: Any) -> Answer:
    """A refusal to port 10690001, a day old."""
    at = fields.get("received_at", NOW - DAY)
    usual: dict[str, Any] = {"offset": 0, "arrived": at, "port": "10690001", "received_at": at}
    return Answer(id=id, word=fold_word(text), **(usual | fields))


def a_kept(id: str = "k1", **fields: Any) -> Kept:
    """A kept marketing send of O1 to the same recipient from 10690001, an hour old."""
    at = fields.get("at", NOW - HOUR)
    usual: dict[str, Any] = {
        "offset": 0,
        "arrived": at,
        "at": at,
        "digest": b"",
        "sp": "sp1",
        "port": "10690001",
        "carrier": "cm",
        "province": "53",
        "signature": "云岭商贸",
        "owner": "O1",
        "owner_reason": "",
        "type": "marketing",
        "type_source": "declared",
        "advertised": ("r",),
        "asks": False,
        "request": None,
    }
    return Kept(id=id, **(usual | fields))


def a_registry(rows: Iterable[Any] = (), parameters: Parameters | None = None) -> Registry:
    """A registry of these rows; of each they are all there from the beginning."""
    parameters = parameters or Parameters()
    registry = Registry(parameters.window, pending_grace=parameters.pending_grace)
    for offset, row in enumerate(rows):
        registry.put(REGISTRY[type(row)], row.id, offset, 0, row)
    return registry


def about(send: Send | None = None, *known: Known, without: type | None = None, **parameters: Any) -> Facts:
    """The facts of a send, judged in the light of what is `known`.

    Signature and port are filed unless filings or ports are given, or it is to be `without` them. Nobody has
    consented to anything unless acts are given. `parameters` are the judge's numbers.
    """
    send = send or a_send()
    numbers = Parameters(**parameters)
    rows = [each for each in known if isinstance(each, tuple(REGISTRY))]
    for kind, usual in ((Filing, a_filing()), (Port, a_port())):
        if without is not kind and not any(isinstance(row, kind) for row in rows):
            rows.append(usual)
    registry = a_registry(rows, numbers)
    dossier = Dossier()
    for each in known:
        if isinstance(each, Act):
            fold_act(dossier, each)
        elif isinstance(each, Answer):
            fold_answer(dossier, each)
        elif isinstance(each, Kept):
            put_kept(dossier, each)
    facts = facts_of_send(send, registry, numbers)
    kept = kept_of(facts, send.request, 100, send.sent_at, b"")
    put_kept(dossier, kept)
    aim(dossier, numbers.window, registry.owners_on_port)
    return add_recipient(facts, kept, dossier, registry)


def unconnected(*tables: str) -> dict[str, Any]:
    """What `about` needs to be told where these tables are not connected."""
    return {"unconnected": frozenset(tables)}


def ask(rule: str, facts: Facts, rulebook: Rulebook = RULEBOOK) -> Said:
    """What the judge has a rule say; `rule` is the beginning of its id."""
    return next(each for each in answers(facts, rulebook) if each.rule.startswith(rule))


def outcome(rule: str, facts: Facts) -> str:
    """The outcome in a word; where undecided, with the reason."""
    said = ask(rule, facts)
    return f"undecided: {said.reason}" if said.outcome is Outcome.UNDECIDED else said.outcome.value


def evidence(rule: str, facts: Facts) -> Evidence:
    """The evidence of a rule that flags the send."""
    said = ask(rule, facts)
    assert said.flag is not None, f"{said.rule} does not flag it: {said.outcome} {said.reason}"
    return said.flag.evidence


def flagged(facts: Facts) -> set[str]:
    """Which rules flag the send, by the first two characters of their ids."""
    return {each.rule[:2] for each in answers(facts, RULEBOOK) if each.outcome is Outcome.FLAGGED}
