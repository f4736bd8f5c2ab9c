"""C3: express consent is in force, but no proof of it was held when the send went out.

Clause: the sender must hold 承诺或证明材料 of consent and answers for its truth (MIIT Order 74, Art. 21, in force
since 2026-05-01; second-hand, its text still to be checked by a person).
"""

from sendwatch import history
from sendwatch.example import T, clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.rules.c1_consent_missing import expired
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="C3_PROOF_MISSING",
    severity=Severity.MEDIUM,
    title=Words("No proof of consent", "缺少同意证明材料"),
    reason=Words(
        "Consent {consent} toward {owner} had no proof when the message was sent ({why}).",
        "发送时，对 {owner} 的同意 {consent} 没有证明材料（{why}）。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a grant in force by an explicit method without proof, or with proof captured after the send."""
    act = facts.act
    if act is None or not act.grant or expired(facts):
        return None
    proven = act.proof is not None and act.captured_at is not None and act.captured_at <= facts.at
    express = history.explicit(act.method)
    if proven or express is False:
        return None
    if express is None:
        return Undecided("method_unknown")
    return without(facts, "replies") or {
        "why": "none" if act.proof is None else "captured_later",
        "owner": facts.owner,
        "consent": act.id,
        "method": act.method,
        "proof": act.proof,
        "captured_at": act.captured_at,
    }


PROOF = {"id": "proof-1", "sha256": "0" * 64}
EXAMPLES = (
    flagged("no proof at all", consents=({"proof": None},)),
    flagged("proof captured a millisecond later", consents=({"proof": {**PROOF, "captured_at": T + 1}},)),
    clean("proof captured that very moment", consents=({"proof": {**PROOF, "captured_at": T}},)),
    undecided("no proof, nor how consent was taken", consents=({"proof": None, "method": None},)),
)
