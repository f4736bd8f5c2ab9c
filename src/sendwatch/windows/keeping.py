"""A board as keys and values of a store, so that what was counted and up to where are written in one piece.

Belongs here: the form. Not here: the store itself (`engine/store.py`), when to write (`aggregator/aggregator.py`).

Only what changed since the last time is written. Keys begin with one byte that says what they are:

    t name 00 subject n   a stretch of a row          c hour fingerprint   the copies of a text
    p hour                the top list of an hour     s                    all else: time, breaches, who is cut off
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sendwatch.windows.b5_evasion import Copies
from sendwatch.windows.breach import Breach  # noqa: TC001 - stored, needed at run time
from sendwatch.windows.sums import Blocked  # noqa: TC001 - as above
from sendwatch.windows.top import Ranked, Top

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.windows.board import Board

TABLE, COPIES, TOP, REST = b"t", b"c", b"p", b"s"
HOUR_BYTES = 4
Key = tuple[str, tuple[str, ...], tuple[str | None, ...]]


class Rest(Struct):
    """What is small enough to be written whole."""

    now: int
    unmatched: int
    copies_left_out: int
    open: list[tuple[Key, Breach]] = field(default_factory=list)
    last: list[tuple[Key, int]] = field(default_factory=list)
    cut_off: list[Blocked] = field(default_factory=list)


encode = msgspec.msgpack.Encoder().encode


def changes(board: Board) -> dict[bytes, bytes | None]:
    """What changed since the last call; None deletes."""
    found: dict[bytes, bytes | None] = {}
    for name, table in board.tables().items():
        found |= table.changes(_table(name))
    outbreaks = board.outbreaks
    for hour, text in outbreaks.unsaved:
        copies = outbreaks.copies.get((hour, text))
        found[COPIES + _hour(hour) + text.encode()] = None if copies is None else encode(copies)
    outbreaks.unsaved.clear()
    for hour in board.unsaved_tops:
        top = board.tops.get(hour)
        found[TOP + _hour(hour)] = None if top is None else encode(top.list(top.most))
    board.unsaved_tops.clear()
    found[REST] = encode(
        Rest(
            board.now,
            board.unmatched,
            board.copies_left_out,
            list(outbreaks.open.items()),
            list(outbreaks.last.items()),
            list(outbreaks.cut_off.values()),
        )
    )
    return found


def load(board: Board, stored: Iterable[tuple[bytes, bytes]]) -> None:
    """Take up what `changes` had written, into a board that is empty."""
    tables = {name.encode(): table for name, table in board.tables().items()}
    copies: dict[tuple[int, str], Copies] = {}
    for key, value in stored:
        kind, rest = key[:1], key[1:]
        if kind == TABLE:
            name, _, _ = rest.partition(b"\0")
            if name in tables:
                tables[name].load(_table(name.decode()), [(key, value)])
        elif kind == COPIES:
            hour = int.from_bytes(rest[:HOUR_BYTES], "big")
            copies[hour, rest[HOUR_BYTES:].decode()] = msgspec.msgpack.decode(value, type=Copies)
        elif kind == TOP:
            top = board.tops[int.from_bytes(rest, "big")] = Top(board.room.top)
            for ranked in reversed(msgspec.msgpack.decode(value, type=list[Ranked])):
                top.add(ranked.subject, ranked.count, ranked.error)
        elif kind == REST:
            _load_rest(board, msgspec.msgpack.decode(value, type=Rest))
    board.outbreaks.restore(copies)


def _load_rest(board: Board, rest: Rest) -> None:
    board.now, board.unmatched, board.copies_left_out = rest.now, rest.unmatched, rest.copies_left_out
    board.outbreaks.open = dict(rest.open)
    board.outbreaks.last = dict(rest.last)
    board.outbreaks.cut_off = {(each.recipient, each.owner): each for each in rest.cut_off}


def _table(name: str) -> bytes:
    return TABLE + name.encode() + b"\0"


def _hour(hour: int) -> bytes:
    return hour.to_bytes(HOUR_BYTES, "big")
