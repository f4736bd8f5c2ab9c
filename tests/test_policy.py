"""The carrier's numbers: the section of breaches, and the calendar of promotions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sendwatch.policy import Breaches
from sendwatch.windows.limits import Limits

BEIJING = timezone(timedelta(hours=8))


def ms(*moment: int) -> int:
    """A moment in Beijing, in ms since 1970 UTC."""
    return int(datetime(*moment, tzinfo=BEIJING).astimezone(UTC).timestamp() * 1000)  # type: ignore[arg-type, misc]


def promoted(at: int, breaches: Breaches | None = None) -> str | None:
    """The promotion that a moment lies in."""
    calendar = (breaches or Breaches()).calendar(at)
    return next((each.name for each in calendar if each.since <= at < each.until), None)


def test_the_defaults_are_the_contracts() -> None:
    """The section says what the rules would do without it."""
    assert Breaches().limits() == Limits()


@pytest.mark.parametrize(
    ("at", "name"),
    [
        (ms(2026, 5, 31, 23, 59), None),
        (ms(2026, 6, 1), "618"),
        (ms(2026, 6, 20, 23, 59), "618"),
        (ms(2026, 6, 21), None),
        (ms(2026, 11, 11), "双11"),
        (ms(2027, 1, 1), "年货节"),
    ],
)
def test_promotions_come_every_year_from_their_first_day_to_their_last(at: int, name: str | None) -> None:
    """In Beijing."""
    assert promoted(at) == name


def test_a_promotion_may_go_over_the_new_year() -> None:
    """It is one of the year in which it begins."""
    breaches = Breaches(promotions=("跨年 12-28..01-03",))
    assert [promoted(ms(*day), breaches) for day in ((2026, 12, 31), (2027, 1, 3), (2027, 1, 4))] == [
        "跨年",
        "跨年",
        None,
    ]


@pytest.mark.parametrize("written", ["618", "618 06-01", "618 06-31..07-01", "618 6-1..6-20", "", "闰日 02-29..03-01"])
def test_what_is_no_promotion_is_a_fault(written: str) -> None:
    """With its place; a day that not every year has is none."""
    assert [key for key, _ in Breaches(promotions=("618 06-01..06-20", written)).faults()] == ["promotions.1"]


def test_a_carrier_may_have_a_limit_of_its_own() -> None:
    """In complaints per million; names may have blanks in them no more than numbers may be nothing."""
    assert Breaches(carrier_limits=("CMCC 0.5", "移动 12")).limits_by_carrier() == {"CMCC": 0.5, "移动": 12}


@pytest.mark.parametrize("written", ["CMCC", "CMCC 0", "CMCC 0.0", "CMCC -1", "CMCC x", "0.5", "C M 1", "CMCC 1e3"])
def test_a_limit_is_a_carrier_and_a_number(written: str) -> None:
    """Anything else is told."""
    assert [key for key, _ in Breaches(carrier_limits=("CMCC 0.5", written)).faults()] == ["carrier_limits.1"]
