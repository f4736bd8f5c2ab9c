"""The numbers of the windowed rules, in the units that they are computed in.

Belongs here: the shape and the contract's defaults. Not here: reading them from the configuration (`policy.py`).
"""

from __future__ import annotations

from msgspec import Struct

HOUR = 3_600_000
DAY = 24 * HOUR


class Promotion(Struct, frozen=True):
    """A time in which much more than usual is sent, such as 618 or 双11; from `since` to before `until` (ms)."""

    name: str
    since: int
    until: int


class Limits(Struct, frozen=True):
    """When breaches open and close. Rates are per million sends, durations in ms."""

    complaints: int = 5
    complaints_per_million: float = 0.25
    few_sends: int = 100_000
    reported: int = 20
    undelivered_share: float = 0.5
    copies: int = 5
    blocking: frozenset[str] = frozenset({"MBBLACK", "BLACK", "REJECTD"})
    blocked: int = 2
    close_below: float = 0.8
    hold: int = HOUR
    honeypots: frozenset[str] = frozenset()
