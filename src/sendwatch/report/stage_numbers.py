"""The numbers of a stage report: what there is to tell, and the rates that follow from it.

Belongs here: their shapes. Not here: counting them (`stage_tally.py`), words and pictures (`stage_words.py`,
`stage_html.py`, `stage_sheets.py`).

    violations   flags that stand: the last record of each flag id is `raised`, and its rule was not on trial (shadow).
                 A send that breaks three clauses is three violations
    sends        as the ledger's tallies count them: each once, under what is known of it last, long messages once
    undecided    sends that at least one rule could not decide
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from sendwatch.report.stage_decisions import Deed

PER = 10_000
"""Rates of violations are per so many sends, as one says them; complaints are per million."""

COUNTED = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")
"""What becomes of a record, in the books."""


class Totals(Struct, frozen=True, kw_only=True):
    """The sums of one span. `sends_flagged`: sends with a violation. `dismissed`: violations that people dismissed.
    `unheeded`: refusals by reply of that span, after which something commercial came in it; `after_opt_out`: all such
    sends, after any refusal.
    """

    sends: int = 0
    undecided: int = 0
    violations: int = 0
    sends_flagged: int = 0
    grave: int = 0
    dismissed: int = 0
    complaints: int = 0
    about_codes: int = 0
    refusals: int = 0
    unheeded: int = 0
    after_opt_out: int = 0
    past_48_hours: int = 0
    ignored: int = 0
    raised_late: int = 0
    cleared: int = 0

    @property
    def rate(self) -> float | None:
        """Violations per 10,000 sends; None: there were no sends."""
        return self.violations * PER / self.sends if self.sends else None

    @property
    def coverage(self) -> float | None:
        """The share of sends that every rule decided."""
        return 1 - self.undecided / self.sends if self.sends else None

    @property
    def per_million(self) -> float | None:
        """Complaints per million sends, those about codes left out."""
        return (self.complaints - self.about_codes) * 1e6 / self.sends if self.sends else None

    @property
    def heeded(self) -> float | None:
        """The share of refusals by reply after which nothing commercial came in that span; None: nobody refused."""
        return max(0.0, 1 - self.unheeded / self.refusals) if self.refusals else None


class RuleLine(Struct, frozen=True, kw_only=True):
    """One rule: its violations now and in the span before, by how many owners; what was corrected and dismissed."""

    rule: str
    severity: str
    clauses: tuple[tuple[str, str, bool], ...]
    violations: int
    before: int | None
    owners: int
    raised_late: int
    cleared: int
    confirmed: int
    dismissed: int

    @property
    def precision(self) -> float | None:
        """Of those that people decided on, the share that they confirmed."""
        judged = self.confirmed + self.dismissed
        return self.confirmed / judged if judged else None


class Group(Struct, frozen=True, kw_only=True):
    """What was sent and found of one owner, signature, port, …; `rule`: the one that it broke most."""

    key: str | None
    name: str | None
    sends: int
    violations: int
    complaints: int
    rule: str | None

    @property
    def rate(self) -> float | None:
        """Violations per 10,000 sends."""
        return self.violations * PER / self.sends if self.sends else None


class Day(Struct, frozen=True, kw_only=True):
    """One day (UTC+8)."""

    day: str
    sends: int
    violations: int
    complaints: int


class Numbers(Struct, kw_only=True):
    """All numbers of a report. `totals` by the role of the span; a span of which nothing is known is left out.

    `unknown`: why sends were undecided, as counts by `type`, `owner`, `other`. `books`: by topic, what became of its
    records. `first_at`, `last_at`: the first and last minute of which anything is known (ms). `groups` by family,
    `group_sizes`: how many there are in all.
    """

    totals: dict[str, Totals]
    rules: list[RuleLine] = field(default_factory=list)
    groups: dict[str, list[Group]] = field(default_factory=dict)
    group_sizes: dict[str, int] = field(default_factory=dict)
    days: list[Day] = field(default_factory=list)
    channels: list[tuple[str, int]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    books: list[tuple[str, dict[str, int]]] = field(default_factory=list)
    breaches: list[dict[str, Any]] = field(default_factory=list)
    actions: dict[str, int] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=list)
    shadow: list[tuple[str, int]] = field(default_factory=list)
    versions: list[tuple[str, str, str, int, int]] = field(default_factory=list)
    packs: list[str] = field(default_factory=list)
    flags: list[dict[str, Any]] = field(default_factory=list)
    first_at: int | None = None
    last_at: int | None = None
    source: str = ""
