"""Days, times of day and working days in UTC+8."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build import DAY, HOUR, MIDNIGHT, NOW
from sendwatch.days import after_working_days, iso_date, local_day, local_minute

BEIJING = timezone(timedelta(hours=8))
MOMENTS = st.integers(946_656_000_000, 4_102_444_800_000)


@given(MOMENTS)
def test_days_and_minutes_are_those_of_the_clock_in_beijing(t: int) -> None:
    """Against the standard library."""
    there = datetime.fromtimestamp(t // 1000, BEIJING)
    assert iso_date(local_day(t)) == there.date().isoformat()
    assert local_minute(t) == there.hour * 60 + there.minute


def test_a_day_begins_at_midnight_in_utc_8() -> None:
    """16:00 UTC."""
    assert local_day(MIDNIGHT) == local_day(NOW) == local_day(MIDNIGHT - 1) + 1
    assert (local_minute(MIDNIGHT), local_minute(MIDNIGHT - 1)) == (0, 1439)


@pytest.mark.parametrize(
    ("t", "days", "holidays", "end"),
    [
        (NOW, 1, (), MIDNIGHT + 2 * DAY),  # Wednesday: the end of Thursday
        (NOW, 3, (), MIDNIGHT + 6 * DAY),  # Thursday, Friday, Monday
        (NOW, 3, ("2026-06-11",), MIDNIGHT + 7 * DAY),
        (NOW, 3, ("2026-06-10", "2026-06-13"), MIDNIGHT + 6 * DAY),  # that day itself, and a Saturday
        (MIDNIGHT + 3 * DAY + HOUR, 1, (), MIDNIGHT + 6 * DAY),  # Saturday: the end of Monday
        (NOW, 0, (), MIDNIGHT + DAY),
    ],
)
def test_working_days_are_monday_to_friday_less_holidays(
    t: int, days: int, holidays: tuple[str, ...], end: int
) -> None:
    """Whole ones, after the day itself."""
    assert after_working_days(t, days, frozenset(holidays)) == end


@given(MOMENTS, st.integers(1, 9))
def test_so_many_working_days_lie_between(t: int, days: int) -> None:
    """Counted one by one, by the standard library."""
    end = after_working_days(t, days, frozenset())
    between = [datetime.fromtimestamp(d * DAY // 1000, BEIJING) for d in range(local_day(t) + 1, local_day(end))]
    assert sum(day.weekday() < 5 for day in between) == days
    assert between[-1].weekday() < 5
