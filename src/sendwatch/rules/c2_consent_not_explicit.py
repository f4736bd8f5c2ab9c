"""C2: consent is in force, but by a method by which nobody expressly agrees.

Clause: consent taken by default (默认) from registration is no consent, 未明确同意视为拒绝 (MIIT guidance before
618 and 双11 of 2021, and draft of 2020; MIIT Order 31 of 2015, Art. 18; Order 74 of 2026, Art. 21 to 23).
"""

from sendwatch import history
from sendwatch.example import clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.rules.c1_consent_missing import expired
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="C2_CONSENT_NOT_EXPLICIT",
    severity=Severity.HIGH,
    title=Words("Consent not expressly given", "同意并非明示作出"),
    reason=Words(
        "Consent {consent} toward {owner} was taken by {method}, which is not express.",
        "对 {owner} 的同意 {consent} 系以 {method} 方式取得，不构成明示同意。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a grant in force whose method is known not to be explicit; an unknown method leaves it open."""
    act = facts.act
    if act is None or not act.grant or expired(facts):
        return None
    express = history.explicit(act.method)
    if express is None:
        return Undecided("method_unknown")
    if express:
        return None
    return without(facts, "replies") or {
        "owner": facts.owner,
        "consent": act.id,
        "method": act.method,
        "effective_at": act.effective_at,
    }


EXAMPLES = (
    flagged("a box ticked beforehand", consents=({"method": "pre_ticked"},)),
    clean("a reply by which the recipient agrees", consents=({"method": "sms_reply"},)),
    undecided("nobody recorded how", consents=({"method": None},)),
)
