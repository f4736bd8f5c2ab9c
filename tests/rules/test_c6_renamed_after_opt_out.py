"""C6: another company of the same brand group sends after a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    DAY,
    HOUR,
    NOT_SURE,
    NOW,
    a_filing,
    a_grant,
    a_kept,
    a_reply,
    a_send,
    a_withdrawal,
    about,
    an_owner,
    evidence,
    flagged,
    outcome,
    unconnected,
)

GROUP = (an_owner("O1", group="g"), an_owner("O2", group="g"))
REFUSED = a_withdrawal(owner="O2")


def test_a_sender_without_consent_whose_sister_was_refused_is_flagged_beside_c1() -> None:
    """The evidence names the sister and the refusal."""
    facts = about(a_send(), *GROUP, REFUSED)
    assert flagged(facts) == {"C1", "C6"}
    assert evidence("C6", facts) == {
        "owner": "O1",
        "refused": "O2",
        "refusal": "w1",
        "refused_at": NOW - DAY,
    }


def test_an_expired_consent_is_none_either() -> None:
    """C1 holds by expiry, too."""
    assert flagged(about(a_send(), *GROUP, REFUSED, a_grant(expires_at=NOW))) == {"C1", "C6"}


def test_who_was_agreed_to_itself_is_clean() -> None:
    """C1 does not hold."""
    assert outcome("C6", about(a_send(), *GROUP, REFUSED, a_grant())) == "clean"


def test_who_was_refused_itself_is_c5s_business() -> None:
    """C1 does not hold."""
    own = a_withdrawal("w2")
    assert flagged(about(a_send(), *GROUP, REFUSED, own)) == {"C5"}


@pytest.mark.parametrize(
    "owners",
    [
        (an_owner("O1", group="g"), an_owner("O2", group="h")),
        (an_owner("O1"), an_owner("O2")),
        (an_owner("O2", group="g"),),
        (),
    ],
    ids=["another group", "no group", "the sender has no row", "nobody has a row"],
)
def test_only_owners_of_the_same_group_are_sisters(owners: tuple[Any, ...]) -> None:
    """Two without a group are not of one group."""
    assert outcome("C6", about(a_send(), *owners, REFUSED)) == "clean"


def test_a_sister_that_was_agreed_to_again_is_not_refused() -> None:
    """Her latest act counts."""
    again = a_grant("c2", owner="O2", effective_at=NOW - HOUR)
    assert outcome("C6", about(a_send(), *GROUP, REFUSED, again)) == "clean"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"effective_at": NOW}, "flagged"),
        ({"effective_at": NOW + 1}, "clean"),
        ({"types": ("marketing.finance",)}, "clean"),
        ({"arrived": NOW + 72 * HOUR + 1}, "clean"),
    ],
)
def test_the_refusal_must_count_at_the_time_of_the_send(fields: dict[str, Any], said: str) -> None:
    """In effect, of this type, and arrived within the window; there is no grace."""
    assert outcome("C6", about(a_send(), *GROUP, a_withdrawal(owner="O2", **fields))) == said


def test_a_refusal_by_reply_counts_too() -> None:
    """The sister's send was answered with 退订."""
    answered = a_kept(owner="O2", at=NOW - DAY - HOUR)
    assert outcome("C6", about(a_send(), *GROUP, answered, a_reply())) == "flagged"


def test_a_request_waives_it_with_c1() -> None:
    """Where C1 does not apply, it does not hold."""
    asked = a_reply("m2", text="有什么优惠", received_at=NOW - 1)
    assert outcome("C6", about(a_send(request="m2"), *GROUP, REFUSED, asked)) == "not_applicable"


def test_without_type_or_owner_it_is_undecided() -> None:
    """The contract says so of C1 to C6."""
    assert outcome("C6", about(a_send(text=NOT_SURE, category=None))) == "undecided: type_unknown"
    two = (a_filing("f1"), a_filing("f2", owner="O2"))
    assert outcome("C6", about(a_send(), *two)) == "undecided: several_owners"


@pytest.mark.parametrize("table", ["consents", "replies", "owners"])
def test_without_one_of_its_tables_only_a_consent_decides(table: str) -> None:
    """Whoever was agreed to is clean, whatever is not known of sisters and replies."""
    blind = unconnected(table)
    assert outcome("C6", about(a_send(), **blind)) == f"undecided: {table}_not_connected"
    if table != "consents":
        assert outcome("C6", about(a_send(), a_grant(), **blind)) == "clean"
