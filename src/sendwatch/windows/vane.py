"""The weather vane (风向标): what is budding, before a limit is broken.

Belongs here: rising trends against the same hour of the days before, what is new, and shares by industry, asked of a
board's tables. Not here: limits (`b3_complaint_rate.py`), alerts.

A rise is told when it is more than chance: of two Poisson counts of one rate the later would be so large less than
once in `ONE_IN` times. Complaints are measured against sends, so that a promotion, in which ten times as much is sent,
raises nothing by itself; sends have nothing to be measured against, so a rise of theirs names the promotion it is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.windows.limits import DAY, HOUR
from sendwatch.windows.poisson import chance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sendwatch.windows.board import Board
    from sendwatch.windows.limits import Promotion
    from sendwatch.windows.lines import Subject, Table

DAYS_BEFORE = 7
ONE_IN = 1000
LEAST = 3
SLOPE_HOURS = 3
HOURS_A_DAY = 24
FINANCE = "marketing.finance"


class Rise(Struct, frozen=True):
    """A count of the last whole hour that is more than chance.

    `expected`: by the same hour of the days before. `slope`: by how many an hour the count grew over the last hours.
    `promotion`: the one that the hour lies in.
    """

    what: str
    subject: tuple[str | None, ...]
    hour: int
    count: int
    expected: float
    chance: float
    slope: float
    promotion: str | None


class New(Struct, frozen=True):
    """A subject that was not seen in the 30 days before; `slope` as of `Rise`."""

    subject: tuple[str | None, ...]
    first_seen: int
    sends: int
    slope: float


class Share(Struct, frozen=True):
    """A part of a whole in the last day and in the week before; `chance` that it grew by chance alone."""

    now: int
    of: int
    before: int
    of_before: int
    chance: float


def rising(
    table: Table, what: str, now: int, promotions: Sequence[Promotion] = (), *, per_send: bool = False
) -> list[Rise]:
    """The subjects whose count `what` rises, the least likely by chance first.

    `per_send`: measured against their sends of the same hours.
    """
    hour = now // HOUR - 1
    begun = min((line.at[0] for row in table.rows.values() for line in row.values() if line.at), default=hour)
    days = min(DAYS_BEFORE, (hour - begun) // HOURS_A_DAY)
    promotion = next((each.name for each in promotions if each.since <= hour * HOUR < each.until), None)
    found: list[Rise] = []
    for subject, row in table.rows.items():
        line, sends = row.get(what), row.get("sends")
        count = line.sum(hour, hour) if line is not None else 0
        if line is None or count < LEAST or days < 1:
            continue
        earlier = [hour - HOURS_A_DAY * day for day in range(1, days + 1)]
        before = sum(line.sum(each, each) for each in earlier)
        share = 1 / (days + 1)
        if per_send and sends is not None:
            sent, sent_before = sends.sum(hour, hour), sum(sends.sum(each, each) for each in earlier)
            share = sent / (sent + sent_before) if sent + sent_before else share
        p = chance(count, before, share)
        if p < 1 / ONE_IN:
            expected = before * share / (1 - share) if share < 1 else 0.0
            slope = _slope(table, subject, what, hour)
            found.append(Rise(what, subject, hour, count, round(expected, 3), p, slope, promotion))
    return sorted(found, key=lambda rise: (rise.chance, -rise.count, repr(rise.subject)))


def new(table: Table, now: int, least: int = 1) -> list[New]:
    """The subjects that were first seen in the last day, most sends first; none while the table itself is as young."""
    day_ago = now - DAY
    seen = {subject: first for subject in table.rows if (first := table.first_seen(subject)) is not None}
    if not seen or min(seen.values()) > day_ago:
        return []
    fresh = [subject for subject, first in seen.items() if first > day_ago and subject != (None,)]
    found = [
        New(subject, seen[subject], sends, _slope(table, subject, "sends", now // HOUR - 1))
        for subject in fresh
        if (sends := table.sum(subject, "sends", now, HOURS_A_DAY)) >= least
    ]
    return sorted(found, key=lambda one: (-one.sends, repr(one.subject)))


def share_of(board: Board, what: str, kind: str = FINANCE, of: str = "marketing") -> Share:
    """What part of the commercial sends (or complaints, `what`) is of a type, consumer finance usually, or below."""
    counts = [[0, 0], [0, 0]]
    for (name, *_), row in board.hours["type"].rows.items():
        line = row.get(what)
        if line is None or name is None or not _under(name, of):
            continue
        hour = board.now // HOUR
        for number, (first, last) in enumerate(((hour - 23, hour), (hour - 24 * 8 + 1, hour - 24))):
            total = line.sum(first, last)
            counts[number][1] += total
            counts[number][0] += total if _under(name, kind) else 0
    (now, whole), (before, whole_before) = counts
    p = chance(now, before, whole / (whole + whole_before)) if whole + whole_before else 1.0
    return Share(now, whole, before, whole_before, p)


def by_industry(board: Board) -> dict[str | None, int]:
    """Complaints of the last 30 days by the type of the send that they are about."""
    hours = board.hours["type"]
    counts = {subject[0]: hours.sum(subject, "complaints", board.now, 720) for subject in hours.rows}
    return dict(sorted(((kind, n) for kind, n in counts.items() if n), key=lambda each: -each[1]))


def _slope(table: Table, subject: Subject, what: str, hour: int) -> float:
    late = table.sum(subject, what, hour * HOUR, SLOPE_HOURS)
    early = table.sum(subject, what, (hour - SLOPE_HOURS) * HOUR, SLOPE_HOURS)
    return round((late - early) / SLOPE_HOURS**2, 3)


def _under(kind: str, of: str) -> bool:
    return kind == of or kind.startswith(of + ".")
