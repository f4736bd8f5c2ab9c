"""C6: after a refusal, another company of the same brand group sends, and was never agreed to.

Clause: after a refusal nobody may send again under another name, 不得更换名义后再次发送 (SAMR Order 37 of 2021, on
online trading; with MIIT Order 31 of 2015, Art. 18, and Order 74 of 2026).
"""

from sendwatch import history
from sendwatch.days import DAY
from sendwatch.example import Records, T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.rules import c1_consent_missing
from sendwatch.verdict import Finding, Rule, Severity, Words, without

RULE = Rule(
    id="C6_RENAMED_AFTER_OPT_OUT",
    severity=Severity.HIGH,
    title=Words("Renamed after a refusal", "拒绝后更换名义再次发送"),
    reason=Words(
        "The recipient refused {refused}, of the same group as {owner}, which was never agreed to.",
        "接收方已拒绝同一集团的 {refused}，{owner} 未经同意再次发送。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies", "owners"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where C1 holds and the latest act toward another owner of the group is a withdrawal."""
    without_consent = c1_consent_missing.judge(facts)
    if not isinstance(without_consent, dict):
        return without_consent
    if facts.dossier is None or facts.type is None:
        return None
    if blind := without(facts, "owners"):
        return blind
    acts = tuple(facts.dossier.every_act())
    for sibling in facts.siblings:
        act = history.latest(acts, sibling, facts.type, facts.at, facts.parameters.window)
        if act is not None and not act.grant:
            return {
                "owner": facts.owner,
                "refused": sibling,
                "refusal": act.id,
                "refused_at": act.effective_at,
            }
    return None


REFUSED = {"id": "refusal", "owner": "owner-2", "action": "withdraw", "effective_at": T - DAY}
GROUP: Records = ({"group": "g1"}, {"id": "owner-2", "group": "g1"})
EXAMPLES = (
    flagged("the other company of the group was refused", consents=(REFUSED,), owners=GROUP),
    clean(
        "that company is of another group",
        consents=(REFUSED,),
        owners=(GROUP[0], {"id": "owner-2", "group": "g2"}),
    ),
    clean("the sender itself was agreed to", consents=(REFUSED, {}), owners=GROUP),
)
