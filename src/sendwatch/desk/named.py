"""What ids are called: rules, owners, provinces.

Belongs here: looking names up for the answers. Not here: the names themselves (rules and registries have them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.desk.provinces import PROVINCES
from sendwatch.desk.say import RuleView
from sendwatch.judge import Setting
from sendwatch.verdict import Words
from sendwatch.windows.outbreaks import RULES as WINDOWED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.engine.judging import Judging
    from sendwatch.judge import Rulebook
    from sendwatch.registry import Registry

LATER = 1 << 52  # ms: after every record that there is


class Named(Struct, frozen=True):
    """The catalogue by id, and the registry that knows owners."""

    rules: Mapping[str, RuleView]
    registry: Registry

    def title(self, rule: str) -> Words:
        """The title of a rule; of one that this version does not know, its id."""
        known = self.rules.get(rule)
        return known.title if known is not None else Words(rule, rule)

    def severity(self, rule: str) -> str:
        """The severity of a rule as the carrier runs it."""
        known = self.rules.get(rule)
        return known.severity if known is not None else ""

    def owner(self, owner: str | None) -> Words | None:
        """What an owner is called, by what is filed now."""
        row = self.registry.owner_row(owner, LATER) if owner else None
        return Words(row.name, row.name) if row is not None else None

    def of(self, family: str, subject: str | None) -> Words | None:
        """What a subject of a family is called."""
        if family == "owner":
            return self.owner(subject)
        return PROVINCES.get(subject or "") if family == "province" else None

    @property
    def titles(self) -> dict[str, Words]:
        """The titles of the rules about single sends."""
        return {rule.id: rule.title for rule in self.rules.values() if not rule.windowed}


def named(judging: Judging) -> Named:
    """The names that this installation's rules and registries give."""
    return Named(catalogue(judging.rulebook), judging.registry)


def catalogue(rulebook: Rulebook) -> dict[str, RuleView]:
    """Every rule as people meet it, those about many sends together last."""
    listed = {}
    for rule_id, module in rulebook.rules.items():
        setting = rulebook.settings.get(rule_id, Setting())
        listed[rule_id] = RuleView(
            id=rule_id,
            title=module.RULE.title,
            severity=(setting.severity or module.RULE.severity).value,
            mode=setting.mode.value,
            commercial_only=module.RULE.commercial,
            law={pack.id: pack.clauses[rule_id] for pack in rulebook.packs if rule_id in pack.clauses},
            windowed=False,
        )
    for rule in WINDOWED:
        listed[rule.id] = RuleView(rule.id, rule.title, rule.severity.value, "on", False, {}, True)
    return listed
