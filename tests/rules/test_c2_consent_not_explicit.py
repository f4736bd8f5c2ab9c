"""C2: consent in force by a method that is not express."""

from __future__ import annotations

import pytest

from build import DAY, NOW, a_grant, a_reply, a_send, a_withdrawal, about, evidence, flagged, outcome, unconnected


@pytest.mark.parametrize("method", ["pre_ticked", "registration", "silence", "terms_bundle"])
def test_consent_that_nobody_expressly_gave_is_flagged(method: str) -> None:
    """The evidence names the act and how it was taken."""
    assert evidence("C2", about(a_send(), a_grant(method=method))) == {
        "owner": "O1",
        "consent": "c1",
        "method": method,
        "effective_at": NOW - 30 * DAY,
    }


@pytest.mark.parametrize("method", ["opt_in_form", "sms_reply", "written", "voice", "mo_request"])
def test_express_consent_is_clean(method: str) -> None:
    """The five explicit methods."""
    assert outcome("C2", about(a_send(), a_grant(method=method))) == "clean"


@pytest.mark.parametrize("method", [None, "", "telepathy", "OPT_IN_FORM"])
def test_any_other_method_or_none_leaves_it_open(method: str | None) -> None:
    """Unknown is not compliant, and not flagged."""
    assert outcome("C2", about(a_send(), a_grant(method=method))) == "undecided: method_unknown"


def test_it_is_about_consent_in_force_alone() -> None:
    """Nothing at all, an expired grant and a withdrawal are other rules' business."""
    assert outcome("C2", about()) == "clean"
    assert outcome("C2", about(a_send(), a_grant(method="silence", expires_at=NOW))) == "clean"
    assert flagged(about(a_send(), a_grant(method="silence"), a_withdrawal())) == {"C5"}


@pytest.mark.parametrize(("expires_at", "said"), [(NOW, "clean"), (NOW + 1, "flagged")])
def test_up_to_its_last_millisecond(expires_at: int, said: str) -> None:
    """In force is `t < expires_at`; from then on it is C1."""
    assert outcome("C2", about(a_send(), a_grant(method="silence", expires_at=expires_at))) == said


def test_the_latest_grant_decides() -> None:
    """An express one heals a tacit one before it."""
    acts = (a_grant("a", method="silence"), a_grant("b", effective_at=NOW - DAY))
    assert outcome("C2", about(a_send(), *acts)) == "clean"


def test_a_request_waives_it() -> None:
    """The recipient asked for the send."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    assert outcome("C2", about(a_send(request="m1"), a_grant(method="silence"), reply)) == "not_applicable"


def test_without_replies_a_flag_does_not_stand() -> None:
    """A refusal that nobody sees would make it C5."""
    blind = unconnected("replies")
    assert outcome("C2", about(a_send(), a_grant(method="silence"), **blind)) == "undecided: replies_not_connected"
    assert outcome("C2", about(a_send(), a_grant(), **blind)) == "clean"
