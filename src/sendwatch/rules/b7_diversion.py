"""B7: a commercial text that leads elsewhere than its template was filed for.

Carrier practice: links, numbers and accounts outside the filed pattern and its URLs divert the recipient.
"""

from sendwatch.example import clean, flagged
from sendwatch.facts import Facts
from sendwatch.templates import foreign_links
from sendwatch.verdict import Finding, Rule, Severity, Undecided, Words, without

RULE = Rule(
    id="B7_DIVERSION",
    severity=Severity.LOW,
    title=Words("Leads outside its template", "引流至模板以外"),
    reason=Words(
        "The text carries {kinds} that the template {template} was not filed with.",
        "短信含有模板 {template} 未报备的引流信息（{kinds}）。",
    ),
    commercial=True,
    reads=frozenset({"type", "text", "templates"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a link, number or account outside the pattern and the URLs of the valid template that is named."""
    named = facts.template
    if named is None:
        return None
    if blind := without(facts, "templates"):
        return blind
    if named.template is None:
        return None
    if facts.text is None:
        return Undecided("text_unknown")
    foreign = foreign_links(named.template, facts.text, ("url", "number", "account"))
    if not foreign:
        return None
    return {"template": named.id, "kinds": sorted({kind for kind, _ in foreign}), "count": len(foreign)}


TEXT = "【云岭商贸】会员日全场{}八折，满300减50，欢迎选购。拒收请回复R"
EXAMPLES = (
    flagged(
        "a number in place of the goods",
        {"text": TEXT.format("女装（详询13800000000）"), "template": "template-1"},
        templates=({},),
    ),
    clean("the text as filed", {"template": "template-1"}, templates=({},)),
    clean("no template named", {"text": TEXT.format("女装（详询13800000000）")}),
)
