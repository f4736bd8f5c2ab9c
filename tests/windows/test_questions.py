"""What may be asked of what was counted: trends, what is new, drift, readiness, top lists, service level."""

from __future__ import annotations

from typing import Any

import pytest

from sendwatch.events import Filing
from sendwatch.registry import Registry
from sendwatch.windows import asked, vane
from sendwatch.windows.board import Board
from sendwatch.windows.drift import by_filings, drift
from sendwatch.windows.limits import Limits, Promotion
from sendwatch.windows.readiness import Plan, ready
from windows_builders import DAY, HOUR, MINUTE, NOW, a_record, a_tally, complained

AT = NOW - HOUR  # the last whole hour


def board_of(*records: Any, limits: Limits | None = None) -> Board:
    """A board that has folded these."""
    board = Board(limits or Limits())
    for record in records:
        board.fold(record)
        board.settle()
    return board


def week(name: str = "O1", sends: int = 1000, complaints: int = 0) -> list[Any]:
    """The same hour on each of the eight days before."""
    return [
        a_record(
            AT - day * DAY,
            [a_tally(AT - day * DAY, sends, owner=name)],
            complained=[complained(AT - day * DAY, complaints, owner=name)] if complaints else [],
        )
        for day in range(8, 0, -1)
    ]


# -- the weather vane ----------------------------------------------------------------------------------------


def test_as_much_as_on_other_days_is_no_rise() -> None:
    """By chance a little more is not one either."""
    board = board_of(*week(), a_record(NOW, [a_tally(AT, 1050)]))
    assert not vane.rising(board.hours["owner"], "sends", NOW)


def test_more_than_chance_is_a_rise() -> None:
    """Against the mean of the same hour on the seven days before."""
    board = board_of(*week(), a_record(NOW, [a_tally(AT, 1500)]))
    (rise,) = vane.rising(board.hours["owner"], "sends", NOW)
    assert (rise.subject, rise.count, rise.expected, rise.promotion) == (("O1",), 1500, 1000, None)
    assert rise.slope > 0


def test_a_rise_of_sends_names_the_promotion_that_it_is_in() -> None:
    """618 is in the calendar: who reads it knows."""
    board = board_of(*week(), a_record(NOW, [a_tally(AT, 9000)]))
    (rise,) = vane.rising(board.hours["owner"], "sends", NOW, [Promotion("618", NOW - DAY, NOW + DAY)])
    assert rise.promotion == "618"


def test_complaints_rise_against_sends_and_not_with_a_promotion() -> None:
    """Ten times the sends with ten times the complaints is no rise; with a hundred times it is."""
    calm = board_of(*week(complaints=1), a_record(NOW, [a_tally(AT, 10_000)], complained=[complained(AT, 10)]))
    assert vane.rising(calm.hours["owner"], "complaints", NOW)
    assert not vane.rising(calm.hours["owner"], "complaints", NOW, per_send=True)
    board = board_of(*week(complaints=1), a_record(NOW, [a_tally(AT, 10_000)], complained=[complained(AT, 40)]))
    assert vane.rising(board.hours["owner"], "complaints", NOW, per_send=True)


def test_without_days_before_nothing_rises() -> None:
    """There is nothing to hold it against."""
    assert not vane.rising(board_of(a_record(NOW, [a_tally(AT, 10**6)])).hours["owner"], "sends", NOW)


def test_what_was_not_seen_for_thirty_days_is_new() -> None:
    """A signature of yesterday among those of last week; on the first day of all, nothing is."""
    young = board_of(a_record(NOW, [a_tally(AT)]))
    assert not vane.new(young.hours["signature"], NOW)
    board = board_of(*week(), a_record(NOW, [a_tally(AT, 7, signature="新签名")]))
    (new,) = vane.new(board.hours["signature"], NOW)
    assert (new.subject, new.sends, new.first_seen) == (("新签名",), 7, AT)
    assert not vane.new(board.hours["signature"], NOW, least=8)


