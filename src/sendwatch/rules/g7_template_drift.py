"""G7: a send that names a template which its text is not.

Carrier practice (模板报备): a template is filed with its wording and its links; what drifts from these is
unfiled.
"""

from sendwatch.example import clean, flagged, undecided
from sendwatch.facts import Facts
from sendwatch.templates import foreign_links
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="G7_TEMPLATE_DRIFT",
    severity=Severity.MEDIUM,
    title=Words("Text drifts from its template", "短信内容与报备模板不符"),
    reason=Words("The text is not template {template} ({why}).", "短信内容与模板 {template} 不符（{why}）。"),
    commercial=False,
    reads=frozenset({"text", "templates"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a template that is unknown or not valid, or whose pattern or links the text does not match."""
    named = facts.template
    if named is None:
        return None
    if blind := without(facts, "templates"):
        return blind
    if named.state == "unread":
        return Undecided("text_unknown")
    if named.state != "match":
        return {"template": named.id, "why": named.state}
    if named.template is None or named.template.urls is None or facts.text is None:
        return None
    foreign = foreign_links(named.template, facts.text, ("url",))
    if not foreign:
        return None
    return {"template": named.id, "why": "url", "foreign": len(foreign)}


EXAMPLES = (
    flagged("nobody filed the template", {"template": "template-2"}, templates=({},)),
    flagged(
        "other wording",
        {"template": "template-1"},
        templates=({"pattern": "会员日全场{goods}九折。拒收请回复R"},),
    ),
    clean("the text as filed", {"template": "template-1"}, templates=({},)),
    undecided("the text is not at hand", {"template": "template-1", "text": None}, templates=({},)),
)
