"""B1: commercial sends at night."""

from __future__ import annotations

from typing import Any

import pytest

from build import CODE, HOUR, MIDNIGHT, NOT_SURE, NOW, a_send, about, evidence, outcome

TEN_AT_NIGHT = MIDNIGHT + 22 * HOUR
EIGHT_NEXT_DAY = MIDNIGHT + 32 * HOUR


def test_a_commercial_send_at_night_is_flagged_with_its_local_time() -> None:
    """The evidence tells the time of day in UTC+8."""
    assert evidence("B1", about(a_send(sent_at=MIDNIGHT + 23 * HOUR + 300_000))) == {"local_time": "23:05"}


def test_a_commercial_send_in_the_afternoon_is_clean() -> None:
    """14:00 is no quiet hour."""
    assert outcome("B1", about(a_send(sent_at=NOW))) == "clean"


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (TEN_AT_NIGHT - 1, "clean"),
        (TEN_AT_NIGHT, "flagged"),
        (EIGHT_NEXT_DAY - 1, "flagged"),
        (EIGHT_NEXT_DAY, "clean"),
    ],
)
def test_the_night_lasts_from_22_00_up_to_but_not_including_08_00(at: int, said: str) -> None:
    """[22:00, 08:00), to the millisecond."""
    assert outcome("B1", about(a_send(sent_at=at))) == said


def test_the_time_of_delivery_counts_where_one_is_set() -> None:
    """Handed over in the afternoon, to be delivered at 23:00."""
    assert outcome("B1", about(a_send(sent_at=NOW, deliver_at=NOW + 9 * HOUR))) == "flagged"


def test_a_carrier_may_set_a_night_that_does_not_span_midnight() -> None:
    """[1, 5): 23:00 is allowed then, 04:59 is not."""
    night: dict[str, Any] = {"quiet_from": 1, "quiet_until": 5}
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT + 23 * HOUR), **night)) == "clean"
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT + HOUR), **night)) == "flagged"
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT + 5 * HOUR - 1), **night)) == "flagged"
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT + 5 * HOUR), **night)) == "clean"


def test_a_night_that_ends_where_it_begins_is_none() -> None:
    """The same hour twice switches the rule off."""
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT), quiet_from=22, quiet_until=22)) == "clean"


def test_a_code_at_night_is_not_its_business() -> None:
    """Only commercial sends are asked about."""
    send = a_send(sent_at=MIDNIGHT, text=CODE, category="otp")
    assert outcome("B1", about(send)) == "not_applicable"


def test_with_the_type_unknown_the_night_leaves_it_open_and_the_day_does_not() -> None:
    """At 14:00 no type whatever would be flagged."""
    unsure: dict[str, Any] = {"text": NOT_SURE, "category": None}
    assert outcome("B1", about(a_send(sent_at=MIDNIGHT, **unsure))) == "undecided: type_unknown"
    assert outcome("B1", about(a_send(sent_at=NOW, **unsure))) == "clean"
