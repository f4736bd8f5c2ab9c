"""Scope drift: ways of sending that are seen against those that are filed, before anybody is flagged for them.

Belongs here: comparing the observed (signature, port, SP, type, province) with the filings. Not here: G4,
which judges each send; the registry's own logic (`registry/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sendwatch.text.fold import fold_name
from sendwatch.windows.limits import DAY

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.registry import Registry
    from sendwatch.windows.board import Board
    from sendwatch.windows.lines import Subject

HOURS_A_DAY = 24
Standing = Literal["covered", "outside", "open"]


class Lane(Struct, frozen=True):
    """One way of sending. `standing`: whether a filing covers it (`open`: too little is known).

    `sends` of the last day, `before`: a day's mean of the week before. `new`: first seen in the last day.
    """

    signature: str | None
    port: str
    sp: str
    type: str | None
    province: str | None
    standing: Standing
    sends: int
    before: float
    new: bool

    @property
    def growth(self) -> float:
        """How many times the day's mean of the week before; of what was not there before, its sends."""
        return self.sends / self.before if self.before else float(self.sends)


def drift(board: Board, covered: Callable[[Subject, int], bool | None]) -> list[Lane]:
    """The lanes of the last day that no filing covers, and those that are new: the growing ones first.

    `covered` answers for a lane (as a tuple of its first five fields) at a time.
    """
    table, now, found = board.lanes, board.now, list[Lane]()
    for lane in table.rows:
        sends = table.sum(lane, "sends", now, HOURS_A_DAY)
        first = table.first_seen(lane)
        if sends <= 0 or first is None or len(lane) != len(FIELDS):
            continue
        standing, new = _standing(covered(lane, now)), first > now - DAY
        if standing != "covered" or new:
            before = table.sum(lane, "sends", now - DAY, 7 * HOURS_A_DAY) / 7
            signature, port, sp, kind, province = lane
            found.append(Lane(signature, port or "", sp or "", kind, province, standing, sends, round(before, 2), new))
    return sorted(found, key=lambda each: (each.standing == "covered", -each.growth, repr(each)))


FIELDS = ("signature", "port", "sp", "type", "province")


def by_filings(registry: Registry) -> Callable[[Subject, int], bool | None]:
    """Whether the filings, as they stand now, cover a lane; of those that name carriers that is open."""

    def covered(lane: Subject, t: int) -> bool | None:
        signature, port, sp, kind, province = lane
        if signature is None:
            return None
        standing = registry.standing(fold_name(signature), None, port or "", sp or "", None, province, t)
        return standing.covered(kind)

    return covered


def _standing(covered: bool | None) -> Standing:
    if covered is None:
        return "open"
    return "covered" if covered else "outside"
