"""C8: a commercial send whose whole text offers no way to refuse.

Clause: 便捷和有效的拒绝接收方式并随短信息告知, an easy and effective way to refuse, told with the message (MIIT
Order 31 of 2015, Art. 20; carried on by Order 74 of 2026).
"""

from sendwatch.example import clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words

RULE = Rule(
    id="C8_NO_OPT_OUT_TEXT",
    severity=Severity.MEDIUM,
    title=Words("No way to refuse in the text", "短信未告知拒绝接收方式"),
    reason=Words(
        "The {type} text of {signature} does not say how to refuse.",
        "{signature} 的 {type} 类短信未告知如何拒绝接收。",
    ),
    commercial=True,
    reads=frozenset({"type", "text"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a whole text without refusal wording."""
    if facts.reading is None:
        return Undecided("text_unknown")
    if facts.reading.refusable:
        return None
    return {"type": facts.type, "signature": facts.signature}


EXAMPLES = (
    flagged("no word of refusing", {"text": "【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。"}),
    clean("a word to reply with"),
    undecided("the text is not at hand", {"text": None}),
)