def test_the_share_of_consumer_finance_stands_on_its_own() -> None:
    """Of commercial sends only, the last day against the week before."""
    day = [a_tally(AT, 300, type="marketing.finance"), a_tally(AT, 700), a_tally(AT, 5000, type="otp")]
    board = board_of(*week(), a_record(NOW, day))
    share = vane.share_of(board, "sends")
    assert (share.now, share.of, share.before) == (300, 1000, 0)
    assert share.chance < 1e-9


def test_complaints_are_shared_out_by_industry() -> None:
    """The type of the send that they are about; most first."""
    finance = complained(count=2, type="marketing.finance")
    board = board_of(a_record(complained=[complained(count=5), finance, complained(type=None)]))
    assert vane.by_industry(board) == {"marketing.retail": 5, "marketing.finance": 2, None: 1}


# -- drift ---------------------------------------------------------------------------------------------------


def a_registry(**fields: Any) -> Registry:
    """云岭商贸 is filed by O1 for marketing on 1069 of sp1."""
    usual: dict[str, Any] = {"signature": "云岭商贸", "owner": "O1", "uses": ("marketing",), "ports": ("1069",)}
    usual |= {"sps": ("sp1",), "valid_from": NOW - 300 * DAY}
    registry = Registry()
    registry.put("signatures", "f1", 0, NOW - 300 * DAY, Filing("f1", **{**usual, **fields}))
    return registry


def test_a_way_of_sending_that_no_filing_covers_is_drift() -> None:
    """Growing ones first; what is covered and old is left out."""
    today = [a_tally(AT, 1000), a_tally(AT, 10, sp="sp2"), a_tally(AT, 40, type="otp"), a_tally(AT, signature=None)]
    board = board_of(*week(), a_record(NOW, today))
    found = drift(board, by_filings(a_registry()))
    assert [(lane.sp, lane.type, lane.standing, lane.sends) for lane in found] == [
        ("sp1", "otp", "outside", 40),
        ("sp2", "marketing.retail", "outside", 10),
        ("sp1", "marketing.retail", "open", 1),
    ]
    assert all(lane.new for lane in found)


def test_a_new_way_of_sending_is_told_even_if_it_is_covered() -> None:
    """Another province, as the filing allows."""
    board = board_of(*week(), a_record(NOW, [a_tally(AT, 9, province="11")]))
    (lane,) = drift(board, by_filings(a_registry()))
    assert (lane.province, lane.standing, lane.new, lane.before) == ("11", "covered", True, 0)


def test_a_way_of_sending_that_was_seen_within_thirty_days_is_not_new() -> None:
    """Though its hours are told apart for eight days only: what lies before is kept as one number."""
    early = [a_record(NOW - days * DAY, [a_tally(NOW - days * DAY)]) for days in range(25, 19, -1)]
    board = board_of(*early, *(a_record(NOW - hours * HOUR) for hours in range(48, 0, -1)))
    ((lane, row),) = board.lanes.rows.items()
    assert [count for _, count in row["sends"].within(0, NOW)] == [6]
    board.fold(a_record(NOW, [a_tally(AT, 9, type="otp"), a_tally(AT, 9)]))
    board.settle()
    assert [(found.type, found.new) for found in drift(board, by_filings(a_registry()))] == [("otp", True)]
    assert len(board.lanes.rows[lane]["sends"]) == 2


# -- readiness -----------------------------------------------------------------------------------------------


def a_plan(**fields: Any) -> Plan:
    """Two million sends of 云岭商贸 tomorrow at 14:00."""
    usual: dict[str, Any] = {"signature": "云岭商贸", "port": "10690001", "sp": "sp1", "type": "marketing.retail"}
    return Plan(**{**usual, "sends": 2_000_000, "at": NOW + DAY, **fields})


def concerns(plan: Plan, board: Board | None = None, **filing: Any) -> dict[str, bool]:
    """The rules that a plan breaks, and whether that is sure."""
    found = ready(plan, board or Board(Limits()), a_registry(**filing))
    return {concern.rule[:2]: concern.sure for concern in found.concerns}


