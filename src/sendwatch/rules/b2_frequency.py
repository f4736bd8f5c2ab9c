"""B2: too many commercial sends of one owner to one recipient within an hour.

Carrier practice, not law: no more than 4 an hour (configurable).
"""

from sendwatch.days import HOUR, MINUTE
from sendwatch.example import Records, T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Words

RULE = Rule(
    id="B2_FREQUENCY",
    severity=Severity.LOW,
    title=Words("Too many commercial SMS in an hour", "一小时内商业短信过多"),
    reason=Words(
        "Commercial message number {count} of {owner} within an hour; the limit is {limit}.",
        "{owner} 一小时内第 {count} 条商业短信，上限为 {limit} 条。",
    ),
    commercial=True,
    reads=frozenset({"type", "owner", "neighbours"}),
)


def judge(facts: Facts) -> Finding:
    """Flag when more than the limit lie in (t - 1 h, t], this one included, in order of time, then id."""
    count = 1 + sum(other.at > facts.at - HOUR for other in facts.earlier_commercial())
    if count <= facts.parameters.hourly_limit:
        return None
    return {"owner": facts.owner, "count": count, "limit": facts.parameters.hourly_limit}


FOUR_BEFORE: Records = tuple({"id": f"earlier-{each}", "sent_at": T - 10 * each * MINUTE} for each in (5, 4, 3, 2))
EXAMPLES = (
    flagged("the fifth within an hour", sends=FOUR_BEFORE),
    clean("the fourth within an hour", sends=FOUR_BEFORE[1:]),
    clean("the first of them an hour ago", sends=({"id": "a", "sent_at": T - 60 * MINUTE}, *FOUR_BEFORE[1:])),
)
