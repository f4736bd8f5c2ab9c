"""What may be asked of a board in process: top offenders, series, opt-out service level, coverage.

Belongs here: answers as plain values, for the command line and the pages that come later. Not here: counting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.windows.board import WINDOWS
from sendwatch.windows.limits import HOUR
from sendwatch.windows.top import merged

if TYPE_CHECKING:
    from sendwatch.windows.board import Board
    from sendwatch.windows.lines import Subject, Table
    from sendwatch.windows.top import Ranked

AFTER_OPT_OUT, IGNORED = "C5_AFTER_OPT_OUT", "C9_OPT_OUT_IGNORED"


class Sum(Struct, frozen=True):
    """One subject's counts over a window."""

    subject: tuple[str | None, ...]
    sends: int
    flagged: int
    undecided: int
    complaints: int


class ServiceLevel(Struct, frozen=True):
    """How refusals were heeded in 30 days: those resolved, commercial sends after one (C5), 48 h after a reply (C9)."""

    owner: str | None
    refusals: int
    after_opt_out: int
    ignored: int


def table_of(board: Board, family: str, window: str) -> tuple[Table, int]:
    """The table that a window is summed over, and its number of buckets."""
    width, buckets = WINDOWS[window]
    return (board.hours if width == HOUR else board.minutes)[family], buckets


def offenders(board: Board, family: str, window: str = "1d", length: int = 10, by: str = "flagged") -> list[Sum]:
    """The subjects of a family with the most flags, complaints, … over a window."""
    table, buckets = table_of(board, family, window)
    counts = [(table.sum(subject, by, board.now, buckets), subject) for subject in table.rows]
    first = sorted((each for each in counts if each[0] > 0), key=lambda each: (-each[0], repr(each[1])))[:length]
    return [total(board, family, subject, window) for _, subject in first]


def total(board: Board, family: str, subject: Subject, window: str) -> Sum:
    """The counts of one subject over a window."""
    table, buckets = table_of(board, family, window)
    told = (table.sum(subject, name, board.now, buckets) for name in ("sends", "flagged", "undecided", "complaints"))
    return Sum(subject, *told)


def series(board: Board, family: str, subject: Subject, name: str, window: str) -> list[tuple[int, int]]:
    """Start of bucket (ms) and count over a window; buckets in which nothing happened are left out."""
    table, buckets = table_of(board, family, window)
    return table.series(subject, name, board.now - (buckets - 1) * table.width, board.now)


def flagged_lately(board: Board, length: int = 10, hours: int = 24) -> list[Ranked]:
    """The (signature, port) with the most flags of the last hours, from sketches: bounded however many there are."""
    last = board.now // HOUR
    sketches = [top for hour, top in board.tops.items() if last - hours < hour <= last]
    return merged(sketches, board.room.top).list(length)


def coverage(board: Board, window: str = "1d") -> float | None:
    """The share of sends that every rule decided; None: there were no sends."""
    whole = total(board, "all", (), window)
    return 1 - whole.undecided / whole.sends if whole.sends else None


def service_level(board: Board, length: int = 10) -> list[ServiceLevel]:
    """The owners with the most commercial sends after a refusal, over 30 days."""
    owners: dict[str | None, list[int]] = {}
    refusals = board.hours["owner"]
    asked = ((None, refusals, "refusals"), (AFTER_OPT_OUT, board.rules, "flags"), (IGNORED, board.rules, "flags"))
    for number, (rule, table, name) in enumerate(asked):
        for subject in table.rows:
            if rule is None or subject[0] == rule:
                count = table.sum(subject, name, board.now, 720)
                if count:
                    owners.setdefault(subject[-1], [0, 0, 0])[number] = count
    levels = [ServiceLevel(owner, *counts) for owner, counts in owners.items()]
    return sorted(levels, key=lambda level: (-level.after_opt_out, -level.refusals, str(level.owner)))[:length]
