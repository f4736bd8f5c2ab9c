"""C5: commercial sends after a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from build import (
    DAY,
    HOUR,
    MIDNIGHT,
    MINUTE,
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


def test_a_commercial_send_after_a_withdrawal_is_flagged() -> None:
    """The evidence names the refusal and tells how long ago it was."""
    assert evidence("C5", about(a_send(), a_grant(), a_withdrawal())) == {
        "owner": "O1",
        "type": "marketing.retail",
        "by": "record",
        "refusal": "w1",
        "refused_at": NOW - DAY,
        "age_ms": DAY,
        "minutes": 24 * 60,
        "past_48_hours": False,
        "past_3_working_days": False,
    }


def test_a_refusal_reply_counts_as_a_withdrawal() -> None:
    """Toward the owner of the send that it answered."""
    answered = a_kept(at=NOW - DAY - HOUR)
    found = evidence("C5", about(a_send(), a_grant(), answered, a_reply()))
    assert (found["by"], found["refusal"]) == ("reply", "m1")


@pytest.mark.parametrize(("age", "said"), [(0, "clean"), (MINUTE, "clean"), (MINUTE + 1, "flagged")])
def test_only_more_than_the_grace_is_held_against_the_sender(age: int, said: str) -> None:
    """60 seconds by default; exactly 60 are still within it."""
    assert outcome("C5", about(a_send(), a_withdrawal(effective_at=NOW - age))) == said


def test_within_the_grace_neither_missing_consent_is_flagged() -> None:
    """The latest act is a withdrawal: C1 does not hold."""
    assert flagged(about(a_send(), a_withdrawal(effective_at=NOW - 1))) == set()


def test_a_carrier_may_set_the_grace() -> None:
    """None at all: a millisecond after is too late."""
    assert outcome("C5", about(a_send(), a_withdrawal(effective_at=NOW - 1), grace=0)) == "flagged"
    assert outcome("C5", about(a_send(), a_withdrawal(effective_at=NOW), grace=0)) == "clean"


def test_a_withdrawal_that_carries_a_grants_fields_is_a_withdrawal_all_the_same() -> None:
    """It has no term, no method, no limit and no proof that would matter."""
    odd = a_withdrawal(expires_at=NOW - 1, method="silence", max_per_day=1)
    assert flagged(about(a_send(), odd, a_kept())) == {"C5"}
    assert flagged(about(a_send(), a_withdrawal(method="written"))) == {"C5"}


def test_a_withdrawal_beats_a_grant_of_the_same_instant() -> None:
    """Whatever their ids."""
    acts = (a_grant("z", effective_at=NOW - DAY), a_withdrawal("a", effective_at=NOW - DAY))
    assert outcome("C5", about(a_send(), *acts)) == "flagged"


def test_who_agrees_again_has_agreed() -> None:
    """A grant after the withdrawal."""
    assert flagged(about(a_send(), a_withdrawal(), a_grant(effective_at=NOW - DAY + 1))) == set()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"owner": "*"}, "flagged"),
        ({"owner": "O2"}, "clean"),
        ({"types": ("marketing.retail",)}, "flagged"),
        ({"types": ("marketing.finance",)}, "clean"),
        ({"arrived": NOW + 72 * HOUR}, "flagged"),
        ({"arrived": NOW + 72 * HOUR + 1}, "clean"),
    ],
)
def test_the_withdrawal_must_speak_for_owner_and_type_and_arrive_in_time(fields: dict[str, Any], said: str) -> None:
    """Otherwise the older grant still does."""
    assert outcome("C5", about(a_send(), a_grant(), a_withdrawal(**fields))) == said


@pytest.mark.parametrize(("age", "past"), [(48 * HOUR - 1, False), (48 * HOUR, True)])
def test_the_evidence_says_whether_48_hours_had_passed(age: int, past: bool) -> None:
    """From the 48th hour on."""
    assert evidence("C5", about(a_send(), a_withdrawal(effective_at=NOW - age)))["past_48_hours"] is past


FRIDAY_NOON = MIDNIGHT + 2 * DAY + 12 * HOUR  # 2026-06-12
END_OF_WEDNESDAY = MIDNIGHT + 8 * DAY  # 2026-06-17 24:00: Monday, Tuesday, Wednesday have passed


@pytest.mark.parametrize(
    ("t", "holidays", "past"),
    [
        (END_OF_WEDNESDAY - 1, frozenset[str](), False),
        (END_OF_WEDNESDAY, frozenset[str](), True),
        (END_OF_WEDNESDAY, frozenset({"2026-06-15"}), False),
        (END_OF_WEDNESDAY + DAY, frozenset({"2026-06-15"}), True),
        (END_OF_WEDNESDAY, frozenset({"2026-06-14"}), True),
    ],
)
def test_the_evidence_says_whether_3_working_days_had_passed(t: int, holidays: frozenset[str], past: bool) -> None:
    """Three whole ones after the day of the refusal: Monday to Friday, less the configured holidays."""
    facts = about(a_send(sent_at=t), a_withdrawal(effective_at=FRIDAY_NOON), holidays=holidays)
    assert evidence("C5", facts)["past_3_working_days"] is past


def test_a_reply_without_an_answered_send_withdraws_from_every_owner_on_the_port() -> None:
    """Two owners file on the port: both are refused."""
    both = (a_filing("f1"), a_filing("f2", signature="乙", owner="O2"))
    for text in ("【云岭商贸】会员日全场女装八折，欢迎选购", "【乙】会员日全场女装八折，欢迎选购"):
        assert outcome("C5", about(a_send(text=text), *both, a_reply())) == "flagged"


def test_a_reply_to_one_owner_leaves_the_others_alone() -> None:
    """The answered send was O2's."""
    both = (a_filing("f1"), a_filing("f2", signature="乙", owner="O2"))
    answered = a_kept(owner="O2", at=NOW - DAY - HOUR)
    assert outcome("C5", about(a_send(), *both, answered, a_reply())) == "clean"


def test_a_request_waives_it() -> None:
    """The recipient asked for the send after having refused."""
    reply = a_reply(text="有什么优惠", received_at=NOW - 1)
    assert outcome("C5", about(a_send(request="m1"), a_withdrawal(), reply)) == "not_applicable"


def test_without_replies_nobody_is_known_not_to_have_refused() -> None:
    """A recorded withdrawal is flagged all the same, unless the send names a request that nobody can look up."""
    blind = unconnected("replies")
    assert outcome("C5", about(a_send(), a_grant(), **blind)) == "undecided: replies_not_connected"
    assert outcome("C5", about(a_send(), **blind)) == "undecided: replies_not_connected"
    assert outcome("C5", about(a_send(), a_withdrawal(), **blind)) == "flagged"
    asked = a_send(request="m1")
    assert outcome("C5", about(asked, a_withdrawal(), **blind)) == "undecided: replies_not_connected"
