"""What a judgement is made of: rules, their findings, and the verdict on one send.

Belongs here: the shapes, and the words that come out of them. Not here: any decision; what a rule says is in
`rules/`, when it applies is in `judge.py`.

A rule is asked about one send and gives a *finding*:

    None            it does not flag this send
    Evidence        it flags it; the fields that a person needs to agree
    Undecided       an input is unknown, and what is known leaves both answers open
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.example import Example
    from sendwatch.facts import Facts


class Severity(StrEnum):
    """How much a flag of this rule weighs, in the order of the contract."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Mode(StrEnum):
    """How a rule is run: judged and alerted, judged and marked, or not judged."""

    ON = "on"
    SHADOW = "shadow"
    OFF = "off"


class Outcome(StrEnum):
    """Every answer that a rule can give about a send, as `explain` shows it."""

    FLAGGED = "flagged"
    CLEAN = "clean"
    UNDECIDED = "undecided"
    NOT_APPLICABLE = "not_applicable"
    NOT_IN_FORCE = "not_in_force"
    SUPPRESSED = "suppressed"
    OFF = "off"


class Words(Struct, frozen=True):
    """One sentence in both languages; `{name}` stands for a field of the evidence."""

    en: str
    zh: str

    def filled(self, fields: Mapping[str, object]) -> Words:
        """The sentence with the evidence put in; what is absent shows as a dash, a list as its items."""
        return Words(self.en.format_map(_Shown(fields, ", ")), self.zh.format_map(_Shown(fields, "、")))


class _Shown(dict[str, object]):
    """Fields as a sentence shows them."""

    def __init__(self, fields: Mapping[str, object], comma: str) -> None:
        super().__init__(fields)
        self._comma = comma

    def __getitem__(self, key: str) -> object:
        value = self.get(key)
        if isinstance(value, list | tuple):
            return self._comma.join(map(str, value)) or "–"
        return "–" if value is None else value


class Undecided(Struct, frozen=True):
    """The rule cannot say; `reason` is one of a small, fixed set of words (a metric label).

    `fault` names the exception and the place where a rule broke, for the log; it holds no data of the send.
    """

    reason: str
    fault: str = ""


Evidence = dict[str, object]
Finding = Evidence | Undecided | None


class Rule(Struct, frozen=True):
    """What the framework must know of a rule before it asks it.

    `commercial`: asked only of sends whose type is marketing or below. `waived_on_request`: not asked of a
    send that answers the recipient's own request. `reads`: the inputs that its answer can turn on, of
    `INPUTS`. Whoever reads `consents` or `neighbours` is asked again when a fact of the recipient comes
    late; if it is commercial too, type and owner must be known. `by_clock`: its answer turns on the time of
    day, so it is not remembered for sends that are otherwise alike. `needs`: the tables of these without which
    none of its answers stands. Where only some turn on a table, the rule says so itself, by `without`.
    """

    id: str
    severity: Severity
    title: Words
    reason: Words
    commercial: bool
    waived_on_request: bool = False
    by_clock: bool = False
    reads: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()

    @property
    def of_recipient(self) -> bool:
        """Whether its answer depends on the recipient's dossier, not only on send and registries."""
        return not self.reads.isdisjoint(RECIPIENT_INPUTS)


TABLES = frozenset({"consents", "replies", "signatures", "ports", "letters", "templates", "owners"})
RECIPIENT_INPUTS = frozenset({"consents", "neighbours"})
INPUTS = TABLES | RECIPIENT_INPUTS | {"type", "owner", "text", "carrier", "province"}


def without(facts: Facts, *tables: str) -> Undecided | None:
    """Undecided where one of these tables is not connected, for an answer that turns on it; else None."""
    for table in tables:
        if table in facts.parameters.unconnected:
            return Undecided(f"{table}_not_connected")
    return None


class RuleModule(Protocol):
    """What a file of `rules/` provides; at least one of its examples is flagged, one clean."""

    RULE: Rule
    EXAMPLES: tuple[Example, ...]

    @staticmethod
    def judge(facts: Facts) -> Finding:
        """Ask the rule about one send."""


class Flag(Struct, frozen=True):
    """A rule flags the send: the rule, the clause it rests on, and the evidence."""

    rule: Rule
    severity: Severity
    shadow: bool
    pack: str
    clause: str
    checked: bool
    evidence: Evidence


class Verdict(Struct, frozen=True):
    """All that the rules said of one send, the clean and inapplicable ones left out.

    `undecided` is by rule id; `suppressed` are the rules that would flag, were the sender not excepted.
    """

    flags: tuple[Flag, ...] = ()
    undecided: Mapping[str, Undecided] = {}
    suppressed: tuple[str, ...] = ()


NOTHING = Verdict()
