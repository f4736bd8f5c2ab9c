"""C4: more commercial sends in a day than were agreed to."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    DAY,
    HOUR,
    MIDNIGHT,
    NOW,
    a_grant,
    a_kept,
    a_reply,
    a_send,
    about,
    evidence,
    outcome,
    unconnected,
)

ONE_A_DAY = a_grant(max_per_day=1)


def test_the_second_of_a_day_is_flagged_where_one_was_agreed() -> None:
    """The evidence names the consent and both numbers."""
    assert evidence("C4", about(a_send(), ONE_A_DAY, a_kept())) == {
        "owner": "O1",
        "consent": "c1",
        "count": 2,
        "max_per_day": 1,
    }


def test_exactly_as_many_as_agreed_are_clean() -> None:
    """Up to and including this one."""
    assert outcome("C4", about(a_send(), a_grant(max_per_day=2), a_kept())) == "clean"


def test_without_a_limit_any_number_is_clean() -> None:
    """That is for B2 to say."""
    assert outcome("C4", about(a_send(), a_grant(), *(a_kept(f"k{i}") for i in range(9)))) == "clean"


@pytest.mark.parametrize(("at", "said"), [(MIDNIGHT - 1, "clean"), (MIDNIGHT, "flagged")])
def test_the_day_begins_at_midnight_in_utc_8(at: int, said: str) -> None:
    """16:00 UTC of the day before."""
    assert outcome("C4", about(a_send(), ONE_A_DAY, a_kept(at=at))) == said


def test_the_day_ends_at_midnight_in_utc_8() -> None:
    """The first send after it begins a new count."""
    just_before, just_after = MIDNIGHT + DAY - 1, MIDNIGHT + DAY
    assert outcome("C4", about(a_send(sent_at=just_before), ONE_A_DAY, a_kept(at=NOW))) == "flagged"
    assert outcome("C4", about(a_send(sent_at=just_after), ONE_A_DAY, a_kept(at=NOW))) == "clean"


@pytest.mark.parametrize(("other", "said"), [("a", "flagged"), ("z", "clean")])
def test_at_one_time_the_ids_decide_which_comes_first(other: str, said: str) -> None:
    """This one is `s`: `a` comes before it, `z` after."""
    assert outcome("C4", about(a_send("s"), ONE_A_DAY, a_kept(other, at=NOW))) == said


def test_sends_later_in_the_day_do_not_count_for_it() -> None:
    """They are counted in their own verdicts."""
    assert outcome("C4", about(a_send(), ONE_A_DAY, a_kept(at=NOW + 1))) == "clean"


@pytest.mark.parametrize(
    "fields",
    [{"owner": "O2"}, {"owner": None}, {"type": "service"}, {"type": None}, {"arrived": NOW + 72 * HOUR + 1}],
    ids=["another owner", "owner undecided", "service", "type undecided", "arrived too late"],
)
def test_only_commercial_sends_of_that_owner_that_arrived_in_time_count(fields: dict[str, Any]) -> None:
    """Neighbours are taken with their own type and owner."""
    assert outcome("C4", about(a_send(), ONE_A_DAY, a_kept(**fields))) == "clean"


def test_only_consent_in_force_sets_a_limit() -> None:
    """An expired one is C1's."""
    assert outcome("C4", about(a_send(), a_grant(max_per_day=1, expires_at=NOW), a_kept())) == "clean"


def test_consent_to_every_owner_limits_each_by_itself() -> None:
    """What another owner sent is not counted against this one."""
    everyone = a_grant(owner="*", max_per_day=1)
    assert outcome("C4", about(a_send(), everyone, a_kept(owner="O2"))) == "clean"
    assert outcome("C4", about(a_send(), everyone, a_kept())) == "flagged"


def test_a_request_waives_it() -> None:
    """The recipient asked for the send."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    assert outcome("C4", about(a_send(request="m1"), ONE_A_DAY, a_kept(), reply)) == "not_applicable"


def test_without_replies_a_flag_does_not_stand() -> None:
    """A refusal that nobody sees would make it C5."""
    facts = about(a_send(), ONE_A_DAY, a_kept(), **unconnected("replies"))
    assert outcome("C4", facts) == "undecided: replies_not_connected"
