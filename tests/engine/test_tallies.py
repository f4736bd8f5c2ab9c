"""Tallies: who sent what where, by the minute, and what became of it; sums that can be added up in any order."""

from __future__ import annotations

import msgspec

from engine_builders import (
    BODO,
    CODE,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    OTHER_TEXT,
    a_consent,
    a_send,
    a_withdrawal,
    judged,
    tallied,
)
from sendwatch.ledger import Tally


def sums(*batches: object) -> list[Tally]:
    """The tallies of these batches, in the order in which they were written."""
    return [tally for each in judged(*batches).ledger for tally in each.tallies]  # type: ignore[arg-type]


def test_a_send_is_tallied_by_all_that_tells_it_apart() -> None:
    """Minute of its own time, carrier, province, SP, port, owner, signature, type."""
    (tally,) = sums([a_consent(), a_send()])
    assert tally == Tally(
        NOW // MINUTE, "cm", "53", "sp1", "10690001", "O1", "云岭商贸", "marketing.retail", sends=1, judged=1
    )


def test_like_sends_are_added_up() -> None:
    """Two in one minute are one row; another minute, carrier or owner is another."""
    several = [
        a_send("s1"),
        a_send("s2", at=NOW + MINUTE - 1),
        a_send("s3", at=NOW + MINUTE),
        a_send("s4", carrier="cu"),
        a_send("s5", text=OTHER_TEXT),
        a_send("s6", province=None),
        a_send("s7", text=CODE, category="otp"),
    ]
    assert sorted(tally.sends for tally in sums(several)) == [1, 1, 1, 1, 1, 2]


def test_undecided_and_judged_are_told_apart() -> None:
    """A send of which a rule is undecided is not counted as judged, even if another rule flags it."""
    (tally,) = sums([a_consent(method=None), a_send(text="【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。")])
    assert (tally.sends, tally.judged, tally.undecided) == (1, 0, 1)
    assert tally.flags == {"C8_NO_OPT_OUT_TEXT": 1}


def test_flags_are_counted_by_rule() -> None:
    """Each rule once for a send."""
    (tally,) = sums([a_send(text="【云岭商贸】会员日全场女装八折，满300减50，欢迎选购。"), a_send("s2")])
    assert tally.flags == {"C1_CONSENT_MISSING": 2, "C8_NO_OPT_OUT_TEXT": 1}


def test_corrections_are_counted_with_the_send_s_own_minute() -> None:
    """What a late fact clears and raises is booked where the send was, with its sign, and counts no send."""
    (first, correction) = sums([a_send()], [a_withdrawal(at=NOW - DAY, arrived=NOW + HOUR)])
    assert first.flags == {"C1_CONSENT_MISSING": 1}
    assert correction.corrections == {"C1_CONSENT_MISSING-": 1, "C5_AFTER_OPT_OUT+": 1}
    assert (correction.sends, correction.judged, correction.flags) == (0, 0, {})
    assert (correction.minute, correction.owner, correction.type) == (first.minute, first.owner, first.type)


def test_new_evidence_is_no_correction() -> None:
    """A flag that is raised again for another reason was counted already."""
    desk = judged([a_withdrawal("w1"), a_send()], [a_withdrawal("w2", at=NOW - HOUR, arrived=NOW + HOUR)])
    assert len(desk.flags) == 2
    assert tallied(desk.ledger) == {"C5_AFTER_OPT_OUT": 1}


def test_duplicates_and_refused_records_are_not_tallied() -> None:
    """One send is one, however often it comes."""
    assert sum(tally.sends for tally in sums([a_send(), a_send()], [a_send(), a_send(port="1")])) == 1


def test_lanes_are_told_once_per_range() -> None:
    """Each distinct (signature, port, SP) of a range, by which a look back finds the range again."""
    desk = judged([a_send("s1"), a_send("s2"), a_send("s3", text=None)], [a_send("s4", sp="sp2", recipient=BODO)])
    assert [sorted(map(repr, each.lanes)) for each in desk.ledger] == [
        ["('云岭商贸', '10690001', 'sp1')", "(None, '10690001', 'sp1')"],
        ["('云岭商贸', '10690001', 'sp2')"],
    ]


def test_tallies_hold_nothing_personal() -> None:
    """No recipient, no id, no text."""
    written = msgspec.json.encode(sums([a_send("secret-id")])).decode()
    assert "13912345678" not in written
    assert "secret-id" not in written
    assert "会员日" not in written
