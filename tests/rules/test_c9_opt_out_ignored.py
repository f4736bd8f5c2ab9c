"""C9: refusal replies that were ignored for 48 hours."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    DAY,
    HOUR,
    MINUTE,
    NOT_SURE,
    NOW,
    a_filing,
    a_grant,
    a_kept,
    a_reply,
    a_send,
    a_withdrawal,
    about,
    evidence,
    flagged,
    outcome,
    unconnected,
)

TWO_DAYS_AGO = NOW - 2 * DAY


def test_a_refusal_reply_of_48_hours_ago_or_more_is_flagged_beside_c5() -> None:
    """The evidence names the reply and its age."""
    facts = about(a_send(), a_reply(received_at=NOW - 3 * DAY))
    assert flagged(facts) == {"C5", "C9"}
    assert evidence("C9", facts) == {
        "owner": "O1",
        "refusal": "m1",
        "refused_at": NOW - 3 * DAY,
        "hours": 72,
    }


@pytest.mark.parametrize(("at", "said"), [(TWO_DAYS_AGO, "flagged"), (TWO_DAYS_AGO + 1, "clean")])
def test_exactly_48_hours_are_enough(at: int, said: str) -> None:
    """48 h or more before `t`."""
    assert outcome("C9", about(a_send(), a_reply(received_at=at))) == said


def test_a_withdrawal_by_record_is_not_a_reply() -> None:
    """C5 alone."""
    assert flagged(about(a_send(), a_withdrawal(effective_at=NOW - 9 * DAY))) == {"C5"}


def test_an_old_reply_counts_though_the_latest_refusal_is_younger() -> None:
    """Refused by reply, ignored, refused again by record."""
    acts = (a_reply(received_at=NOW - 9 * DAY), a_withdrawal(effective_at=NOW - HOUR))
    assert evidence("C9", about(a_send(), *acts))["hours"] == 9 * 24


def test_within_the_grace_of_a_younger_refusal_c5_does_not_hold_and_so_neither_does_it() -> None:
    """The latest act is half a minute old."""
    acts = (a_reply(received_at=NOW - 9 * DAY), a_withdrawal(effective_at=NOW - MINUTE // 2))
    assert flagged(about(a_send(), *acts)) == set()


def test_a_grant_after_the_reply_ends_it() -> None:
    """Agreed again, then refused by record: only the record's refusal stands."""
    grant = a_grant(effective_at=NOW - 8 * DAY)
    later = a_withdrawal(effective_at=NOW - 7 * DAY)
    assert flagged(about(a_send(), a_reply(received_at=NOW - 9 * DAY), grant, later)) == {"C5"}


@pytest.mark.parametrize(("at", "said"), [(NOW - 9 * DAY, "flagged"), (NOW - 9 * DAY + 1, "clean")])
def test_a_grant_of_the_same_instant_does_not_follow_it(at: int, said: str) -> None:
    """At one instant the refusal beats the grant; a millisecond later the grant follows."""
    acts = (a_reply(received_at=NOW - 9 * DAY), a_grant(effective_at=at), a_withdrawal(effective_at=NOW - DAY))
    assert outcome("C9", about(a_send(), *acts)) == said


@pytest.mark.parametrize(
    "fields", [{"owner": "O2"}, {"types": ("marketing.finance",)}, {"arrived": NOW + 72 * HOUR + 1}]
)
def test_only_grants_that_count_for_the_send_follow(fields: dict[str, Any]) -> None:
    """Of another owner, for another type, or arrived too late: it is as if there were none."""
    acts = (a_reply(received_at=NOW - 9 * DAY), a_grant(effective_at=NOW - DAY, **fields))
    assert outcome("C9", about(a_send(), *acts)) == "flagged"


def test_a_reply_that_refused_another_owner_is_not_this_ones() -> None:
    """The answered send was O2's."""
    both = (a_filing("f1"), a_filing("f2", signature="乙", owner="O2"))
    answered = a_kept(owner="O2", at=NOW - 3 * DAY - HOUR)
    facts = about(a_send(), *both, answered, a_reply(received_at=NOW - 3 * DAY), a_withdrawal())
    assert flagged(facts) == {"C5"}


@pytest.mark.parametrize(("text", "said"), [("TD", "flagged"), ("0000", "flagged"), ("查询余额", "clean")])
def test_short_words_refuse_where_they_answer_a_send(text: str, said: str) -> None:
    """A menu word of three days ago, after a commercial send."""
    answered = a_kept(at=NOW - 3 * DAY - HOUR)
    assert outcome("C9", about(a_send(), answered, a_reply(text=text, received_at=NOW - 3 * DAY))) == said


def test_a_request_waives_it_with_c5() -> None:
    """Where C5 does not apply, it does not hold."""
    asked = a_reply("m2", text="有什么优惠", received_at=NOW - 1)
    facts = about(a_send(request="m2"), a_reply(received_at=NOW - 9 * DAY), asked)
    assert outcome("C9", facts) == "not_applicable"


def test_without_type_or_owner_it_is_undecided() -> None:
    """The contract says so of C9."""
    assert outcome("C9", about(a_send(text=NOT_SURE, category=None))) == "undecided: type_unknown"
    two = (a_filing("f1"), a_filing("f2", owner="O2"))
    assert outcome("C9", about(a_send(), *two)) == "undecided: several_owners"


@pytest.mark.parametrize("table", ["consents", "replies"])
def test_without_one_of_its_tables_it_is_undecided(table: str) -> None:
    """No refusal that is seen, or no grant after it, proves nothing."""
    facts = about(a_send(), **unconnected(table))
    assert outcome("C9", facts) == f"undecided: {table}_not_connected"
