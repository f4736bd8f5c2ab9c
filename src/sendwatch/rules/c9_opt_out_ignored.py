"""C9: a refusal reply was ignored: 48 hours later commercial messages still come.

Clause: 便捷和有效的拒绝接收方式, refusing must be easy and effective (MIIT Order 31 of 2015, Art. 18 and 20; Order
74 of 2026; the guidance of 2021 found 回复退订都没用, replying is useless, and JD promised 48 h).
"""

from sendwatch.days import DAY
from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.rules import c5_after_opt_out
from sendwatch.verdict import Finding, Rule, Severity, Words

RULE = Rule(
    id="C9_OPT_OUT_IGNORED",
    severity=Severity.CRITICAL,
    title=Words("Refusal reply ignored", "回复退订无效"),
    reason=Words(
        "{owner} still sends {hours} h after the refusal reply {refusal}.",
        "接收方回复退订（{refusal}）{hours} 小时后，{owner} 仍在发送。",
    ),
    commercial=True,
    waived_on_request=True,
    reads=frozenset({"type", "owner", "consents", "replies"}),
    needs=frozenset({"consents", "replies"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where C5 holds and a refusal reply, not followed by a grant, lies 48 h or more before the send."""
    if not isinstance(c5_after_opt_out.judge(facts), dict) or facts.dossier is None or facts.type is None:
        return None
    acts = facts.acts()
    last_grant = max((act.effective_at for act in acts if act.grant), default=0)
    refusals = [act for act in acts if act.by_reply and last_grant <= act.effective_at <= facts.at - 2 * DAY]
    if not refusals:
        return None
    first = min(refusals, key=lambda act: (act.effective_at, act.id))
    return {
        "owner": facts.owner,
        "refusal": first.id,
        "refused_at": first.effective_at,
        "hours": (facts.at - first.effective_at) // 3_600_000,
    }


EXAMPLES = (
    flagged("refused by reply 48 hours ago", replies=({"received_at": T - 2 * DAY},)),
    clean("refused a millisecond less ago", replies=({"received_at": T - 2 * DAY + 1},)),
    clean("withdrawn by record, not by reply", consents=({"action": "withdraw", "effective_at": T - 5 * DAY},)),
)
