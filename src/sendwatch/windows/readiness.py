"""Readiness (事前): what a planned campaign would break, before it is sent.

Belongs here: planned volumes against the filings at that time, and against the complaints that so many sends have
brought so far. Not here: judging a text (`judge.py`), what was sent already (`board.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from sendwatch.days import local_minute
from sendwatch.text.fold import fold_name
from sendwatch.windows import b3_complaint_rate as b3

if TYPE_CHECKING:
    from sendwatch.registry import Registry
    from sendwatch.registry.standing import Standing
    from sendwatch.windows.board import Board

MONTH, TEN_DAYS = 720, 240
MOST_COMPLAINTS = 1 << 20


class Plan(Struct, frozen=True):
    """So many sends of one kind, at a time (ms)."""

    signature: str
    port: str
    sp: str
    type: str
    sends: int
    at: int
    carrier: str | None = None
    province: str | None = None


class Concern(Struct, frozen=True):
    """A rule that the plan would break, or (`sure` False) may break, and what that rests on."""

    rule: str
    sure: bool
    evidence: dict[str, int | float | str | None]


class Readiness(Struct, frozen=True):
    """What is to be expected of a plan. `room`: how many complaints it can bring before B3 opens."""

    plan: Plan
    owner: str | None
    expected_complaints: float
    room: int
    concerns: list[Concern] = field(default_factory=list)


def ready(plan: Plan, board: Board, registry: Registry, quiet: tuple[int, int] = (22, 8)) -> Readiness:
    """Hold a plan against filings and limits. `quiet`: the first hour of the night, and of the day after it."""
    standing = registry.standing(
        fold_name(plan.signature), None, plan.port, plan.sp, plan.carrier, plan.province, plan.at
    )
    concerns = _of_filings(plan, standing)
    if plan.type.partition(".")[0] == "marketing" and _at_night(plan.at, quiet):
        concerns.append(Concern("B1_QUIET_HOURS", sure=True, evidence={"at": plan.at}))
    pair = (standing.owner, plan.port)
    complaints = board.pairs.sum(pair, "complaints", board.now, MONTH)
    sends = board.pairs.sum(pair, "sends", board.now, MONTH)
    expected = complaints / sends * plan.sends if sends else 0.0
    room = _room(plan, board, pair)
    if expected > room or room == 0:
        evidence: dict[str, int | float | str | None] = {
            "owner": standing.owner,
            "port": plan.port,
            "expected_complaints": round(expected, 2),
            "room": room,
        }
        concerns.append(Concern(b3.RULE.id, sure=room == 0, evidence=evidence))
    return Readiness(plan, standing.owner, round(expected, 2), room, concerns)


def _of_filings(plan: Plan, standing: Standing) -> list[Concern]:
    if not standing.began:
        return [Concern("G2_SIGNATURE_UNFILED", sure=True, evidence={"signature": plan.signature})]
    if not standing.valid:
        ended = max((filing.valid_until or 0 for filing in standing.began), default=0)
        return [Concern("G3_SIGNATURE_LAPSED", sure=True, evidence={"signature": plan.signature, "ended": ended})]
    covered = standing.covered(plan.type)
    if covered:
        return []
    nearest = standing.nearest(plan.type)
    evidence: dict[str, int | float | str | None] = {
        "signature": plan.signature,
        "nearest": nearest.filing.id if nearest is not None else None,
        "fails": ", ".join(nearest.fails) if nearest is not None else None,
    }
    return [Concern("G4_SIGNATURE_OUT_OF_SCOPE", sure=covered is False, evidence=evidence)]


def _room(plan: Plan, board: Board, pair: tuple[str | None, str]) -> int:
    """The most complaints that do not open B3 after the plan, on top of those that there are."""
    sums = [board.pairs.sum(pair, name, board.now, hours) for hours in (MONTH, TEN_DAYS) for name in NAMES]
    complaints, sends, lately, sends_lately = sums

    def breaks(more: int) -> bool:
        return b3.judge(
            complaints + more, sends + plan.sends, lately + more, sends_lately + plan.sends, plan.at, board.limits
        ).broken

    low, high = 0, 1
    if breaks(0):
        return 0
    while not breaks(high) and high < MOST_COMPLAINTS:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if breaks(middle) else (middle, high)
    return low


NAMES = ("complaints", "sends")


def _at_night(at: int, quiet: tuple[int, int]) -> bool:
    hour, (first, last) = local_minute(at) // 60, quiet
    return first <= hour or hour < last if first > last else first <= hour < last
