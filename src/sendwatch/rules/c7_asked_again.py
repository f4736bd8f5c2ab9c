"""C7: the recipient is asked for consent again, although no answer is a refusal.

Clause: who does not answer a request for consent has refused; the same or a similar request must not be sent
again (MIIT Order 31 of 2015, Art. 19, second-hand; carried on by Order 74 of 2026).
"""

from sendwatch.days import DAY, HOUR
from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.history import EVERY_OWNER
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="C7_ASKED_AGAIN",
    severity=Severity.MEDIUM,
    title=Words("Asked for consent again", "重复征求同意"),
    reason=Words(
        "{owner} asks for consent again {hours} h after {earlier}, without a grant between.",
        "{owner} 在 {earlier} 之后 {hours} 小时再次征求同意，其间未获同意。",
    ),
    commercial=False,
    reads=frozenset({"owner", "text", "consents", "neighbours"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a request for consent when an earlier one lies in the 72 h before and no grant came between."""
    if facts.asks is None:
        return Undecided("text_unknown")
    if not facts.asks or facts.dossier is None:
        return None
    since, window = facts.at - facts.parameters.ask_again_after, facts.parameters.window
    requests = [other for other in facts.earlier() if other.asks and other.at >= since]
    if not requests:
        return None
    if facts.owner is None:
        return Undecided(facts.owner_reason)
    last = max(requests, key=lambda kept: kept.order)
    for act in facts.dossier.acts:
        counts = act.grant and act.owner in (facts.owner, EVERY_OWNER) and act.arrived <= facts.at + window
        if counts and last.at < act.effective_at <= facts.at:
            return None
    return without(facts, "consents") or {
        "owner": facts.owner,
        "earlier": last.id,
        "hours": (facts.at - last.at) // 3_600_000,
    }


ASKS = {"text": "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复Y，每月至多4条。"}
EXAMPLES = (
    flagged("asked the day before", ASKS, sends=({**ASKS, "id": "a", "sent_at": T - DAY},)),
    clean(
        "asked 72 hours and a millisecond before",
        ASKS,
        sends=({**ASKS, "id": "a", "sent_at": T - 72 * HOUR - 1},),
    ),
    clean(
        "agreed to in between",
        ASKS,
        sends=({**ASKS, "id": "a", "sent_at": T - DAY},),
        consents=({"effective_at": T - HOUR},),
    ),
)
