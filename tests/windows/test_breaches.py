"""The windowed rules: what opens a breach, what keeps it open, what closes it; and all of it against brute force."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from windows_oracle import Oracle

from sendwatch.events import Filing
from sendwatch.windows import b3_complaint_rate as b3
from sendwatch.windows import keeping
from sendwatch.windows.alikes import Alikes
from sendwatch.windows.board import Board, Room
from sendwatch.windows.breach import Breach, WindowRule
from sendwatch.windows.limits import Limits
from sendwatch.windows.outbreaks import RULES
from windows_builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    a_record,
    a_tally,
    blocked,
    complained,
    copied,
    hit,
    reported,
)

LIMITS = Limits()


def told(changes: list[Breach]) -> list[tuple[str, str, str]]:
    """Rule, subject and status of each change."""
    return [(each.rule[:2], "/".join(map(str, each.subject.values())), each.status) for each in changes]


def board_of(*records: Any, limits: Limits = LIMITS) -> tuple[Board, list[tuple[str, str, str]]]:
    """A board that has folded these, and what opened and closed."""
    board, changes = Board(limits), list[Breach]()
    for record in records:
        board.fold(record)
        changes += [msgspec.structs.replace(each) for each in board.settle()]
    return board, told(changes)


# -- B3 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("complaints", "sends", "opens"),
    [(5, 7_800_000, True), (5, 7_900_000, False), (4, 1_000_000, False), (5, 50_000, True), (4, 50_000, False)],
)
def test_b3_opens_where_even_the_lower_bound_is_above_the_limit(complaints: int, sends: int, opens: bool) -> None:
    """Of five complaints the lower bound is 1.970: more than 0.25 per million below 7.88 million sends."""
    _, changes = board_of(a_record(tallies=[a_tally(sends=sends)], complained=[complained(count=complaints)]))
    assert changes == ([("B3", "O1/10690001", "open")] if opens else [])


def test_b3_leaves_out_complaints_about_codes() -> None:
    """They are counted, but not against the limit."""
    board, changes = board_of(a_record(tallies=[a_tally()], complained=[complained(count=9, about_code=True)]))
    assert not changes
    assert board.hours["owner"].sum(("O1",), "complaints", NOW, 1) == 9


def test_b3_of_few_sends_asks_for_five_in_ten_days() -> None:
    """Five in thirty days, four in ten: with a rate that is no limit, nothing opens."""
    limits = Limits(complaints_per_million=1e9)
    old, late = complained(NOW - 12 * DAY), complained(count=4)
    assert board_of(a_record(tallies=[a_tally()], complained=[old, late]), limits=limits)[1] == []
    late = complained(count=5)
    assert len(board_of(a_record(tallies=[a_tally()], complained=[late]), limits=limits)[1]) == 1
    many = a_tally(sends=100_000)
    assert board_of(a_record(tallies=[many], complained=[late]), limits=limits)[1] == []


def test_b3_of_a_complaint_without_owner_is_about_the_port_alone() -> None:
    """Owner null is a subject of its own."""
    _, changes = board_of(a_record(complained=[complained(count=5, owner=None)]))
    assert changes == [("B3", "None/10690001", "open")]


def test_b3_closes_when_complaints_have_left_the_window() -> None:
    """After thirty days, and the hold time."""
    first = a_record(tallies=[a_tally(sends=1_000_000)], complained=[complained(count=5)])
    hours = [a_record(NOW + 30 * DAY + each * HOUR, [a_tally(NOW + 30 * DAY + each * HOUR)]) for each in range(-1, 3)]
    board, changes = board_of(first, *hours)
    assert changes == [("B3", "O1/10690001", "open"), ("B3", "O1/10690001", "closed")]
    assert not board.outbreaks.open


# -- B4 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("delivered", "undelivered", "opens"),
    [(9, 11, True), (10, 10, False), (8, 11, False), (0, 19, False), (0, 20, True)],
)
def test_b4_opens_when_most_of_twenty_reports_say_not_delivered(delivered: int, undelivered: int, opens: bool) -> None:
    """More than half, of 20 or more, in one clock hour."""
    _, changes = board_of(a_record(reported=[reported(delivered=delivered, undelivered=undelivered)]))
    assert bool(changes) is opens


def test_b4_does_not_add_up_two_hours() -> None:
    """Ten in one hour and ten in the next are no twenty."""
    assert not board_of(a_record(reported=[reported(undelivered=19), reported(NOW - HOUR, undelivered=19)]))[1]


def test_b4_opens_at_one_honeypot() -> None:
    """Nobody can have given that number."""
    assert board_of(a_record(hits=[hit()]))[1] == [("B4", "sp1/1069", "open")]


def test_b4_opens_for_an_hour_that_lies_back() -> None:
    """Reports come late; the hour that they are about is what counts."""
    board, _ = board_of(a_record(), a_record(NOW, reported=[reported(NOW - 5 * HOUR, undelivered=20)]))
    (breach,) = board.outbreaks.open.values()
    assert breach.window == {"from": NOW - 5 * HOUR, "until": NOW - 4 * HOUR}


# -- B5 ------------------------------------------------------------------------------------------------------


def test_b5_opens_at_five_signatures_or_five_ports() -> None:
    """Of one text in one hour; copies under one name are no evasion, nor is an unsigned copy a signature."""
    names = [copied(name) for name in ("甲", "乙", "丙", "丁")]
    assert not board_of(a_record(copied=[*names, copied(None), copied("甲", count=1000)]))[1]
    assert board_of(a_record(copied=[*names, copied("戊")]))[1] == [("B5", "f1", "open")]
    assert board_of(a_record(copied=[copied("甲", str(port)) for port in range(5)]))[1] == [("B5", "f1", "open")]


def test_b5_counts_across_records_but_not_across_hours() -> None:
    """Partitions see a part each."""
    records = [a_record(copied=[copied(name, at=NOW + MINUTE * turn)]) for turn, name in enumerate("甲乙丙丁戊")]
    assert len(board_of(*records)[1]) == 1
    records = [a_record(copied=[copied(name, at=NOW + HOUR * turn)]) for turn, name in enumerate("甲乙丙丁戊")]
    assert not board_of(*records)[1]


def a_filed(signature: str, valid_from: int = NOW - DAY, status: Any = "approved") -> Filing:
    """A filing of that name."""
    return Filing("f", signature, "O1", ("marketing",), ("1069",), valid_from, status=status)


def test_b5_opens_for_an_unfiled_name_that_looks_like_a_filed_one() -> None:
    """支付寶 for 支付宝."""
    alikes = Alikes()
    alikes.put("f1", a_filed("支付宝"))
    board = Board(LIMITS, alikes.imitated)
    board.fold(a_record(tallies=[a_tally(signature="支付寶"), a_tally(signature="支付宝"), a_tally(signature="别家")]))
    assert told(board.settle()) == [("B5", "支付寶", "open")]
    (breach,) = board.outbreaks.open.values()
    assert breach.measures == {"sends": 1, "imitates": "支付宝"}


def test_a_name_that_is_filed_itself_imitates_none() -> None:
    """Even if it looks like another; from the day on which its own filing begins, and as long as that is there."""
    alikes = Alikes()
    alikes.put("f1", a_filed("支付宝"))
    alikes.put("f2", a_filed("支付寶", NOW))
    assert alikes.imitated("支付寶", NOW - 1) == "支付宝"
    assert alikes.imitated("支付寶", NOW) is None
    alikes.put("f2", None)
    assert alikes.imitated("支付寶", NOW) == "支付宝"
    alikes.put("f1", a_filed("支付宝", status="rejected"))
    assert alikes.imitated("支付寶", NOW) is None


# -- B6 ------------------------------------------------------------------------------------------------------


def test_b6_opens_at_two_in_a_row_and_closes_when_the_thirty_days_are_over() -> None:
    """What the worker tells last is what holds."""
    _, changes = board_of(a_record(blocked=[blocked(1)]))
    assert not changes
    later = [a_record(NOW + 30 * DAY + turn * HOUR) for turn in range(3)]
    _, changes = board_of(a_record(blocked=[blocked(1)]), a_record(blocked=[blocked(2)]), *later)
    assert changes == [("B6", "anne/O1", "open"), ("B6", "anne/O1", "closed")]


# -- opening and closing -------------------------------------------------------------------------------------


def test_a_measure_that_swings_around_the_limit_opens_one_breach() -> None:
    """Between 80 % and the limit it stays open; below that, it must stay below for an hour."""
    spread = [5, 4, 5, 4, 4, 5]
    records = [
        a_record(NOW + turn * HOUR, copied=[copied(str(name), at=NOW + turn * HOUR) for name in range(count)])
        for turn, count in enumerate(spread)
    ]
    _, changes = board_of(*records)
    assert changes == [("B5", "f1", "open")]


def test_it_closes_after_the_hold_time_and_opens_again_as_another() -> None:
    """Another id; the old hour opens nothing once more."""
    first = a_record(hits=[hit()])
    quiet = [a_record(NOW + HOUR * turn) for turn in (1, 2, 3)]
    again = a_record(NOW + 4 * HOUR, hits=[hit(NOW + 4 * HOUR)])
    board, changes = board_of(first, *quiet, a_record(NOW + 3 * HOUR, hits=[hit()]), again)
    assert [status for _, _, status in changes] == ["open", "closed", "open"]
    (breach,) = board.outbreaks.open.values()
    assert breach.id != id_of(first)


def id_of(record: Any) -> str:
    """The id of the one breach that a record opens."""
    board, _ = board_of(record)
    (breach,) = board.outbreaks.open.values()
    return breach.id


def test_ids_are_the_same_when_the_same_is_counted_again() -> None:
    """In another order of records too, as after a crash."""
    records = [a_record(copied=[copied(name, at=NOW)]) for name in "甲乙丙丁戊"]
    one, _ = board_of(*records)
    other, _ = board_of(*reversed(records))
    assert [b.id for b in one.outbreaks.open.values()] == [b.id for b in other.outbreaks.open.values()]


def test_one_send_from_the_future_moves_no_time() -> None:
    """A record's event time counts only up to the wall clock at which it was written."""
    board, record = Board(LIMITS), a_record(NOW)
    record.event_time = NOW + DAY
    board.fold(record)
    assert board.now == NOW


