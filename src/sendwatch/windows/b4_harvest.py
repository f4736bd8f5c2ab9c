"""B4: numbers that nobody gave: sends to honeypots, or most of them to numbers that take nothing.

Carrier practice, not law. Whoever guesses or buys numbers hits unused ones, and those that were set out for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.verdict import Severity, Words
from sendwatch.windows.breach import Measure, WindowRule
from sendwatch.windows.limits import HOUR

if TYPE_CHECKING:
    from sendwatch.windows.limits import Limits
    from sendwatch.windows.lines import Subject, Table

RULE = WindowRule(
    id="B4_HARVEST",
    severity=Severity.HIGH,
    title=Words("Sends to numbers that nobody gave", "疑似批量撞号"),
    reasons=(
        Words(
            "{sp} on {port} in an hour: {honeypots} honeypots hit, {undelivered} of {reported} sends not delivered.",
            "{sp} 在端口 {port} 一小时内：命中蜜罐号码 {honeypots} 次，{reported} 条中 {undelivered} 条未送达。",
        ),
    ),
    subjects=(("sp", "port"),),
)


def measure(table: Table, subject: Subject, hour: int, limits: Limits) -> Measure:
    """Honeypot hits and status reports of one clock hour (hours since 1970 UTC)."""
    at = hour * HOUR
    honeypots, undelivered = table.sum(subject, "honeypots", at, 1), table.sum(subject, "undelivered", at, 1)
    reported = undelivered + table.sum(subject, "delivered", at, 1)
    share = undelivered / reported if reported else 0.0
    level = min(reported / limits.reported, share / limits.undelivered_share)
    broken = reported >= limits.reported and share > limits.undelivered_share
    return Measure(
        broken=honeypots > 0 or broken,
        level=max(float(honeypots), level),
        since=at,
        until=at + HOUR,
        measures={"honeypots": honeypots, "reported": reported, "undelivered": undelivered},
        limit={"honeypots": 0, "reported": limits.reported, "undelivered_share": limits.undelivered_share},
    )
