"""When the week's sends happen: busy by day, busier around 11 November, and nothing commercial in quiet
hours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sendwatch.simulate.truth import DAY, HOUR, MINUTE, UTC8

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

# Relative volume in each hour of the day, UTC+8: (commercial, other).
CURVE: Final = (
    (0, 24), (0, 14), (0, 8), (0, 6), (0, 6), (0, 10), (0, 20), (0, 34),
    (22, 50), (44, 62), (66, 70), (50, 66), (36, 60), (34, 56), (40, 58), (46, 58),
    (52, 58), (50, 58), (46, 60), (62, 66), (84, 70), (40, 62), (0, 52), (0, 38),
)  # fmt: skip
RUSH: Final = {(11, 10): 1.6, (11, 11): 2.4, (11, 12): 1.2}  # days around 11 November, by month and day


def instants(start_at: int, days: int, count: int, random: Random) -> Iterator[tuple[int, float]]:
    """`count` instants over the days, rising and falling with the curve, and the share of commercial sends
    at each.
    """
    minutes = range(start_at, start_at + days * DAY, MINUTE)
    weights = [_weight(at) for at in minutes]
    total = sum(commercial + other for commercial, other in weights)
    so_far, done, draw = 0.0, 0, random.random
    for at, (commercial, other) in zip(minutes, weights, strict=True):
        so_far += commercial + other
        due = round(so_far / total * count)
        share = commercial / (commercial + other)
        for offset in sorted([int(draw() * MINUTE) for _ in range(due - done)]):
            yield at + offset, share
        done = due


def _weight(at: int) -> tuple[float, float]:
    commercial, other = CURVE[(at + UTC8) // HOUR % 24]
    date = datetime.fromtimestamp((at + UTC8) / 1000, UTC)
    rush = RUSH.get((date.month, date.day), 1.0)
    return commercial * rush, other * (1 + (rush - 1) / 2)
