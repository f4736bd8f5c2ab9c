"""C7: requests for consent, sent again without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from build import (
    ASKING,
    DAY,
    HOUR,
    NOW,
    PART,
    a_filing,
    a_grant,
    a_kept,
    a_reply,
    a_send,
    a_withdrawal,
    about,
    evidence,
    outcome,
    unconnected,
)

if TYPE_CHECKING:
    from sendwatch.dossier import Kept
    from sendwatch.events import Send


def asking(name: str = "s", **fields: Any) -> Send:
    """A send that asks for consent; nobody declares what it is."""
    return a_send(name, **({"text": ASKING, "category": None} | fields))


def asked(**fields: Any) -> Kept:
    """An earlier request of O1, an hour old."""
    return a_kept(**({"asks": True} | fields))


def test_a_request_within_72_hours_of_another_is_flagged() -> None:
    """Even where its type is not known: who asks again has no consent by silence."""
    facts = about(asking(), asked(at=NOW - 5 * HOUR))
    assert evidence("C7", facts) == {"owner": "O1", "earlier": "k1", "hours": 5}


def test_the_first_request_is_clean() -> None:
    """Asking once is how consent begins."""
    assert outcome("C7", about(asking())) == "clean"


def test_a_text_that_asks_for_nothing_is_clean() -> None:
    """However often it was asked before."""
    assert outcome("C7", about(a_send(), asked())) == "clean"


@pytest.mark.parametrize(
    ("at", "said"), [(NOW - 72 * HOUR - 1, "clean"), (NOW - 72 * HOUR, "flagged"), (NOW + 1, "clean")]
)
def test_the_other_must_lie_in_the_72_hours_before(at: int, said: str) -> None:
    """Not earlier, and not after it."""
    assert outcome("C7", about(asking(), asked(at=at))) == said


@pytest.mark.parametrize(("other", "said"), [("a", "flagged"), ("z", "clean")])
def test_of_two_at_one_time_the_greater_id_came_second(other: str, said: str) -> None:
    """This one is `s`."""
    assert outcome("C7", about(asking("s"), asked(id=other, at=NOW))) == said


@pytest.mark.parametrize(
    "fields",
    [{"owner": "O2"}, {"owner": None}, {"asks": False}, {"asks": None}, {"arrived": NOW + 72 * HOUR + 1}],
    ids=["another owner", "owner undecided", "asked nothing", "text unknown", "arrived too late"],
)
def test_only_requests_of_that_owner_that_arrived_in_time_count(fields: dict[str, Any]) -> None:
    """What is not known to be one does not count."""
    assert outcome("C7", about(asking(), asked(**fields))) == "clean"


@pytest.mark.parametrize(
    ("at", "said"),
    [(NOW - HOUR, "flagged"), (NOW - HOUR + 1, "clean"), (NOW, "clean"), (NOW + 1, "flagged")],
)
def test_a_grant_between_the_two_makes_it_clean(at: int, said: str) -> None:
    """After the earlier one, up to this one."""
    assert outcome("C7", about(asking(), asked(at=NOW - HOUR), a_grant(effective_at=at))) == said


def test_the_grant_must_lie_after_the_last_of_several_requests() -> None:
    """Agreed after the first, but asked twice since."""
    grant = a_grant(effective_at=NOW - 20 * HOUR)
    requests = (asked(id="a", at=NOW - DAY), asked(id="b", at=NOW - HOUR))
    assert evidence("C7", about(asking(), *requests, grant))["earlier"] == "b"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner": "*"}, "clean"),
        ({"owner": "O2"}, "flagged"),
        ({"arrived": NOW + 72 * HOUR}, "clean"),
        ({"arrived": NOW + 72 * HOUR + 1}, "flagged"),
    ],
)
def test_the_grant_must_be_for_that_owner_or_all_and_count(fields: dict[str, Any], said: str) -> None:
    """A grant to somebody else answers nothing."""
    grant = a_grant(effective_at=NOW - 1, **fields)
    assert outcome("C7", about(asking(), asked(), grant)) == said


def test_a_withdrawal_in_between_is_no_grant() -> None:
    """To be asked again after refusing is worse."""
    assert outcome("C7", about(asking(), asked(), a_withdrawal(effective_at=NOW - 1))) == "flagged"


def test_a_request_of_the_recipient_does_not_waive_it() -> None:
    """A request waives C1 to C5 alone."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    assert outcome("C7", about(asking(request="m1"), asked(), reply)) == "flagged"


def test_without_an_owner_only_an_earlier_request_leaves_it_open() -> None:
    """If nobody asked before, nobody asked twice."""
    two = (a_filing("f1"), a_filing("f2", owner="O2"))
    assert outcome("C7", about(asking(), *two, asked())) == "undecided: several_owners"
    assert outcome("C7", about(asking(), *two)) == "clean"


@pytest.mark.parametrize("fields", [{"text": None}, {"part": PART}])
def test_without_the_whole_text_it_is_undecided(fields: dict[str, Any]) -> None:
    """An absent text, and one part of a long one."""
    assert outcome("C7", about(a_send(**fields))) == "undecided: text_unknown"


def test_without_the_consent_table_a_flag_does_not_stand() -> None:
    """A grant may lie between; where nobody asked before, it does not matter."""
    blind = unconnected("consents")
    assert outcome("C7", about(asking(), asked(), **blind)) == "undecided: consents_not_connected"
    assert outcome("C7", about(asking(), **blind)) == "clean"
