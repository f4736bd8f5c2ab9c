"""C5: a commercial send after the recipient has refused, by record or by reply.

Clause: after a refusal the sender must stop, 应当停止 (MIIT Order 31 of 2015, Art. 18; carried on by Order 74 of
2026). No grace in law; platforms promised 48 h (JD) or 3 working days (Taobao) in 2021: evidence has both.
"""

from sendwatch.days import DAY, MINUTE, after_working_days
from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Words, without

RULE = Rule(
    id="C5_AFTER_OPT_OUT",
    severity=Severity.HIGH,
    title=Words("Commercial SMS after refusal", "拒绝后仍发送商业短信"),
    reason=Words(
        "{owner} sent {type} {minutes} min after the recipient refused ({by}).",
        "接收方拒绝（{by}）{minutes} 分钟后，{owner} 仍发送 {type} 类短信。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where the latest act is a withdrawal and more than the grace lies between it and the send."""
    act = facts.act
    if act is None or act.grant:
        return without(facts, "replies")
    age = facts.at - act.effective_at
    if age <= facts.parameters.grace:
        return None
    return {
        "owner": facts.owner,
        "type": facts.type,
        "by": "reply" if act.by_reply else "record",
        "refusal": act.id,
        "refused_at": act.effective_at,
        "age_ms": age,
        "minutes": age // 60_000,
        "past_48_hours": age >= 2 * DAY,
        "past_3_working_days": facts.at >= after_working_days(act.effective_at, 3, facts.parameters.holidays),
    }


EXAMPLES = (
    flagged("a refusal reply five days ago", replies=({},)),
    flagged(
        "a withdrawal a minute and a millisecond ago",
        consents=({"action": "withdraw", "effective_at": T - MINUTE - 1},),
    ),
    clean("a withdrawal a minute ago", consents=({"action": "withdraw", "effective_at": T - MINUTE},)),
    clean("agreed to again since", consents=({"effective_at": T - MINUTE},), replies=({},)),
)
