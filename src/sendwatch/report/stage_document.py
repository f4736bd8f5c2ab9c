"""A stage report as a document: sections of sentences, tables and pictures in one language, before any layout.

Belongs here: the shape of it, and what its sections are written with. Not here: counting (`stage_tally.py`), wording
(`stage_words.py`), the sections (`stage_write.py`), pages and sheets made of it (`stage_html.py`, `stage_sheets.py`).

    all         everything, also rules on trial and how right each rule was by people's decisions
    regulator   without rules on trial
    owner       one owner's sends alone, each violation, no other owner's name and nobody's decisions
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct, field

from sendwatch import rules
from sendwatch.days import UTC8
from sendwatch.desk.provinces import PROVINCES
from sendwatch.report.stage_words import WORDS
from sendwatch.verdict import Words
from sendwatch.windows.outbreaks import RULES as WINDOWED

if TYPE_CHECKING:
    from sendwatch.report.records import Language
    from sendwatch.report.stage import Scope, Span
    from sendwatch.report.stage_numbers import Numbers, Totals

Kind = Literal["text", "code", "count", "rate", "share", "severity"]
Cell = str | int | float | None


class Column(Struct, frozen=True):
    """One column: what it is called, and what its cells are."""

    title: str
    kind: Kind = "text"


class Table(Struct):
    """Rows under columns. `name` is the same in every language; `measures`: what the numbers of each row are, where
    they differ from row to row."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    note: str = ""
    measures: list[Kind] = field(default_factory=list)

    def kind(self, row: int, column: int) -> Kind:
        """What a cell is."""
        return self.measures[row] if self.measures and column else self.columns[column].kind


class Days(Struct):
    """The picture of sends and violations by day: (day, sends, violations per 10,000)."""

    left: str
    right: str
    columns: list[tuple[str, int, float | None]]


class Bars(Struct):
    """A picture of bars: (label, value, the value it is held against, class)."""

    title: str
    rows: list[tuple[str, float, float | None, str]]
    note: str = ""
    digits: int = 0


class Section(Struct):
    """A part of the report."""

    name: str
    title: str
    sentences: list[str] = field(default_factory=list)
    pictures: list[Days | Bars] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)


class Tile(Struct):
    """A number that is looked at first, what it is, what stands below it, and whether it got worse."""

    label: str
    value: str
    below: str
    tone: Literal["", "good", "bad"] = ""


class Document(Struct):
    """The whole report in one language."""

    language: str
    title: str
    subtitle: str
    edition: str
    lines: list[str]
    tiles: list[Tile]
    sections: list[Section]
    stamp: str
    severities: dict[str, str] = field(default_factory=dict)


class Asked(Struct, frozen=True, kw_only=True):
    """What the document is made of, beside the numbers. `limit`: complaints per million that open a breach."""

    scope: Scope
    language: Language
    made_at: int
    version: str
    limit: float


def date(at: int) -> str:
    """A day in UTC+8."""
    return _local(at).strftime("%Y-%m-%d")


def moment(at: int) -> str:
    """A time in UTC+8."""
    return _local(at).strftime("%Y-%m-%d %H:%M")


def _local(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(UTC8)


class Writer:
    """What sections are written with: the numbers, what was asked, and words in its language."""

    def __init__(self, numbers: Numbers, asked: Asked) -> None:
        self.numbers, self.asked, self.scope = numbers, asked, asked.scope
        self.this: Totals = numbers.totals["this"]
        self.titles = {rule_id: module.RULE.title for rule_id, module in rules.discover().items()}
        self.titles |= {rule.id: rule.title for rule in WINDOWED}
        self.owned = self.scope.owner is not None

    def say(self, word: str, **fields: object) -> str:
        """A word or sentence in the document's language."""
        return self.of(WORDS[word]).format(**fields)

    def value(self, found: str) -> str:
        """A value as the document's language has it; one that is new to this version as it stands."""
        return self.say(found) if found in WORDS else found

    def of(self, words: Words) -> str:
        """Words in the document's language."""
        return words.zh if self.asked.language == "zh" else words.en

    def title_of(self, rule: str | None) -> str:
        """What a rule is called."""
        return "–" if rule is None else self.of(self.titles.get(rule, Words(rule, rule)))

    def span_name(self, span: Span) -> str:
        """What a span is called."""
        until = date(span.until - 1)
        return span.name or (date(span.since) if date(span.since) == until else f"{date(span.since)} – {until}")

    def named(self, span: Span) -> str:
        """A span as a sentence names it."""
        role = self.say(span.role).lower()
        if not span.name:
            return role
        return f"{role}（{span.name}）" if self.asked.language == "zh" else f"{role} ({span.name})"

    def key_of(self, family: str, key: str | None) -> str:
        """What one of a family is called."""
        if key is None:
            return self.say("unknown_key")
        return self.of(PROVINCES[key]) if family == "province" and key in PROVINCES else key

    def compared(self) -> tuple[Span, Totals] | None:
        """The first span of which there is anything to compare with."""
        for span in self.scope.spans[1:]:
            if span.role in self.numbers.totals:
                return span, self.numbers.totals[span.role]
        return None

    def covered(self) -> str:
        """From when to when anything is known of the period."""
        span, first, last = self.scope.span, self.numbers.first_at or 0, self.numbers.last_at or 0
        begin, end = moment(max(first, span.since)), moment(min(last, span.until - 1))
        return self.say("coverage_span", first=begin, last=end)

    def part(self) -> bool:
        """Whether what is known covers a part of the period only, by more than an hour on either side."""
        first, last, span = self.numbers.first_at, self.numbers.last_at, self.scope.span
        hour = 3_600_000
        return first is not None and last is not None and (first > span.since + hour or last < span.until - hour)


def plain(value: Any, kind: Kind) -> str:
    """A number as people read it."""
    if value is None:
        return "–"
    match kind:
        case "count":
            return f"{value:,}" if isinstance(value, int) else str(value)
        case "rate":
            return f"{value:,.2f}" if isinstance(value, int | float) else str(value)
        case "share":
            return f"{value:.2%}" if isinstance(value, int | float) else str(value)
        case _:
            return str(value)


def part_of(some: int, whole: int) -> float | None:
    """The share that some are of all."""
    return some / whole if whole else None


def pairs(text: str) -> str:
    """An object of open shape as people read it."""
    found = msgspec.json.decode(text)
    return ", ".join(f"{name} {value}" for name, value in found.items() if value is not None)
