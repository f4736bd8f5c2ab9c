"""C4: more commercial sends in a day than the recipient agreed to.

Clause: consent is asked for with 类型、频次、期限 (kinds, frequency, term); what goes beyond it was not agreed to
(MIIT Order 31 of 2015, Art. 18 and 19, second-hand; carried on by Order 74 of 2026).
"""

from sendwatch.days import HOUR, local_day
from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.rules.c1_consent_missing import expired
from sendwatch.verdict import Finding, Rule, Severity, Words, without

RULE = Rule(
    id="C4_CONSENT_EXCEEDED",
    severity=Severity.MEDIUM,
    title=Words("More sends than agreed", "超出同意的发送频次"),
    reason=Words(
        "Commercial message number {count} of {owner} that day; {max_per_day} a day were agreed.",
        "{owner} 当日第 {count} 条商业短信，超出同意的每日 {max_per_day} 条。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies", "neighbours"}),
    needs=frozenset({"consents"}),
)


def judge(facts: Facts) -> Finding:
    """Flag when the sends of that owner on that day, in order up to this one, exceed the consent's limit."""
    act = facts.act
    if act is None or not act.grant or expired(facts) or act.max_per_day is None:
        return None
    day = local_day(facts.at)
    count = 1 + sum(local_day(other.at) == day for other in facts.earlier_commercial())
    if count <= act.max_per_day:
        return None
    return without(facts, "replies") or {
        "owner": facts.owner,
        "consent": act.id,
        "count": count,
        "max_per_day": act.max_per_day,
    }


EXAMPLES = (
    flagged(
        "the second of the day, one agreed",
        consents=({"max_per_day": 1},),
        sends=({"id": "a", "sent_at": T - 14 * HOUR},),
    ),
    clean(
        "the other lay on the day before",
        consents=({"max_per_day": 1},),
        sends=({"id": "a", "sent_at": T - 14 * HOUR - 1},),
    ),
    clean("no limit was agreed", sends=({"id": "a", "sent_at": T - HOUR},)),
)
