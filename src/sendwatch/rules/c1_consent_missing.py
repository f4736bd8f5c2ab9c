"""C1: a commercial send to somebody who never agreed, or whose last consent has expired.

Clause: no commercial short message without the recipient's consent or request, 同意或者请求 (MIIT Order 31 of
2015, Art. 18; carried on by Order 74 of 2026, Art. 21 to 23, whose text a person has still to check).
"""

from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Words, without

RULE = Rule(
    id="C1_CONSENT_MISSING",
    severity=Severity.HIGH,
    title=Words("Commercial SMS without consent", "未经同意发送商业短信"),
    reason=Words(
        "{owner} sent {type} without consent of the recipient ({why}).",
        "{owner} 未取得接收方同意即发送 {type} 类短信（{why}）。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where no act speaks for this owner and type, or the grant that does has expired."""
    act = facts.act
    if act is not None and not (act.grant and expired(facts)):
        return None
    if blind := without(facts, "replies"):
        return blind
    if act is None:
        return {"why": "no_act", "owner": facts.owner, "type": facts.type}
    return {
        "why": "expired",
        "owner": facts.owner,
        "type": facts.type,
        "consent": act.id,
        "effective_at": act.effective_at,
        "expires_at": act.expires_at,
    }


def expired(facts: Facts) -> bool:
    """Whether the act that speaks at the time of the send has run out by then."""
    return facts.act is not None and facts.act.expires_at is not None and facts.at >= facts.act.expires_at


EXAMPLES = (
    flagged("nobody ever agreed", consents=()),
    flagged("the consent ended that very moment", consents=({"expires_at": T},)),
    flagged("only another company was agreed to", consents=({"owner": "owner-2"},)),
    clean("the consent ends a millisecond later", consents=({"expires_at": T + 1},)),
    clean("the recipient agreed to every company", consents=({"owner": "*"},)),
)
