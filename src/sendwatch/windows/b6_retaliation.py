"""B6: whoever complained gets no codes any more.

Carrier practice, not law; the draft of 2020 forbids to limit a user's service messages without cause. Platforms put
complainants on a blacklist for everything; with it go the codes that they need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.verdict import Severity, Words
from sendwatch.windows.aftermath import RETALIATION
from sendwatch.windows.breach import Measure, WindowRule

if TYPE_CHECKING:
    from sendwatch.windows.limits import Limits
    from sendwatch.windows.sums import Blocked

RULE = WindowRule(
    id="B6_RETALIATION",
    severity=Severity.CRITICAL,
    title=Words("A complainant is cut off", "投诉人被限制接收服务短信"),
    reasons=(
        Words(
            "{blocked} codes or service messages of {owner} in a row were blocked after a complaint.",
            "用户投诉后，{owner} 的验证码或服务短信连续 {blocked} 条被拦截。",
        ),
    ),
    subjects=(("recipient", "owner"),),
)


def measure(blocked: Blocked, now: int, limits: Limits) -> Measure | None:
    """What the worker that owns the recipient told last; None once the 30 days are over."""
    if now >= blocked.until:
        return None
    return Measure(
        broken=blocked.run >= limits.blocked,
        level=blocked.run / limits.blocked,
        since=blocked.until - RETALIATION,
        until=blocked.until,
        measures={"blocked": blocked.run},
        limit={"blocked": limits.blocked},
    )