def test_a_plan_that_the_filings_cover_raises_no_concern() -> None:
    """And tells for whom it is, and how many complaints it has room for: few sends so far, so four."""
    found = ready(a_plan(sends=50_000), Board(Limits()), a_registry())
    assert (found.owner, found.concerns, found.room) == ("O1", [], 4)


@pytest.mark.parametrize(
    ("plan", "rule"),
    [
        ({"signature": "别家"}, "G2"),
        ({"at": NOW + 400 * DAY}, "G3"),
        ({"sp": "sp2"}, "G4"),
        ({"type": "otp"}, "G4"),
        ({"at": NOW + 10 * HOUR}, "B1"),
    ],
)
def test_a_plan_breaks_what_its_sends_would_break(plan: dict[str, Any], rule: str) -> None:
    """By the filings as they stand, at the time planned."""
    assert concerns(a_plan(**plan), valid_until=NOW + 200 * DAY) == {rule: True}


def test_a_plan_of_a_signature_that_is_complained_of_would_open_b3() -> None:
    """At the rate of complaints so far."""
    board = board_of(a_record(tallies=[a_tally(sends=1_000_000)], complained=[complained(count=3)]))
    found = ready(a_plan(), board, a_registry())
    assert found.expected_complaints == 6
    assert found.room == 1  # five in three million are enough, three there are already
    assert {concern.rule[:2]: concern.sure for concern in found.concerns} == {"B3": False}


# -- lists ---------------------------------------------------------------------------------------------------


def test_offenders_are_those_with_the_most_flags_of_a_window() -> None:
    """Corrections subtract; flags of yesterday are not in the last hour."""
    flags = {"G2_SIGNATURE_UNFILED": 3}
    yesterday = a_record(NOW - DAY + HOUR, [a_tally(NOW - DAY + HOUR, 5, owner="O2", flags=flags)])
    first = a_tally(sends=5, flags={"C1_CONSENT_MISSING": 4, "B1_QUIET_HOURS": 1})
    later = a_tally(sends=0, corrections={"C1_CONSENT_MISSING-": 4, "C5_AFTER_OPT_OUT+": 1})
    board = board_of(yesterday, a_record(NOW, [first]), a_record(NOW + 1, [later]))
    day = asked.offenders(board, "owner", "1d")
    assert [(each.subject, each.flagged, each.sends) for each in day] == [(("O2",), 3, 5), (("O1",), 2, 5)]
    assert [each.subject for each in asked.offenders(board, "owner", "1h")] == [("O1",)]
    assert [each.subject for each in asked.flagged_lately(board, 1)] == [("云岭商贸", "10690001")]


def test_ten_minutes_are_ten_minutes() -> None:
    """Of the time that counts, the current minute included."""
    tallies = [a_tally(NOW - each * MINUTE) for each in range(20)]
    board = board_of(a_record(tallies=tallies))
    assert asked.total(board, "port", ("10690001",), "10m").sends == 10
    assert len(asked.series(board, "sp", ("sp1",), "sends", "10m")) == 10
    assert len(asked.series(board, "sp", ("sp1",), "sends", "1d")) == 2


def test_coverage_is_the_share_that_every_rule_decided() -> None:
    """None while there is nothing."""
    assert asked.coverage(Board(Limits())) is None
    assert asked.coverage(board_of(a_record(tallies=[a_tally(sends=8), a_tally(sends=2, undecided=2)]))) == 0.8


def test_refusals_are_held_against_what_was_sent_after_them() -> None:
    """By owner: refusals, sends after one, and those that a reply had asked to stop two days before."""
    flags = {"C5_AFTER_OPT_OUT": 3, "C9_OPT_OUT_IGNORED": 1}
    board = board_of(a_record(tallies=[a_tally(sends=3, flags=flags)], refused=[(NOW // HOUR, "O1", 7)]))
    (level,) = asked.service_level(board)
    assert (level.owner, level.refusals, level.after_opt_out, level.ignored) == ("O1", 7, 3, 1)
