"""C1: commercial sends without consent."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    CODE,
    DAY,
    HOUR,
    NOT_SURE,
    NOW,
    PART,
    a_filing,
    a_grant,
    a_reply,
    a_send,
    a_withdrawal,
    about,
    evidence,
    flagged,
    outcome,
    unconnected,
)


def test_a_commercial_send_to_somebody_who_never_agreed_is_flagged() -> None:
    """No act at all."""
    assert evidence("C1", about()) == {"why": "no_act", "owner": "O1", "type": "marketing.retail"}


def test_a_grant_in_force_makes_it_clean() -> None:
    """The usual case."""
    assert outcome("C1", about(a_send(), a_grant())) == "clean"


@pytest.mark.parametrize(("expires_at", "said"), [(NOW, "flagged"), (NOW + 1, "clean")])
def test_a_grant_is_in_force_up_to_but_not_including_its_expiry(expires_at: int, said: str) -> None:
    """In force is `t < expires_at`."""
    assert outcome("C1", about(a_send(), a_grant(expires_at=expires_at))) == said


def test_the_evidence_of_an_expired_grant_names_it() -> None:
    """The act relied on, when it began, when it ended."""
    assert evidence("C1", about(a_send(), a_grant(expires_at=NOW - DAY))) == {
        "why": "expired",
        "owner": "O1",
        "type": "marketing.retail",
        "consent": "c1",
        "effective_at": NOW - 30 * DAY,
        "expires_at": NOW - DAY,
    }


@pytest.mark.parametrize(("at", "said"), [(NOW, "clean"), (NOW + 1, "flagged")])
def test_a_grant_counts_from_the_moment_it_takes_effect(at: int, said: str) -> None:
    """`effective_at <= t`."""
    assert outcome("C1", about(a_send(), a_grant(effective_at=at))) == said


@pytest.mark.parametrize(("after", "said"), [(72 * HOUR, "clean"), (72 * HOUR + 1, "flagged")])
def test_a_grant_counts_if_it_arrives_within_the_window(after: int, said: str) -> None:
    """72 hours after the send, to the millisecond."""
    assert outcome("C1", about(a_send(), a_grant(arrived=NOW + after))) == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner": "*"}, "clean"),
        ({"owner": "O2"}, "flagged"),
        ({"types": ("marketing.retail",)}, "clean"),
        ({"types": ("marketing.finance",)}, "flagged"),
        ({"types": ("marketing.re",)}, "flagged"),
        ({"types": ("service", "marketing")}, "clean"),
    ],
)
def test_a_grant_must_be_for_the_owner_or_all_and_cover_the_type(fields: dict[str, Any], said: str) -> None:
    """Consent to `marketing` covers what is below it; not the other way round, nor its spelling's beginning."""
    assert outcome("C1", about(a_send(), a_grant(**fields))) == said


def test_an_expired_grant_is_not_saved_by_an_older_one() -> None:
    """The latest act speaks."""
    acts = (a_grant("old"), a_grant("new", effective_at=NOW - DAY, expires_at=NOW - HOUR))
    assert evidence("C1", about(a_send(), *acts))["consent"] == "new"


def test_of_two_grants_at_one_instant_the_greater_id_counts() -> None:
    """Whichever was recorded first."""
    grants = (a_grant("b", expires_at=NOW - 1), a_grant("a"))
    assert outcome("C1", about(a_send(), *grants)) == "flagged"
    assert outcome("C1", about(a_send(), a_grant("b"), a_grant("a", expires_at=NOW - 1))) == "clean"


def test_after_a_withdrawal_it_is_another_rules_business() -> None:
    """C1, C2 and C5 exclude one another."""
    assert flagged(about(a_send(), a_withdrawal())) == {"C5"}


def test_a_send_that_the_recipient_asked_for_needs_no_consent() -> None:
    """`request` names a reply that is not a refusal, of the 24 hours before."""
    reply = a_reply(text="有什么优惠", received_at=NOW - HOUR)
    assert outcome("C1", about(a_send(request="m1"), reply)) == "not_applicable"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"received_at": NOW - 24 * HOUR}, "not_applicable"),
        ({"received_at": NOW - 24 * HOUR - 1}, "flagged"),
        ({"received_at": NOW}, "not_applicable"),
        ({"received_at": NOW + 1}, "flagged"),
        ({"received_at": NOW - HOUR, "arrived": NOW + 72 * HOUR}, "not_applicable"),
        ({"received_at": NOW - HOUR, "arrived": NOW + 72 * HOUR + 1}, "flagged"),
        ({"received_at": NOW - HOUR, "id": "m2"}, "flagged"),
    ],
)
def test_a_request_holds_for_a_day_and_must_have_arrived(fields: dict[str, Any], said: str) -> None:
    """[t - 24 h, t], and a reply that is known."""
    reply = a_reply(**{"id": "m1", "text": "有什么优惠"} | fields)
    assert outcome("C1", about(a_send(request="m1"), reply)) == said


def test_a_refusal_is_no_request() -> None:
    """Who writes 退订 has asked for nothing."""
    assert outcome("C5", about(a_send(request="m1"), a_reply())) == "flagged"


def test_codes_and_service_messages_need_no_consent() -> None:
    """Not applicable, even where the owner is not known."""
    code = a_send(text=CODE, category="otp")
    assert outcome("C1", about(code)) == "not_applicable"
    assert outcome("C1", about(code, a_filing("f1"), a_filing("f2", owner="O2"))) == "not_applicable"


def test_without_a_type_it_is_undecided() -> None:
    """A text that the classifier is not sure of, and no category."""
    assert outcome("C1", about(a_send(text=NOT_SURE, category=None))) == "undecided: type_unknown"


def test_without_an_owner_it_is_undecided_with_the_reason_why() -> None:
    """Two owners file one signature; or nobody files anything for that port and SP."""
    two = (a_filing("f1"), a_filing("f2", owner="O2"))
    assert outcome("C1", about(a_send(), *two)) == "undecided: several_owners"
    assert outcome("C1", about(a_send(), a_filing(ports=("1068",), signature="乙"))) == "undecided: no_filing"
    by_carrier = (a_filing("f1", carriers=("cm",)), a_filing("f2", owner="O2", carriers=("cu",)))
    assert outcome("C1", about(a_send(carrier=None), *by_carrier)) == "undecided: carrier_unknown"


def test_an_unsigned_or_unread_text_does_not_escape() -> None:
    """The owner is found by port and SP, the type is the declared one."""
    for fields in ({"text": None}, {"part": PART}, {"text": "全场女装八折，满300减50，欢迎选购"}):
        assert outcome("C1", about(a_send(**fields))) == "flagged"


def test_without_the_consent_table_it_is_undecided() -> None:
    """Whatever replies say."""
    blind = unconnected("consents")
    assert outcome("C1", about(a_send(), **blind)) == "undecided: consents_not_connected"


def test_without_replies_a_grant_stands_and_its_absence_does_not() -> None:
    """An unseen refusal would make it C5, never clean."""
    blind = unconnected("replies")
    assert outcome("C1", about(a_send(), a_grant(), **blind)) == "clean"
    assert outcome("C1", about(a_send(), **blind)) == "undecided: replies_not_connected"


def test_without_filings_the_owner_is_not_known() -> None:
    """The reason names the table, not the missing filing."""
    facts = about(a_send(), without=type(a_filing()), **unconnected("signatures"))
    assert outcome("C1", facts) == "undecided: signatures_not_connected"
