"""How the pipeline does, from what is at hand: rates, lag, freshness.

Belongs here: sampling positions, and what follows; the clock of the wall. Not here: reading positions.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sendwatch.desk.say_counts import Rates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sendwatch.aggregator.ledger_fold import Place

OVER_SECONDS = 10.0
SAMPLES = 64


class Sample(NamedTuple):
    """How far everything was at a moment (seconds)."""

    at: float
    sends: int
    facts: int
    flags: int


class Positions:
    """How far the ledger says that all is judged, over time."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self.moved_at: int | None = None

    def see(self, places: Mapping[int, Place], flags: int, at: float, wall_ms: int) -> None:
        """Take a sample; `flags`: how many records of flags were taken in so far."""
        sends = facts = 0
        for place in places.values():
            for kind, position in place.standing.positions.items():
                if kind == "sends":
                    sends += position
                else:
                    facts += position
        last = self._samples[-1] if self._samples else None
        if last is None or (sends, facts) != (last.sends, last.facts):
            self.moved_at = wall_ms
        self._samples.append(Sample(at, sends, facts, flags))

    def rates(self) -> Rates:
        """Per second, over the last ten."""
        if len(self._samples) < 2:
            return Rates()
        last = self._samples[-1]
        first = next((each for each in self._samples if each.at >= last.at - OVER_SECONDS), self._samples[0])
        seconds = last.at - first.at
        if seconds <= 0:
            return Rates()
        sums = (last.sends - first.sends, last.facts - first.facts, last.flags - first.flags)
        return Rates(*(round(max(0, each) / seconds, 2) for each in sums))


def lag_of(ends: Mapping[int, int], places: Mapping[int, Place]) -> int:
    """How many sends are written and not yet accounted for, by the ledger as it was added up."""
    lag = 0
    for number, end in ends.items():
        place = places.get(number)
        if place is not None:
            lag += max(0, end - place.standing.positions.get("sends", 0))
        else:
            lag += end
    return lag


def wall() -> int:
    """The wall clock in ms."""
    return int(time.time() * 1000)
