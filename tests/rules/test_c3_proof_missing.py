"""C3: express consent without proof (Order 74)."""

from __future__ import annotations

from typing import Any

import pytest

from build import DAY, NOW, a_grant, a_reply, a_send, about, evidence, flagged, outcome, unconnected

UNPROVEN: dict[str, Any] = {"proof": None, "captured_at": None}
BEFORE_ORDER_74 = NOW - 60 * DAY  # 2026-04-11


def test_express_consent_without_proof_is_flagged() -> None:
    """The evidence names the act."""
    assert evidence("C3", about(a_send(), a_grant(**UNPROVEN))) == {
        "why": "none",
        "owner": "O1",
        "consent": "c1",
        "method": "opt_in_form",
        "proof": None,
        "captured_at": None,
    }


@pytest.mark.parametrize(("captured_at", "said"), [(NOW, "clean"), (NOW + 1, "flagged")])
def test_proof_must_have_been_captured_by_the_time_of_the_send(captured_at: int, said: str) -> None:
    """At that very moment is in time; a millisecond later is not."""
    assert outcome("C3", about(a_send(), a_grant(captured_at=captured_at))) == said


def test_proof_captured_later_is_told_from_none() -> None:
    """The evidence says which."""
    found = evidence("C3", about(a_send(), a_grant(captured_at=NOW + DAY)))
    assert (found["why"], found["proof"], found["captured_at"]) == ("captured_later", "proof1", NOW + DAY)


def test_consent_that_is_not_express_is_another_rules_business() -> None:
    """C2 flags it; proof of it would change nothing."""
    assert flagged(about(a_send(), a_grant(method="silence", **UNPROVEN))) == {"C2"}


def test_an_unknown_method_leaves_it_open_only_without_proof() -> None:
    """With proof it is clean, whatever the method was."""
    assert outcome("C3", about(a_send(), a_grant(method=None, **UNPROVEN))) == "undecided: method_unknown"
    assert outcome("C3", about(a_send(), a_grant(method=None))) == "clean"


def test_no_consent_in_force_needs_no_proof() -> None:
    """That is C1."""
    assert outcome("C3", about()) == "clean"
    assert outcome("C3", about(a_send(), a_grant(expires_at=NOW, **UNPROVEN))) == "clean"


def test_before_order_74_nobody_had_to_hold_proof() -> None:
    """Only `miit-74` holds the rule."""
    early = a_grant(effective_at=BEFORE_ORDER_74 - DAY, **UNPROVEN)
    assert outcome("C3", about(a_send(sent_at=BEFORE_ORDER_74), early)) == "not_in_force"


def test_a_request_waives_it() -> None:
    """The recipient asked for the send."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    assert outcome("C3", about(a_send(request="m1"), a_grant(**UNPROVEN), reply)) == "not_applicable"


def test_without_replies_a_flag_does_not_stand() -> None:
    """A refusal that nobody sees would make it C5."""
    facts = about(a_send(), a_grant(**UNPROVEN), **unconnected("replies"))
    assert outcome("C3", facts) == "undecided: replies_not_connected"
