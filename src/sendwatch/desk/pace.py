"""How often one may ask: a bucket of tokens for each person or address, in bounded memory.

Belongs here: whether a request may go on. Not here: who asks. The clock is handed in.
"""

from __future__ import annotations

from collections import OrderedDict

BURST_SECONDS = 3.0
MOST = 10_000


class Pace:
    """`rate` requests a second for long, three seconds' worth at once."""

    def __init__(self, rate: float) -> None:
        """Nobody has asked yet."""
        self._rate = rate
        self._burst = max(rate * BURST_SECONDS, 1.0)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str, now: float, cost: float = 1.0) -> float:
        """0 where the request may go on now; else the seconds until it may. A cost above the burst empties it."""
        left, seen = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - seen) * self._rate)
        cost = min(cost, self._burst)
        short = cost - left
        self._left[name] = (left - cost if short <= 0 else left, now)
        if len(self._left) > MOST:
            self._left.popitem(last=False)
        return max(0.0, short / self._rate)
