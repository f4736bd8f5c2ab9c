"""G5: a port used by an SP that does not hold it, without a whole chain of letters: a sub-lease.

Clause: code numbers must not be passed on or let, 转让、出租 (MIIT Order 31 of 2015, Art. 13, and draft of 2020;
no illegal sub-letting, 违规转租, guidance of 2021). What that is for a machine is our own definition.
"""

from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G5_SUBLEASE",
    severity=Severity.CRITICAL,
    title=Words("Port sub-let", "码号违规转租"),
    reason=Words(
        "Port {port} is held by {holder}; no letter links {grantor} to {grantee} ({fails}).",
        "码号 {port} 归 {holder} 所有；{grantor} 至 {grantee} 缺少有效授权（{fails}）。",
    ),
    commercial=False,
    reads=frozenset({"text", "ports", "letters", "owners"}),
    needs=frozenset({"ports"}),
)


def judge(facts: Facts) -> Finding:
    """Flag where no chain of letters valid at the time leads from the holder to the SP."""
    standing = facts.standing
    if standing is None or standing.port is None or standing.chain is None or standing.chain.whole:
        return None
    if blind := without(facts, "letters", "owners"):
        return blind
    if standing.chain.whole is None:
        return Undecided("text_unknown")
    broken = standing.chain.broken
    evidence: dict[str, object] = {"port": standing.port.port, "holder": standing.port.holder, "sp": facts.sp}
    if broken is not None:
        evidence |= {
            "grantor": broken.grantor,
            "grantee": broken.grantee,
            "letter": broken.letter,
            "fails": list(broken.fails) or ["missing"],
        }
    return evidence


EXAMPLES = (
    flagged("held by another, no letter", ports=({"holder": "holder-1"},)),
    flagged("the letter ended that very moment", ports=({"holder": "holder-1"},), letters=({"valid_until": T},)),
    clean("a letter of the holder", ports=({"holder": "holder-1"},), letters=({},)),
    clean("its own port"),
)
