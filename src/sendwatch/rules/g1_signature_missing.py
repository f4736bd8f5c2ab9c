"""G1: a text without a signature.

Clause: port messages must carry the sender's true identity (MIIT Order 31 of 2015, Art. 17, from memory; Order
74 of 2026 carries it on); in practice the name in brackets, 【签名】.
"""

from sendwatch.example import clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words

RULE = Rule(
    id="G1_SIGNATURE_MISSING",
    severity=Severity.MEDIUM,
    title=Words("No signature", "短信无签名"),
    reason=Words("The text sent from port {port} bears no signature.", "端口 {port} 发送的短信没有签名。"),
    commercial=False,
    reads=frozenset({"text"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a text without a bracketed name at its head or tail."""
    if facts.reading is None:
        return Undecided("text_unknown")
    if facts.reading.head is None and facts.reading.tail is None:
        return {"port": facts.port}
    return None


EXAMPLES = (
    flagged("no brackets", {"text": "会员日全场女装八折，满300减50，欢迎选购。拒收请回复R"}),
    clean("signed at the end", {"text": "会员日全场女装八折，满300减50，欢迎选购。拒收请回复R【云岭商贸】"}),
    undecided("the text is not at hand", {"text": None}),
)
