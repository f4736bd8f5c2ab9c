"""B3: more complaints about an owner on a port than its sends allow.

Carrier practice, not law: suspension above 0.25 complaints per million sends a month is a threshold published by a
large platform (Huawei); 5 complaints in 10 days trigger action in India. Few sends prove little: so the exact
one-sided 95 % lower bound of the rate is held against the limit, never the rate itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.verdict import Severity, Words
from sendwatch.windows.breach import Measure, WindowRule
from sendwatch.windows.limits import HOUR
from sendwatch.windows.poisson import lower_bound

if TYPE_CHECKING:
    from sendwatch.windows.limits import Limits
    from sendwatch.windows.lines import Subject, Table

MILLION = 1_000_000
MONTH, TEN_DAYS = 30 * 24, 10 * 24

RULE = WindowRule(
    id="B3_COMPLAINT_RATE",
    severity=Severity.HIGH,
    title=Words("Too many complaints", "投诉率过高"),
    reasons=(
        Words(
            "{complaints} complaints about {owner} on {port} in {sends} sends of 30 days.",
            "{owner} 在端口 {port} 30 日内发送 {sends} 条，被投诉 {complaints} 次。",
        ),
    ),
    subjects=(("owner", "port"),),
)


def measure(table: Table, subject: Subject, now: int, limits: Limits) -> Measure:
    """Complaints and sends of the last 720 clock hours, and of the last 240 where those have few sends."""
    complaints = table.sum(subject, "complaints", now, MONTH)
    sends = table.sum(subject, "sends", now, MONTH)
    return judge(
        complaints, sends, table.sum(subject, "complaints", now, TEN_DAYS), table.sum(subject, "sends", now, TEN_DAYS),
        now, limits,
    )  # fmt: skip


def judge(complaints: int, sends: int, complaints_10d: int, sends_10d: int, now: int, limits: Limits) -> Measure:
    """What these counts amount to; readiness asks it of counts that are only expected."""
    bound = bound_per_million(complaints, sends)
    by_rate = min(complaints / limits.complaints, bound / limits.complaints_per_million)
    few = sends_10d < limits.few_sends
    by_count = complaints_10d / limits.complaints if few else 0.0
    end = (now // HOUR + 1) * HOUR
    return Measure(
        broken=(complaints >= limits.complaints and bound > limits.complaints_per_million)
        or (few and complaints_10d >= limits.complaints),
        level=max(by_rate, by_count),
        since=end - MONTH * HOUR,
        until=end,
        measures={
            "complaints": complaints,
            "sends": sends,
            "lower_bound_per_million": round(bound, 6),
            "complaints_10d": complaints_10d,
            "sends_10d": sends_10d,
        },
        limit={
            "complaints": limits.complaints,
            "complaints_per_million": limits.complaints_per_million,
            "few_sends": limits.few_sends,
        },
    )


def bound_per_million(complaints: int, sends: int) -> float:
    """The lower bound of the rate per million; complaints without any send count as if there had been one."""
    return lower_bound(complaints) / max(sends, 1) * MILLION
