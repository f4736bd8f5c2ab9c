"""How clean traffic keeps clear of the limits on frequency, so that no neighbour ever makes a send
unlawful.

An owner writes to a recipient at most once in a clock hour and four times a day, and schedules at most one
send ahead. So no hour has more than three, no day more than six, which every consent allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.simulate.truth import DAY, HOUR, UTC8

if TYPE_CHECKING:
    from random import Random


class Restraint:
    """Remembers who wrote to whom this hour and this day; times must not go back."""

    def __init__(self, owners: int) -> None:
        self.owners = owners
        self.hour = self.day = 0
        self.this_hour: set[int] = set()
        self.this_day: dict[int, int] = {}
        self.scheduled: set[int] = set()

    def allows(self, recipient: int, owner: int, at: int) -> bool:
        """Whether this owner may write to that recipient now; if so it is taken as done."""
        hour = at // HOUR
        if hour != self.hour:
            self._turn(hour)
        pair = recipient * self.owners + owner
        today = self.this_day.get(pair, 0)
        if pair in self.this_hour or today >= 4:
            return False
        self.this_hour.add(pair)
        self.this_day[pair] = today + 1
        return True

    def later(self, recipient: int, owner: int, at: int, random: Random) -> int | None:
        """A time one or two days later at about the same hour, if nothing was scheduled between the two
        yet.
        """
        pair = recipient * self.owners + owner
        if pair in self.scheduled:
            return None
        self.scheduled.add(pair)
        return at + random.choice((1, 2)) * DAY + int(random.random() * HOUR) - HOUR // 2

    def _turn(self, hour: int) -> None:
        self.hour = hour
        self.this_hour.clear()
        day = (hour + UTC8 // HOUR) // 24
        if day != self.day:
            self.day = day
            self.this_day.clear()
