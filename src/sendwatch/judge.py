"""Ask the rules about a send: one judge for the live stream, for corrections, before and after the fact.

Belongs here: which rules are asked when (law in force, mode, type, request, tables that are not connected),
what an exception in a rule becomes, and the ids of flags. Not here: what breaks a clause (`rules/`).

The order of the gates, for one rule and one send:

    off                     the carrier has switched the rule off
    not in force            no law pack holds it at the time of the send
    not applicable          commercial rule, send of another type; or the recipient asked for the send
    undecided               a table that it needs is not connected; its owner or type is not known
    the rule's own answer   while it is not known whether the rule applies, only "clean" stands, no flag
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.verdict import (
    NOTHING,
    Evidence,
    Finding,
    Flag,
    Mode,
    Outcome,
    Rule,
    RuleModule,
    Severity,
    Undecided,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sendwatch.facts import Facts
    from sendwatch.law import Pack
    from sendwatch.policy import Exemption

FOR_EVER = 1 << 62


class Setting(Struct, frozen=True):
    """How the carrier runs one rule."""

    mode: Mode = Mode.ON
    severity: Severity | None = None
    exceptions: tuple[Exemption, ...] = ()


class Asked(Struct, frozen=True):
    """A rule as it is asked at some time: under which pack and clause, how severe, whether in shadow."""

    rule: Rule
    ask: Callable[[Facts], Finding]
    severity: Severity
    shadow: bool
    pack: str
    clause: str
    checked: bool
    exceptions: tuple[Exemption, ...] = ()

    @property
    def by_clock(self) -> bool:
        """Whether its answer turns on the time of the send, though nothing else changes."""
        return self.rule.by_clock or bool(self.exceptions)


class Answer(Struct, frozen=True):
    """One rule's answer, for those who want every answer and not only the flags (`explain`)."""

    rule: str
    outcome: Outcome
    reason: str = ""
    flag: Flag | None = None


class InForce(Struct, frozen=True):
    """The rules that are asked about sends of `since` <= t < `until`.

    `of_send` need the send and the registries, `of_recipient` the recipient's dossier too. Of the first, `lasting`
    answer alike for sends that are alike, whatever their time; `by_clock` turn on the hour, or an exception ends.
    """

    since: int
    until: int
    of_send: tuple[Asked, ...]
    of_recipient: tuple[Asked, ...]
    lasting: tuple[Asked, ...]
    by_clock: tuple[Asked, ...]