# -- against brute force -------------------------------------------------------------------------------------


def some_records(random: Random, count: int) -> list[Any]:
    """A few days of a small world, with late sums, most of it near the limits."""
    at, records = NOW, []
    for _ in range(count):
        at += random.choice((MINUTE, 20 * MINUTE, HOUR, 7 * HOUR, 3 * DAY))
        late = at - random.choice((0, 0, HOUR, 9 * HOUR, 40 * HOUR, 11 * DAY))
        owner, port = random.choice(("O1", "O2", None)), random.choice(("1", "2"))
        records.append(
            a_record(
                at,
                [a_tally(late, random.choice((1, 40_000, 3_000_000)), owner=owner, port=port)],
                complained=[complained(late, random.randint(1, 3), owner=owner, port=port)][: random.randint(0, 1)],
                reported=[reported(late, random.randint(0, 12), random.randint(0, 12))],
                hits=[hit(late)] if random.random() < 0.1 else [],
                copied=[copied(random.choice("甲乙丙丁戊己"), random.choice("12345"), late) for _ in range(3)],
                blocked=[blocked(random.randint(0, 3), at + random.choice((DAY, 5 * DAY)), owner=owner or "O3")],
            )
        )
    return records


@given(st.integers(0, 10**9), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_breaches_are_those_of_brute_force(seed: int, count: int) -> None:
    """An oracle that keeps every sum ever told and adds all of them up anew each time says the same."""
    board, oracle = Board(LIMITS), Oracle(LIMITS)
    for record in some_records(Random(seed), count):
        board.fold(record)
        found = {(b.rule, tuple(b.subject.values()), b.status, b.id) for b in board.settle()}
        assert found == oracle.fold(record)


@given(st.integers(0, 10**9), st.integers(1, 30), st.integers(0, 29))
@settings(max_examples=30, deadline=None)
def test_a_board_that_is_stored_and_read_back_goes_on_as_if_nothing_had_been(seed: int, count: int, stop: int) -> None:
    """A crash between two records loses nothing and counts nothing twice."""
    whole, other, store = Board(LIMITS), Board(LIMITS), dict[bytes, bytes]()
    for number, record in enumerate(some_records(Random(seed), count)):
        whole.fold(record)
        other.fold(record)
        assert told(whole.settle()) == told(other.settle())
        for key, value in keeping.changes(other).items():
            if value is None:
                store.pop(key, None)
            else:
                store[key] = value
        if number == stop:
            other = Board(LIMITS)
            keeping.load(other, sorted(store.items()))
    fresh = Board(LIMITS)
    keeping.load(fresh, sorted(store.items()))
    assert fresh.outbreaks.open == whole.outbreaks.open
    for name, table in whole.tables().items():
        kept = fresh.tables()[name]
        assert {s: sorted(row) for s, row in kept.rows.items()} == {s: sorted(row) for s, row in table.rows.items()}
        for subject, row in table.rows.items():
            assert all(list(line.at) == list(kept.rows[subject][count].at) for count, line in row.items())


def test_texts_that_are_not_spread_give_way_where_there_are_too_many() -> None:
    """A sender cannot hide one copied text behind a flood of texts of its own."""
    board = Board(LIMITS, room=Room(texts=10))
    board.fold(a_record(copied=[copied("甲")]))
    for name in ("乙", "丙", "丁"):
        board.fold(a_record(copied=[copied(name)]))
        board.fold(a_record(copied=[copied("甲", fingerprint=f"{name}{each}") for each in range(20)]))
        assert not board.settle()
    board.fold(a_record(copied=[copied("戊")]))
    assert told(board.settle()) == [("B5", "f1", "open")]
    assert len(board.outbreaks.copies) <= 10
    assert board.outbreaks.left_out


def test_memory_stays_flat_while_time_goes_on() -> None:
    """Two months of hours: nothing is kept of what no window reaches."""
    board, sizes = Board(LIMITS, room=Room(texts=50)), list[int]()
    for turn in range(60 * 24):
        at = NOW + turn * HOUR
        names = [a_tally(at, owner=f"O{turn}", flags={"G2_SIGNATURE_UNFILED": 1})]
        texts = [copied("甲", at=at, fingerprint=f"f{turn}-{each}") for each in range(5)]
        board.fold(a_record(at, names, complained=[complained(at, owner=f"O{turn}")], copied=texts))
        board.settle()
        keeping.changes(board)
        if turn % 24 == 0:
            rows = [row for table in board.tables().values() for row in table.rows.values()]
            buckets = sum(len(line) for row in rows for line in row.values())
            sizes.append(buckets + len(board.outbreaks.copies) + len(board.tops))
    assert max(sizes[40:]) <= max(sizes[30:40]) * 1.01


def test_the_bound_of_a_pair_that_was_complained_of_without_a_send_is_finite() -> None:
    """Sends may have left the window before the complaints."""
    assert b3.bound_per_million(5, 0) == pytest.approx(1.9701e6, rel=1e-3)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_subject_has_a_reason_that_names_it_or_what_was_measured(rule: WindowRule) -> None:
    """In both languages, with nothing left as a dash that belongs to another subject."""
    assert len(rule.reasons) == len(rule.subjects)
    for fields, words in zip(rule.subjects, rule.reasons, strict=True):
        named = set(re.findall(r"\{(\w+)\}", words.en))
        assert named == set(re.findall(r"\{(\w+)\}", words.zh))
        others = {field for other in rule.subjects if other != fields for field in other} - set(fields)
        assert not named & others
    imitation = {"sends": 3, "imitates": "支付宝"}
    if rule.id == "B5_EVASION":
        assert "–" not in rule.reason_of({"signature": "支付寶"}, imitation).zh
        assert "支付寶" in rule.reason_of({"signature": "支付寶"}, imitation).en
