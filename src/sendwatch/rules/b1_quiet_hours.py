"""B1: a commercial send at night.

Carrier practice, not law: no marketing from 22:00 to 08:00 (UTC+8), both configurable.
"""

from sendwatch.days import HOUR, local_minute
from sendwatch.example import T, clean, flagged
from sendwatch.facts import Facts
from sendwatch.verdict import Finding, Rule, Severity, Words

RULE = Rule(
    id="B1_QUIET_HOURS",
    severity=Severity.LOW,
    title=Words("Commercial SMS in quiet hours", "夜间时段发送商业短信"),
    reason=Words("Sent at {local_time}, within the quiet hours.", "于 {local_time} 夜间免打扰时段发送。"),
    commercial=True,
    by_clock=True,
    reads=frozenset({"type"}),
)


def judge(facts: Facts) -> Finding:
    """Flag a time of day in [quiet_from, quiet_until), which may span midnight."""
    minute = local_minute(facts.at)
    start, end = facts.parameters.quiet_from * 60, facts.parameters.quiet_until * 60
    quiet = start <= minute < end if start <= end else (minute >= start or minute < end)
    if not quiet:
        return None
    return {"local_time": f"{minute // 60:02d}:{minute % 60:02d}"}


EXAMPLES = (
    flagged("at 22:00", {"sent_at": T + 8 * HOUR}),
    flagged("sent at noon, to be delivered at 07:59", {"deliver_at": T + 18 * HOUR - 1}),
    clean("at 21:59", {"sent_at": T + 8 * HOUR - 1}),
    clean("to be delivered at 08:00", {"deliver_at": T + 18 * HOUR}),
)
