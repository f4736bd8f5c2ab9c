"""B2: too many commercial sends of one owner within an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from build import (
    CODE,
    HOUR,
    MINUTE,
    NOT_SURE,
    NOW,
    a_filing,
    a_grant,
    a_kept,
    a_reply,
    a_send,
    about,
    evidence,
    outcome,
)

if TYPE_CHECKING:
    from sendwatch.dossier import Kept


def earlier(count: int, **fields: Any) -> list[Kept]:
    """So many commercial sends of O1, ten minutes apart, the last ten minutes ago."""
    return [a_kept(f"k{each}", at=NOW - 10 * each * MINUTE, **fields) for each in range(1, count + 1)]


def test_the_fifth_within_an_hour_is_flagged() -> None:
    """Four are the limit; the evidence counts this one."""
    facts = about(a_send(), *earlier(4))
    assert evidence("B2", facts) == {"owner": "O1", "count": 5, "limit": 4}


def test_the_fourth_is_not() -> None:
    """Exactly the limit is allowed."""
    assert outcome("B2", about(a_send(), *earlier(3))) == "clean"


@pytest.mark.parametrize(("at", "said"), [(NOW - HOUR, "clean"), (NOW - HOUR + 1, "flagged")])
def test_an_hour_ago_to_the_millisecond_no_longer_counts(at: int, said: str) -> None:
    """The hour is (t - 1 h, t]."""
    assert outcome("B2", about(a_send(), *earlier(3), a_kept("k", at=at))) == said


@pytest.mark.parametrize(("other", "said"), [("a", "flagged"), ("z", "clean")])
def test_at_one_time_the_ids_decide_which_is_the_fifth(other: str, said: str) -> None:
    """This one is `s`: `a` comes before it, `z` after."""
    assert outcome("B2", about(a_send("s"), *earlier(3), a_kept(other, at=NOW))) == said


def test_sends_that_come_later_do_not_count_for_it() -> None:
    """They are counted in their own verdicts."""
    later = [a_kept(f"k{each}", at=NOW + each) for each in range(1, 6)]
    assert outcome("B2", about(a_send(), *later)) == "clean"


@pytest.mark.parametrize(
    "fields",
    [{"owner": "O2"}, {"owner": None}, {"type": "otp"}, {"type": None}],
    ids=["another owner", "owner undecided", "a code", "type undecided"],
)
def test_only_commercial_sends_of_that_owner_count(fields: dict[str, Any]) -> None:
    """Neighbours are taken with the type and owner of their own verdicts; those undecided do not count."""
    assert outcome("B2", about(a_send(), *earlier(5, **fields))) == "clean"


@pytest.mark.parametrize(("after", "said"), [(72 * HOUR, "flagged"), (72 * HOUR + 1, "clean")])
def test_a_neighbour_that_arrives_after_the_window_does_not_count(after: int, said: str) -> None:
    """72 hours after this send's time, to the millisecond."""
    assert outcome("B2", about(a_send(), *earlier(4, arrived=NOW + after))) == said


def test_it_holds_for_sends_that_the_recipient_asked_for_too() -> None:
    """A request waives C1 to C5 alone."""
    reply = a_reply(text="有什么优惠", received_at=NOW - HOUR)
    assert outcome("B2", about(a_send(request="m1"), reply, *earlier(4))) == "flagged"


def test_a_carrier_may_set_the_limit() -> None:
    """One an hour: the second is flagged."""
    assert outcome("B2", about(a_send(), *earlier(1), hourly_limit=1)) == "flagged"


def test_without_type_or_owner_it_is_undecided_even_where_nothing_else_was_sent() -> None:
    """The contract says so of C1 to C6, C9 and B2."""
    unsure = a_send(text=NOT_SURE, category=None)
    assert outcome("B2", about(unsure)) == "undecided: type_unknown"
    two_owners = (a_filing("f1"), a_filing("f2", owner="O2"))
    assert outcome("B2", about(a_send(), *two_owners)) == "undecided: several_owners"


def test_a_code_is_not_its_business() -> None:
    """Only commercial sends are asked about, whatever else is not known."""
    code = a_send(text=CODE, category="otp")
    assert outcome("B2", about(code, a_grant(), a_filing(owner="O1"), *earlier(9))) == "not_applicable"
