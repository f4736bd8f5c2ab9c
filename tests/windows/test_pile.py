"""Tallies that wait to be added up: whenever they are, every sum is the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from sendwatch.windows import board as boards
from sendwatch.windows.board import Board
from sendwatch.windows.limits import Limits
from windows_builders import HOUR, MINUTE, NOW, a_record, a_tally, complained

if TYPE_CHECKING:
    from sendwatch.ledger import Range, Tally
    from sendwatch.windows.lines import Line, Table


def a_random_tally(random: Random, at: int) -> Tally:
    """A tally of one of few ways of sending, now or in the last hours; some are corrections only."""
    tally = a_tally(at - random.randrange(150) * MINUTE, sends=random.randrange(4))
    tally.owner, tally.port = random.choice(("O1", "O2", None)), random.choice(("10690001", "10690002"))
    tally.province, tally.signature = random.choice(("31", "53")), random.choice(("甲", "乙", None))
    tally.undecided = random.randrange(tally.sends + 1)
    tally.flags = {"C1_CONSENT_MISSING": 2} if random.random() < 0.3 else {}
    tally.corrections = {"C1_CONSENT_MISSING-": 1} if random.random() < 0.2 else {}
    return tally


def records(seed: int) -> list[Range]:
    """Twenty of them, a quarter of an hour apart; some complain."""
    random = Random(seed)
    made = []
    for number in range(20):
        at = NOW + number * HOUR // 4
        complaints = [complained(at, random.randrange(1, 3))] if random.random() < 0.4 else []
        made.append(a_record(at, [a_random_tally(random, at) for _ in range(12)], complained=complaints))
    return made


def held(table: Table, row: dict[str, Line], now: int) -> dict[str, list[tuple[int, int]]]:
    """The buckets of a row that are still kept, and hold anything."""
    lines = {what: [each for each in line.within(table.oldest(now), 1 << 40) if each[1]] for what, line in row.items()}
    return {what: buckets for what, buckets in lines.items() if buckets}


def rows_of(board: Board) -> dict[str, Any]:
    """Everything that its tables hold of the time that they keep."""
    tables = board.tables().items()
    rows = {name: {s: held(table, row, board.now) for s, row in table.rows.items()} for name, table in tables}
    return {name: {subject: row for subject, row in some.items() if row} for name, some in rows.items()}


@pytest.mark.parametrize("seed", range(6))
def test_asking_in_between_changes_no_sum_and_no_breach(seed: int) -> None:
    """Of two boards one is asked after every record; what opens and closes is the same too."""
    asked, left_alone = Board(Limits()), Board(Limits())
    opened: dict[Board, list[str]] = {asked: [], left_alone: []}
    for record in records(seed):
        for board, told in opened.items():
            board.fold(record)
            told += [breach.id for breach in board.settle()]
        asked.add_up()
    assert rows_of(asked) == rows_of(left_alone)
    assert opened[asked] == opened[left_alone]


def test_every_sum_of_a_family_is_that_of_its_tallies() -> None:
    """All sends, undecided and flags of each family, whatever way they were told apart."""
    board, told = Board(Limits()), [0, 0, 0]
    for record in records(1):
        board.fold(record)
        for tally in record.tallies:
            cleared = sum(tally.corrections.values())
            for place, count in enumerate((tally.sends, tally.undecided, sum(tally.flags.values()) - cleared)):
                told[place] += count
    for family, table in board.hours.items():
        sums = [sum(table.sum(subject, what, board.now, 720) for subject in table.rows) for what in boards.COUNTS]
        assert sums == told, family
    for pairs in (board.pairs, board.lanes):
        assert sum(pairs.sum(subject, "sends", board.now, 720) for subject in pairs.rows) == told[0]


def test_no_more_waits_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though nobody asks for as long as time stands still."""
    monkeypatch.setattr(boards, "MOST_WAITING", 50)
    board = Board(Limits())
    for number in range(200):
        board.fold(a_record(tallies=[a_tally(signature=f"名{number}")]))
    assert len(board._lanes.rows) >= 100  # asking `lanes` would add up the rest
