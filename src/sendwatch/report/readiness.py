"""A planned campaign, read from a table, and what it would break, as lines and as JSON, in both languages.

Belongs here: the columns, the order and the words. Not here: what would break (`windows/readiness.py`).
"""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from sendwatch import rules
from sendwatch.days import instant
from sendwatch.windows.outbreaks import RULES
from sendwatch.windows.readiness import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sendwatch.windows.readiness import Concern, Readiness

COLUMNS = tuple(field.name for field in msgspec.structs.fields(Plan))
UTC_PLUS_8 = timedelta(hours=8)


class BadPlanError(ValueError):
    """A line of a plan that says too little, or nonsense."""


def plans_in(lines: Iterable[str]) -> list[Plan]:
    """The plans of a table with a heading; columns in any order, an empty cell means not known.

    `at` is ms since 1970 UTC, or an ISO date and time (UTC+8 where it names no zone). Raises BadPlanError.
    """
    table = csv.DictReader(lines)
    if unknown := set(table.fieldnames or ()) - set(COLUMNS):
        raise BadPlanError(f"line 1: no columns {', '.join(sorted(map(str, unknown)))}; there are {', '.join(COLUMNS)}")
    return [_plan(row, table.line_num) for row in table]


def _plan(row: dict[str, str | None], number: int) -> Plan:
    told: dict[str, Any] = {name: cell.strip() for name, cell in row.items() if cell and cell.strip()}
    try:
        if "at" in told and not told["at"].isdigit():
            told["at"] = instant(told["at"])
        plan = msgspec.convert(told, Plan, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadPlanError(f"line {number}: {error}") from None
    if plan.sends < 1:
        raise BadPlanError(f"line {number}: {plan.sends} sends")
    return plan


def as_json(found: Sequence[Readiness]) -> Any:
    """Everything, as plain values."""
    return msgspec.to_builtins(found)


def as_lines(found: Sequence[Readiness]) -> Iterator[str]:
    """The same for people."""
    titles = {rule_id: module.RULE.title for rule_id, module in rules.discover().items()}
    titles |= {rule.id: rule.title for rule in RULES}
    for ready in found:
        plan = ready.plan
        yield f"【{plan.signature}】 / {plan.port} / {plan.sp}: {plan.sends:,} {plan.type} at {_time(plan.at)}"
        for concern in ready.concerns:
            title, how = titles[concern.rule], "will break 将违反" if concern.sure else "may break 可能违反"
            yield f"    {how}  {concern.rule}  {title.en} {title.zh}  {_evidence(concern)}"
        if not ready.concerns:
            yield "    nothing stands against it 未发现问题"
        owner = ready.owner or "–"
        told = f"{ready.expected_complaints:g} complaints expected, room for {ready.room} until B3 opens"
        yield f"    owner {owner}: {told} 预计投诉 {ready.expected_complaints:g} 次，距 B3 超限还可承受 {ready.room} 次"


def _evidence(concern: Concern) -> str:
    said = {name: _time(value) if name in {"at", "ended"} else value for name, value in concern.evidence.items()}
    return ", ".join(f"{name} {'–' if value is None else value}" for name, value in said.items())


def _time(at: Any) -> str:
    return (datetime.fromtimestamp(at / 1000, UTC) + UTC_PLUS_8).strftime("%Y-%m-%d %H:%M")
