"""G3: a signature whose filings have all run out or been revoked.

Carrier practice (签名实名制报备): expired papers are as good as none.
"""

from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G3_SIGNATURE_LAPSED",
    severity=Severity.HIGH,
    title=Words("Signature filing lapsed", "签名报备已失效"),
    reason=Words(
        "The last filing {filing} of the signature {signature} ended before the send.",
        "签名 {signature} 的最近一条报备 {filing} 在发送前已失效。",
    ),
    commercial=False,
    reads=frozenset({"text", "signatures"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a signature with filings that began, none of them valid at the time of the send."""
    if facts.reading is None or facts.standing is None:
        return Undecided("text_unknown")
    standing = facts.standing
    if standing.signature is not None and (blind := without(facts, "signatures")):
        return blind
    if not standing.began or standing.valid:
        return None
    last = max(standing.began, key=lambda filing: (filing.valid_until or 0, filing.id))
    return {
        "signature": facts.signature,
        "filing": last.id,
        "ended_at": last.valid_until,
        "status": last.status,
    }


EXAMPLES = (
    flagged("run out that very moment", signatures=({"valid_until": T},)),
    flagged("revoked before", signatures=({"status": "revoked", "valid_until": T - 1},)),
    clean("runs out a millisecond later", signatures=({"valid_until": T + 1},)),
    clean("another filing is still valid", signatures=({"valid_until": T}, {"id": "filing-2"})),
)
