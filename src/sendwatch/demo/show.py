"""What a demo shows: live counts while it runs, the comparison with the truth when it is over.

Belongs here: tables and JSON. Not here: where the numbers come from (`audience.py`, `simulate/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from sendwatch.demo.audience import Audience
    from sendwatch.verdict import RuleModule


class Score(Struct, frozen=True):
    """How what was found compares with what was planted; counts by rule, and by reason of refusal.

    `raised_late` and `cleared`: flags that a correction raised or cleared on the way.
    """

    sends: int
    seconds: float
    planted: dict[str, int]
    found: dict[str, int]
    missed: dict[str, int]
    extra: dict[str, int]
    refused: dict[str, int]
    refused_missed: dict[str, int]
    refused_extra: dict[str, int]
    gaps: int
    raised_late: dict[str, int] = {}
    cleared: dict[str, int] = {}

    @property
    def good(self) -> bool:
        """Whether nothing is missing and nothing too much."""
        return not (self.missed or self.extra or self.refused_missed or self.refused_extra or self.gaps)


def live(
    audience: Audience, titles: Mapping[str, RuleModule], written: int, total: int, rate: float, address: str
) -> RenderableType:
    """The display while the demo runs."""
    counts = Table.grid(padding=(0, 3))
    judged = audience.judged()
    counts.add_row(
        f"written [b]{written:,}[/b] of {total:,}",
        f"judged [b]{judged:,}[/b]",
        f"[b]{rate:,.0f}[/b]/s",
        f"facts {audience.books.accepted:,}",
        f"quarantined {len(audience.quarantined):,}",
    )
    latest = Table(box=None, show_header=False, padding=(0, 1))
    for event in list(audience.latest)[-6:]:
        mark = "[red]raised[/red]" if event.status == "raised" else "[green]cleared[/green]"
        latest.add_row(mark, event.rule, Text(event.reason.en), Text(event.reason.zh, style="dim"))
    where = f"metrics {address}/metrics   ready {address}/-/ready"
    return Group(Panel(counts, title="sendwatch demo", subtitle=where), _flags(audience, titles), Panel(latest))


def _flags(audience: Audience, titles: Mapping[str, RuleModule]) -> Table:
    """The flags that stand, and the corrections so far: flags raised by a late fact, flags cleared."""
    table = Table("rule", "", "flags", "+late", "cleared", expand=True)
    _fit(table)
    found = audience.by_rule()
    for rule_id, module in titles.items():
        numbers = (found[rule_id], audience.raised_late[rule_id], audience.cleared[rule_id])
        table.add_row(rule_id, _title(module), *(f"{number:,}" if number else "[dim]0[/dim]" for number in numbers))
    return table


def _title(module: RuleModule) -> Text:
    return _cut(f"{module.RULE.title.zh} {module.RULE.title.en}")


def _cut(words: str) -> Text:
    return Text(words, no_wrap=True, overflow="ellipsis")


def _fit(table: Table) -> None:
    """One line a rule, whatever the width: ids and numbers whole, titles cut."""
    for column in (table.columns[0], *table.columns[2:]):  # the titles' may shrink: their cells don't wrap
        column.no_wrap = True
    table.columns[0].overflow = "fold"
    table.columns[0].min_width = 25
    for column in table.columns[2:]:
        column.justify = "right"


def final(score: Score, titles: Mapping[str, RuleModule]) -> RenderableType:
    """The comparison, rule by rule."""
    table = Table("rule", "", "planted", "found", "missed", "extra", title="what was planted, and what was found")
    _fit(table)
    for rule_id, module in titles.items():
        numbers = [part.get(rule_id, 0) for part in (score.planted, score.found, score.missed, score.extra)]
        shown = [f"{numbers[0]:,}", f"{numbers[1]:,}", *(f"[red]{n:,}[/red]" if n else "0" for n in numbers[2:])]
        table.add_row(rule_id, _title(module), *shown)
    refused = sum(score.refused.values())
    table.add_section()
    missed, extra = sum(score.refused_missed.values()), sum(score.refused_extra.values())
    wrong = [f"{missed:,}", f"{extra:,}"]
    kept = f"{refused + missed - extra:,}"
    table.add_row("quarantine", _cut("隔离记录 records refused"), kept, f"{refused:,}", *wrong)
    verdict = (
        Text("nothing is missing, nothing is too much, the books join without a gap", style="bold green")
        if score.good
        else Text(f"not as planted; gaps in the books: {score.gaps}", style="bold red")
    )
    took = f"{score.sends:,} sends in {score.seconds:.1f} s"
    late, cleared = sum(score.raised_late.values()), sum(score.cleared.values())
    corrected = f"; late facts raised {late:,} flags and cleared {cleared:,}" if late or cleared else ""
    return Group(table, verdict, Text(took + corrected, style="dim"))


def as_json(score: Score) -> dict[str, Any]:
    """The score as plain values, and whether it is good."""
    return {"good": score.good, **{name: getattr(score, name) for name in score.__struct_fields__}}
