"""What the month's demo shows: each breach as it opens and closes, and the comparison when it is over.

Belongs here: lines, tables and JSON. Not here: the comparison (`month_score.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from sendwatch.days import HOUR
from sendwatch.windows.outbreaks import RULES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sendwatch.demo.month_score import MonthScore
    from sendwatch.outgoing import BreachEvent

BY_ID = {rule.id: rule for rule in RULES}
UTC8 = 8 * HOUR


def changed(event: BreachEvent) -> Text:
    """One line a breach that opened or closed, in both languages."""
    rule = BY_ID[event.rule]
    words = rule.reason_of(event.subject, event.measures)
    if event.status == "closed":
        mark, at = ("closed 关闭", "green"), event.closed_at or event.opened_at
        said = Text(f"{rule.title.en}  {rule.title.zh}  {' '.join(str(value) for value in event.subject.values())}")
    else:
        mark, at = ("opened 触发", "red"), event.opened_at
        said = Text(f"{words.en}  {words.zh}")
    line = Text(f"{_time(at)}  ", no_wrap=True, overflow="ellipsis")
    line.append(f"{mark[0]}  ", style=mark[1]).append(f"{event.rule}  ", style="bold").append_text(said)
    return line


def final(score: MonthScore) -> RenderableType:
    """The comparison, rule by rule, and what is wrong, if anything is."""
    table = Table("rule", "", "planted", "opened", "closed", title="what was planted, and what opened")
    for column in table.columns[2:]:
        column.justify = "right"
    for rule in RULES:
        numbers = (part.get(rule.id, 0) for part in (score.planted, score.opened, score.closed))
        table.add_row(rule.id, f"{rule.title.zh} {rule.title.en}", *(str(number) for number in numbers))
    wrong = [
        *(f"missed: {each}" for each in score.missed),
        *(f"extra: {each}" for each in score.extra),
        *(f"not closed: {each}" for each in score.not_closed),
        *(f"closed too often: {each}" for each in score.closed_too_often),
        *(f"a drift that nobody would see: {each}" for each in score.drifts_missed),
        *(f"a sum that is not so: {each}" for each in score.examples),
    ]
    if score.unfolded:
        wrong.append(f"{score.unfolded} ledger records were not added up")
    ran = score.ran
    totals = ", ".join(f"{count:,} {what}" for what, count in score.totals.items())
    killed = f"; killed: {', '.join(ran.killed)}" if ran.killed else ""
    told = Text(f"{ran.judged:,} sends in {ran.seconds:.1f} s by {ran.workers} workers{killed}", style="dim")
    count = Text(f"{score.sums:,} sums counted anew from the topics ({totals}): {score.differing} differ")
    verdict = (
        Text("exactly the planted breaches, and every sum is right", style="bold green")
        if score.good
        else Text("\n".join(["not as planted", *wrong]), style="bold red")
    )
    return Group(table, count, verdict, told)


def as_json(score: MonthScore) -> dict[str, Any]:
    """The score as plain values, and whether it is good."""
    return {"good": score.good, **msgspec.to_builtins(score)}


def _time(at: int) -> str:
    return datetime.fromtimestamp((at + UTC8) / 1000, UTC).strftime("%m-%d %H:%M")
