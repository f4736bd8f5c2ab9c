"""G4: a filed signature used beyond what was filed: another port, SP, carrier, province or type.

Carriers must not let the use of a signature be widened (扩大签名使用范围; MIIT guidance 2021).
"""

from sendwatch.example import clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G4_SIGNATURE_OUT_OF_SCOPE",
    severity=Severity.HIGH,
    title=Words("Signature used out of its filed scope", "签名超出报备使用范围"),
    reason=Words(
        "{signature}: the nearest filing {filing} does not cover this send's {fails}.",
        "{signature}：最接近的报备 {filing} 不包含本次发送的 {fails}。",
    ),
    commercial=False,
    reads=frozenset({"type", "text", "carrier", "province", "signatures"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where valid filings exist and none covers port, SP, carrier, province and type together."""
    if facts.reading is None or facts.standing is None:
        return Undecided("text_unknown")
    standing = facts.standing
    if standing.signature is not None and (blind := without(facts, "signatures")):
        return blind
    covered = standing.covered(facts.type)
    nearest = None if covered else standing.nearest(facts.type)
    if nearest is None:
        return None
    if covered is None:
        return Undecided(f"{nearest.unknown[0]}_unknown")
    return {
        "signature": facts.signature,
        "filing": nearest.filing.id,
        "owner": nearest.filing.owner,
        "fails": list(nearest.fails),
        "filed_ports": list(nearest.filing.ports[:10]),
        "filed_uses": list(nearest.filing.uses),
    }


EXAMPLES = (
    flagged("filed for service only", signatures=({"uses": ["service"]},)),
    flagged(
        "two filings, neither covers both",
        signatures=({"ports": ["1068"]}, {"id": "filing-2", "sps": ["sp-2"]}),
    ),
    clean("filed for what is above the type", signatures=({"uses": ["marketing"]},)),
    undecided("filed for one carrier, carrier not known", {"carrier": None}, signatures=({"carriers": ["cm"]},)),
)
