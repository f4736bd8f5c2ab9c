"""An explanation as lines for a person, in both languages, and as plain values.

Belongs here: layout. Not here: the answers (`engine/explain.py`), their words (`wording.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch import rules
from sendwatch.wording import OUTCOMES, reason_words

if TYPE_CHECKING:
    from sendwatch.engine.explain import Explained
    from sendwatch.judge import Answer
    from sendwatch.verdict import Words

UNCHECKED = "clause not yet checked by a person 条款待人工核对"


def as_text(explained: Explained) -> str:
    """One block: what was decided of the send, then a line or two for every rule."""
    facts = explained.facts
    head = [
        f"send {facts.id}  at {facts.at}  port {facts.port}  SP {facts.sp}",
        f"  type      {facts.type or 'undecided 未决'} (by {facts.type_source or '–'})",
        f"  signature {facts.signature or '–'}",
        f"  owner     {facts.owner or 'undecided 未决: ' + reason_words(facts.owner_reason).en}",
    ]
    if facts.reading is not None and facts.reading.signs:
        head.append(f"  signs     {', '.join(facts.reading.signs)}")
    return "\n".join([*head, *(line for answer in explained.answers for line in _lines(answer, explained))])


def _lines(answer: Answer, explained: Explained) -> list[str]:
    outcome = OUTCOMES[answer.outcome]
    said = [f"  {answer.rule:<28} {outcome.en} {outcome.zh}"]
    if answer.reason:
        words = reason_words(answer.reason)
        said[0] += f": {words.en} {words.zh}"
    if answer.flag is not None:
        words = _why(answer, explained)
        clause = f"{answer.flag.pack} {answer.flag.clause}" + ("" if answer.flag.checked else f" ({UNCHECKED})")
        said += [f"      {words.en}", f"      {words.zh}", f"      {answer.flag.severity.value}; {clause}"]
    return said


def _why(answer: Answer, explained: Explained) -> Words:
    facts = explained.facts
    assert answer.flag is not None
    fields: dict[str, object] = {
        "id": facts.id,
        "port": facts.port,
        "sp": facts.sp,
        "owner": facts.owner,
        "type": facts.type,
    }
    fields |= {"signature": facts.signature, **answer.flag.evidence}
    return answer.flag.rule.reason.filled({name: "–" if value is None else value for name, value in fields.items()})


def as_json(explained: Explained) -> dict[str, Any]:
    """The same as plain values."""
    facts = explained.facts
    decided = ("id", "at", "sp", "port", "signature", "type", "type_source", "owner")
    send = {name: getattr(facts, name) for name in decided}
    signs = facts.reading.signs if facts.reading is not None else ()
    return {
        "send": {**send, "owner_reason": facts.owner_reason, "signs": signs},
        "answers": [
            {
                "rule": answer.rule,
                "title": msgspec.to_builtins(rules.discover()[answer.rule].RULE.title),
                "outcome": answer.outcome.value,
                "reason": answer.reason,
                "evidence": answer.flag.evidence if answer.flag is not None else None,
                "law": {"pack": answer.flag.pack, "clause": answer.flag.clause, "checked": answer.flag.checked}
                if answer.flag is not None
                else None,
            }
            for answer in explained.answers
        ],
    }
