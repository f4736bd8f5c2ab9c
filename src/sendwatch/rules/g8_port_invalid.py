"""G8: a port that is not allotted, too long, or used outside its provinces or carriers.

Clause: code numbers are used by their approved 结构、位长、用途、范围 (structure, length, purpose, range; MIIT
Order 31 of 2015, Art. 13, and draft of 2020). A terminal number has 21 digits at most (CMPP Src_Id).
"""

from sendwatch.example import T, clean, flagged, undecided
from sendwatch.facts import LONGEST_PORT, Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G8_PORT_INVALID",
    severity=Severity.HIGH,
    title=Words("Port not valid", "码号无效"),
    reason=Words("Port {port}: {why}.", "码号 {port}：{why}。"),
    commercial=False,
    reads=frozenset({"carrier", "province", "ports"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a port without a valid allotment, with too many digits, or outside its provinces or carriers."""
    row = facts.standing.port if facts.standing is not None else None
    why: list[str] = []
    if len(facts.port) > LONGEST_PORT:
        why.append("too_long")
    unknown = None
    if not why and (blind := without(facts, "ports")):
        return blind
    if row is None:
        why.append("not_allotted")
    else:
        for name, allowed, value in (
            ("carrier", row.carriers, facts.carrier),
            ("province", row.provinces, facts.province),
        ):
            if allowed and value is None:
                unknown = name
            elif allowed is not None and value not in allowed:
                why.append(name)
    if why:
        return {"port": facts.port, "why": why, "allotment": row.id if row is not None else None}
    return Undecided(f"{unknown}_unknown") if unknown else None


EXAMPLES = (
    flagged("never allotted", ports=()),
    flagged("allotted until that very moment", ports=({"valid_until": T},)),
    flagged("22 digits", {"port": "1069" + "0" * 18}),
    flagged("outside its province", {"province": "11"}, ports=({"provinces": ["53"]},)),
    clean("21 digits", {"port": "1069" + "0" * 17}),
    undecided("province not known", {"province": None}, ports=({"provinces": ["53"]},)),
)