class Rulebook:
    """The rules that a carrier asks, by the law in force at the time of a send."""

    def __init__(
        self,
        rules: Mapping[str, RuleModule],
        packs: Sequence[Pack],
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        """Bind rules to packs; `settings` by rule id."""
        self.rules = rules
        self.packs = packs
        self.settings = settings or {}
        edges = {pack.since for pack in packs} | {pack.until for pack in packs if pack.until is not None}
        starts = sorted(edges | {0})
        self._in_force = [self._bind(*span) for span in zip(starts, (*starts[1:], FOR_EVER), strict=True)]

    def in_force(self, t: int) -> InForce:
        """The rules in force at `t` (ms since 1970 UTC)."""
        i = len(self._in_force) - 1
        while self._in_force[i].since > t and i:
            i -= 1
        return self._in_force[i]

    def asked(self, t: int) -> tuple[tuple[Asked, ...], tuple[Asked, ...]]:
        """The rules in force at `t`: those of the send itself; those that read its recipient's dossier."""
        rules = self.in_force(t)
        return rules.of_send, rules.of_recipient

    def _bind(self, since: int, until: int) -> InForce:
        bound = [asked for rule_id in self.rules if (asked := self._bound(rule_id, since))]
        of_send = tuple(asked for asked in bound if not asked.rule.of_recipient)
        return InForce(
            since=since,
            until=until,
            of_send=of_send,
            of_recipient=tuple(asked for asked in bound if asked.rule.of_recipient),
            lasting=tuple(asked for asked in of_send if not asked.by_clock),
            by_clock=tuple(asked for asked in of_send if asked.by_clock),
        )

    def _bound(self, rule_id: str, t: int) -> Asked | None:
        setting = self.settings.get(rule_id, Setting())
        pack = next((p for p in self.packs if rule_id in p.clauses and p.in_force(t)), None)
        if pack is None or setting.mode is Mode.OFF:
            return None
        module = self.rules[rule_id]
        return Asked(
            rule=module.RULE,
            ask=module.judge,
            severity=setting.severity or module.RULE.severity,
            shadow=setting.mode is Mode.SHADOW,
            pack=pack.id,
            clause=pack.clauses[rule_id],
            checked=pack.checked,
            exceptions=setting.exceptions,
        )


def judge(facts: Facts, asked: Iterable[Asked]) -> Verdict:
    """Ask the rules about one send; only flags and undecided answers are kept."""
    flags: list[Flag] = []
    undecided: dict[str, Undecided] = {}
    suppressed: list[str] = []
    commercial = facts.commercial
    # Mostly no gate is closed, and then there is nothing to ask before the rule.
    open_gates = (
        commercial is not None
        and facts.owner is not None
        and facts.requested is False
        and not facts.parameters.unconnected
    )
    for each in asked:
        if commercial is False and each.rule.commercial:
            continue
        found = _answer_of(each, facts) if open_gates else _ask(each, facts, commercial)
        if found is None:
            continue
        if isinstance(found, Undecided):
            undecided[each.rule.id] = found
        elif each.exceptions and _excepted(each, facts):
            suppressed.append(each.rule.id)
        else:
            flags.append(_flag(each, found))
    if not flags and not undecided and not suppressed:
        return NOTHING
    return Verdict(tuple(flags), undecided, tuple(suppressed))


def answers(facts: Facts, rulebook: Rulebook) -> list[Answer]:
    """Every rule's answer about one send, in the order of the catalogue."""
    in_force = {each.rule.id: each for part in rulebook.asked(facts.at) for each in part}
    return [_answer(rule_id, in_force.get(rule_id), facts, rulebook) for rule_id in rulebook.rules]


def _answer(rule_id: str, asked: Asked | None, facts: Facts, rulebook: Rulebook) -> Answer:
    if rulebook.settings.get(rule_id, Setting()).mode is Mode.OFF:
        return Answer(rule_id, Outcome.OFF)
    if asked is None:
        return Answer(rule_id, Outcome.NOT_IN_FORCE)
    if asked.rule.commercial and facts.commercial is False:
        return Answer(rule_id, Outcome.NOT_APPLICABLE, "not_commercial")
    if asked.rule.waived_on_request and facts.requested:
        return Answer(rule_id, Outcome.NOT_APPLICABLE, "requested")
    found = _ask(asked, facts, facts.commercial)
    if found is None:
        return Answer(rule_id, Outcome.CLEAN)
    if isinstance(found, Undecided):
        return Answer(rule_id, Outcome.UNDECIDED, found.reason)
    if _excepted(asked, facts):
        return Answer(rule_id, Outcome.SUPPRESSED, "excepted")
    return Answer(rule_id, Outcome.FLAGGED, flag=_flag(asked, found))


def _ask(asked: Asked, facts: Facts, commercial: bool | None) -> Finding:
    rule = asked.rule
    if rule.waived_on_request and facts.requested:
        return None
    if facts.parameters.unconnected and (missing := rule.needs & facts.parameters.unconnected):
        return Undecided(f"{min(missing)}_not_connected")
    if (commercial is None or facts.owner is None) and rule.commercial and rule.of_recipient:
        return Undecided("type_unknown" if commercial is None else facts.owner_reason)
    found = _answer_of(asked, facts)
    if isinstance(found, dict):
        if rule.commercial and commercial is None:
            return Undecided("type_unknown")
        if rule.waived_on_request and facts.requested is None:
            return Undecided("replies_not_connected")
    return found


def _answer_of(asked: Asked, facts: Facts) -> Finding:
    try:
        return asked.ask(facts)
    except Exception as error:  # noqa: BLE001 - one broken rule must not stop the others, nor pass as clean
        return Undecided("fault", fault=_place(error))


def _excepted(asked: Asked, facts: Facts) -> bool:
    """Whether the carrier spares this sender the rule, at the time of the send."""
    return any(
        facts.at < each.ends_at
        and each.owner in (None, facts.owner)
        and (each.signature is None or each.signature == facts.signature)
        for each in asked.exceptions
    )


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} at {where}"


def _flag(asked: Asked, evidence: Evidence) -> Flag:
    return Flag(
        rule=asked.rule,
        severity=asked.severity,
        shadow=asked.shadow,
        pack=asked.pack,
        clause=asked.clause,
        checked=asked.checked,
        evidence=evidence,
    )


def flag_id(key: bytes, recipient: bytes, send_id: str, rule_id: str) -> str:
    """The id of a flag: the same after any restart, replay or duplicate (128 bits, lower-case hex).

    `recipient` is the internal pseudonym, `key` the internal key.
    """
    parts = (recipient, send_id.encode(), rule_id.encode())
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return blake2b(framed, digest_size=16, key=key).hexdigest()
