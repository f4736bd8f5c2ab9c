"""G2: a signature that nobody has filed.

Carrier practice since the real-name filing of signatures (签名实名制报备): what is not filed and approved may
not be sent. A filing that is pending counts only where the carrier graces it.
"""

from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G2_SIGNATURE_UNFILED",
    severity=Severity.HIGH,
    title=Words("Signature not filed", "签名未报备"),
    reason=Words(
        "No approved filing of the signature {signature} had begun ({other} others).",
        "签名 {signature} 没有已生效的报备记录（另有 {other} 条未获批）。",
    ),
    commercial=False,
    reads=frozenset({"text", "signatures"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a signature of which no approved or revoked filing began by the time of the send."""
    if facts.reading is None or facts.standing is None:
        return Undecided("text_unknown")
    standing = facts.standing
    if standing.signature is None or standing.began:
        return None
    if blind := without(facts, "signatures"):
        return blind
    evidence: dict[str, object] = {"signature": facts.signature, "other": len(standing.unapproved)}
    if standing.unapproved:
        evidence |= {"filing": standing.unapproved[0].id, "status": standing.unapproved[0].status}
    elif standing.filings:
        first = min(standing.filings, key=lambda filing: (filing.valid_from, filing.id))
        evidence |= {"filing": first.id, "begins_at": first.valid_from}
    return evidence


EXAMPLES = (
    flagged("nobody filed it", signatures=()),
    flagged("the filing is pending", signatures=({"status": "pending"},)),
    flagged("the filing begins a millisecond later", signatures=({"valid_from": T + 1},)),
    clean("the filing begins that very moment", signatures=({"valid_from": T},)),
    clean("revoked later on", signatures=({"status": "revoked", "valid_until": T + 1},)),
)
