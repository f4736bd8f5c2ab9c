"""Rollups: a board that folds them holds what it would hold had it folded the records."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendwatch.windows import keeping
from sendwatch.windows.b5_evasion import Copies
from sendwatch.windows.board import Board, Room
from sendwatch.windows.limits import Limits
from sendwatch.windows.rollup import Rollup, decode, encode
from windows_builders import DAY, HOUR, MINUTE, NOW, a_record, a_tally, blocked, complained, copied, hit, reported

if TYPE_CHECKING:
    from sendwatch.ledger import Range, Tally

seeds = st.integers(0, 1 << 32)


def a_random_tally(random: Random, at: int) -> Tally:
    """Of one of few ways of sending, in the last hours; some are corrections only, some without names."""
    made = a_tally(at - random.randrange(150) * MINUTE, sends=random.randrange(4))
    made.owner, made.port = random.choice(("O1", "O2", None)), random.choice(("10690001", "10690002"))
    made.province, made.signature = random.choice(("31", None)), random.choice(("甲", "乙", None))
    made.undecided = random.randrange(made.sends + 1)
    made.flags = {rule: random.randrange(4) for rule in ("C1", "C5") if random.random() < 0.3}
    made.corrections = {name: random.randrange(4) for name in ("C1-", "C5+") if random.random() < 0.2}
    return made


def a_random_record(random: Random, at: int) -> Range:
    """With any of the sums that the windows add up."""
    early, some = at - random.randrange(6) * HOUR, random.random
    return a_record(
        at,
        [a_random_tally(random, at) for _ in range(random.randrange(5))],
        complained=[complained(early, 1 + random.randrange(3), channel=random.choice("ab"))] if some() < 0.4 else [],
        reported=[reported(early, random.randrange(3), random.randrange(9)) for _ in range(random.randrange(3))],
        hits=[hit(early)] if some() < 0.1 else [],
        copied=[copied(name, at=early, count=2) for name in ("甲", "乙", "丙", "丁", "戊", None) if some() < 0.3],
        blocked=[blocked(random.randrange(5), recipient=random.choice("ab")) for _ in range(random.randrange(2))],
        refused=[(early // HOUR, "O1", 1 + random.randrange(3))] if some() < 0.3 else [],
        copies_left_out=random.randrange(2),
        unmatched=random.randrange(2),
    )


def a_story(random: Random) -> list[list[Range]]:
    """Stretches of records, each within an hour, one after another; hours and days lie between some."""
    at, stretches = NOW, []
    for _ in range(random.randrange(1, 8)):
        at = at // HOUR * HOUR + random.choice((0, 1, 3, 30, 200)) * HOUR
        minutes = sorted(random.randrange(60) for _ in range(random.randrange(1, 5)))
        stretches.append([a_random_record(random, at + minute * MINUTE) for minute in minutes])
    return stretches


def alike(signature: str, _at: int) -> str | None:
    """乙 looks like a filed name."""
    return "乚" if signature == "乙" else None


def rolled(stretch: list[Range]) -> Rollup:
    """A stretch as a rollup that has been bytes."""
    rollup = Rollup()
    for record in stretch:
        rollup.add(record)
    return decode(encode(rollup))


def stored(board: Board) -> dict[bytes, Any]:
    """What of a board has changed, whatever order its rows have within."""
    found: dict[bytes, Any] = {}
    for key, value in keeping.changes(board).items():
        kinds = {keeping.TABLE: dict[str, Any], keeping.COPIES: Copies, keeping.REST: keeping.Rest}
        found[key] = None if value is None else msgspec.msgpack.decode(value, type=kinds.get(key[:1], Any))
        if key == keeping.REST:
            for several in (found[key].open, found[key].last, found[key].cut_off):
                several.sort(key=repr)
    return found


@given(seeds)
def test_a_board_of_rollups_is_stored_as_a_board_of_records_is(seed: int) -> None:
    """All of it, and the same breaches open and close, where they are asked about after the same records."""
    one, other = Board(Limits(), alike), Board(Limits(), alike)
    told: list[list[bytes]] = [[], []]
    for stretch in a_story(Random(seed)):
        for record in stretch:
            one.fold(record)
        other.fold_rollup(rolled(stretch))
        for board, so_far in zip((one, other), told, strict=True):
            so_far.extend(sorted(map(msgspec.json.encode, board.settle())))
        one.add_up()  # or copies of too old minutes would differ by when they are added up
        other.add_up()
        assert stored(one) == stored(other)
    assert told[0] == told[1]


@given(seeds)
def test_rollups_of_partitions_add_up_in_any_order(seed: int) -> None:
    """Each record of a stretch is of a partition, and each partition's are rolled up for themselves."""
    one, other, random = Board(Limits(), alike), Board(Limits(), alike), Random(seed)
    for stretch in a_story(random):
        for record in stretch:
            one.fold(record)
        shares: dict[int, list[Range]] = {}
        for record in stretch:
            shares.setdefault(random.randrange(3), []).append(record)
        for share in random.sample(list(shares.values()), len(shares)):
            other.fold_rollup(rolled(share))
    assert {name: table.rows.keys() for name, table in one.tables().items()} == {
        name: table.rows.keys() for name, table in other.tables().items()
    }
    for name, table in one.tables().items():
        for subject, row in table.rows.items():
            for what, line in row.items():
                mine = {at: n for at, n in line.within(0, 1 << 40) if n}
                theirs = other.tables()[name].rows[subject][what]
                assert mine == {at: n for at, n in theirs.within(0, 1 << 40) if n}, (name, subject, what)


@given(seeds)
def test_bytes_lose_nothing(seed: int) -> None:
    """And are the same when written again."""
    for stretch in a_story(Random(seed)):
        once = encode(rolled(stretch))
        assert encode(decode(once)) == once


def test_a_top_list_that_is_full_differs_within_its_error_only() -> None:
    """What has no counter of its own makes the least one give way, whatever the order."""
    board, room = Board(Limits(), room=Room(top=4)), 4
    stretch = [a_record(NOW, [a_tally(port=f"1069{n % 9:04}", flags={"C1": 1 + 10 * (n % 9 == 3)})]) for n in range(90)]
    board.fold_rollup(rolled(stretch))
    (top,) = board.tops.values()
    whole = sum(sum(record.tallies[0].flags.values()) for record in stretch)
    first = top.list(1)[0]
    assert first.subject == ("云岭商贸", "10690003")
    assert 110 <= first.count <= 110 + whole // room
    assert first.count - first.error <= 110


def test_nothing_rolled_up_changes_nothing() -> None:
    """As where a process only says that it has nothing."""
    board = Board(Limits())
    board.fold(a_record(NOW, [a_tally()]))
    before = keeping.changes(board)
    board.fold_rollup(rolled([]))
    assert keeping.changes(board).keys() <= before.keys()
    assert board.now == NOW


@pytest.mark.parametrize("days", [29, 31])
def test_what_is_too_old_is_left_out_as_ever(days: int) -> None:
    """And counted as such, in the tables of hours."""
    board = Board(Limits())
    board.fold_rollup(rolled([a_record(NOW, [a_tally(NOW - days * DAY, 5), a_tally(NOW)])]))
    assert board.pairs.too_old == (5 if days > 30 else 0)
