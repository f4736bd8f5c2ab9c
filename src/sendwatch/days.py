"""Days, times of day and working days, all in UTC+8. Times are ms since 1970 UTC.

Belongs here: arithmetic on them. Not here: which days are holidays (a setting), what a day means for a send.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEIJING = 8 * HOUR
EPOCH = date(1970, 1, 1).toordinal()
UTC8 = timezone(timedelta(hours=8))
THURSDAY = 3  # 1970-01-01, counting Monday as 0
SATURDAY = 5


def local_day(t: int) -> int:
    """The day number of `t`, 1970-01-01 being 0."""
    return (t + BEIJING) // DAY


def local_minute(t: int) -> int:
    """The minute of the day of `t`, 0 to 1439."""
    return (t + BEIJING) % DAY // MINUTE


def instant(text: str) -> int:
    """The time of an ISO date, or date and time; without a zone it is in UTC+8. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC8)).timestamp() * 1000)


def years_around(t: int) -> tuple[int, int, int]:
    """The year of `t`, between the one before and the one after."""
    year = datetime.fromtimestamp(t / 1000, UTC8).year
    return year - 1, year, year + 1


def stretch_of_days(year: int, *days: str) -> tuple[int, int] | None:
    """[from, to) of month, day, month, day in digits: from the first day, which is in `year`, to the end of the last.

    The last may be in the year after. None where there are no such days.
    """
    first_month, first_day, last_month, last_day = map(int, days)
    over_new_year = (last_month, last_day) < (first_month, first_day)
    try:
        since = datetime(year, first_month, first_day, tzinfo=UTC8)
        until = datetime(year + over_new_year, last_month, last_day, tzinfo=UTC8) + timedelta(days=1)
    except ValueError:
        return None
    return int(since.timestamp() * 1000), int(until.timestamp() * 1000)


def iso_date(day: int) -> str:
    """The ISO date of a day number."""
    return date.fromordinal(day + EPOCH).isoformat()


def after_working_days(t: int, days: int, holidays: frozenset[str]) -> int:
    """The end of the `days`-th working day after the day of `t`.

    Working days are Monday to Friday less `holidays` (ISO dates).
    """
    day, left = local_day(t), days
    while left:
        day += 1
        if (day + THURSDAY) % 7 < SATURDAY and iso_date(day) not in holidays:
            left -= 1
    return (day + 1) * DAY - BEIJING
