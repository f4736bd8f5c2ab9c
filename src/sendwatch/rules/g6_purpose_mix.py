"""G6: commercial messages where only service was allotted, or declared as something else.

Clause: service ports are not for commercial messages, and a code is used only within its approved purpose, 用途
(MIIT Order 31 of 2015, Art. 13 and 20; carried on by Order 74 of 2026).
"""

from sendwatch.dossier import is_commercial
from sendwatch.example import clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G6_PURPOSE_MIX",
    severity=Severity.HIGH,
    title=Words("Commercial SMS under another purpose", "以其他用途发送商业短信"),
    reason=Words(
        "{type} sent as {declared} from port {port} ({why}).",
        "以 {declared} 名义、经端口 {port} 发送 {type} 类短信（{why}）。",
    ),
    commercial=False,
    reads=frozenset({"type", "text", "ports"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a commercial send from a service port, and a commercial text declared as otp or service.

    A text whose class is not sure is not classed commercial: that half is then clean.
    """
    row = facts.standing.port if facts.standing is not None else None
    service_port = row is not None and row.purpose == "service"
    declared_other = facts.declared is not None and not is_commercial(facts.declared)
    why: list[str] = []
    if service_port and facts.commercial:
        why.append("service_port")
    if declared_other and facts.reading is not None and is_commercial(facts.reading.klass):
        why.append("declared")
    if why:
        return {"type": facts.type, "declared": facts.declared, "port": facts.port, "why": why}
    if facts.commercial is not False and (blind := without(facts, "ports")):
        return blind
    if service_port and facts.commercial is None:
        return Undecided("type_unknown")
    if declared_other and facts.reading is None:
        return Undecided("text_unknown")
    return None


EXAMPLES = (
    flagged("from a service port", ports=({"purpose": "service"},)),
    flagged("declared as a service message", {"category": "service"}),
    clean("from a mixed port, declared as it is"),
)
