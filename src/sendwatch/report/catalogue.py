"""The catalogue of rules as lines and as plain values, and what differs between two law packs.

Rules of one send come first, then those of many sends together, which have limits ([breaches]) in place of a clause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from sendwatch import law, rules
from sendwatch.example import facts_of_example
from sendwatch.judge import Rulebook, Setting, answers
from sendwatch.windows.outbreaks import RULES

if TYPE_CHECKING:
    from sendwatch.law import Pack
    from sendwatch.windows.breach import WindowRule


class Change(Struct, frozen=True):
    """A rule whose clause differs between two packs; None: the pack doesn't hold it."""

    rule: str
    before: str | None
    after: str | None


def changes(before: Pack, after: Pack) -> list[Change]:
    """Every rule whose clause differs, in the order of their ids."""
    every = sorted({*before.clauses, *after.clauses})
    found = (Change(rule, before.clauses.get(rule), after.clauses.get(rule)) for rule in every)
    return [change for change in found if change.before != change.after]


def as_text(rulebook: Rulebook) -> str:
    """A line a rule."""
    lines = []
    for rule_id, module in rulebook.rules.items():
        setting = rulebook.settings.get(rule_id, Setting())
        severity = setting.severity or module.RULE.severity
        packs = ", ".join(f"{pack.id} {pack.clauses[rule_id]}" for pack in rulebook.packs if rule_id in pack.clauses)
        title = module.RULE.title
        lines.append(f"{rule_id:<28} {severity.value:<9} {setting.mode.value:<7} {title.en} {title.zh}  [{packs}]")
    for each in RULES:
        about = "; ".join(", ".join(fields) for fields in each.subjects)
        lines.append(f"{each.id:<28} {each.severity.value:<9} {'on':<7} {each.title.en} {each.title.zh}  [per {about}]")
    return "\n".join(lines)


def as_json(rulebook: Rulebook) -> list[dict[str, Any]]:
    """The same as plain values."""
    listed = []
    for rule_id, module in rulebook.rules.items():
        rule, setting = module.RULE, rulebook.settings.get(rule_id, Setting())
        listed.append(
            {
                "id": rule_id,
                "title": {"en": rule.title.en, "zh": rule.title.zh},
                "severity": (setting.severity or rule.severity).value,
                "mode": setting.mode.value,
                "commercial_only": rule.commercial,
                "law": {pack.id: pack.clauses[rule_id] for pack in rulebook.packs if rule_id in pack.clauses},
                "subjects": [],
            }
        )
    return [*listed, *map(_windowed, RULES)]


def _windowed(rule: WindowRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "title": {"en": rule.title.en, "zh": rule.title.zh},
        "severity": rule.severity.value,
        "mode": "on",
        "commercial_only": False,
        "law": {},
        "subjects": [list(fields) for fields in rule.subjects],
    }


class Tried(Struct, frozen=True):
    """An example of a rule, and how it was answered."""

    rule: str
    example: str
    expected: str
    got: str

    @property
    def right(self) -> bool:
        """Whether it was answered as it says."""
        return self.expected == self.got


def try_examples() -> list[Tried]:
    """Ask every rule about its own examples, by the judge that runs live, as the catalogue stands."""
    modules = rules.discover()
    rulebook = Rulebook(modules, law.load())
    tried = []
    for rule_id, module in modules.items():
        for example in module.EXAMPLES:
            said = {each.rule: each for each in answers(facts_of_example(example), rulebook)}
            tried.append(Tried(rule_id, example.name, example.outcome.value, said[rule_id].outcome.value))
    return tried
