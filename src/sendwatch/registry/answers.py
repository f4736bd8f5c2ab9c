"""What was already looked up: standings by the way that a send was sent, each for its span of time.

Belongs here: a bounded memory and its lookup, which every send goes through.
Not here: how an answer is found.

A *way* is what the registries can tell apart in a send, carrier and province aside; many askings come to one.
Both are remembered: askings for speed, ways so that made-up names and ports don't cost a search each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sendwatch.registry.standing import Standing

KEPT = 1 << 15  # standings, and askings, at most; past that all are forgotten: cheaper than to know the oldest
SPANS = 8  # of one way and place


class Cell(Struct, gc=False):
    """The standings of one way, by what matters of the place: nothing, carrier, province or both."""

    turns_on_carrier: bool = False
    turns_on_province: bool = False
    by_place: dict[Hashable, list[Standing]] = field(default_factory=dict)

    def recall(self, carrier: str | None, province: str | None, t: int) -> Standing | None:
        """The standing for a send from there at `t`, if it was looked up before."""
        place: Hashable = carrier if self.turns_on_carrier else None
        if self.turns_on_province:
            place = (place, province)
        for standing in self.by_place.get(place, ()):
            if standing.since <= t < standing.until:
                return standing
        return None

    def keep(self, carrier: str | None, province: str | None, standing: Standing) -> None:
        """Remember it, the latest first."""
        on_carrier = self.turns_on_carrier or standing.turns_on_carrier
        on_province = self.turns_on_province or standing.turns_on_province
        if (on_carrier, on_province) != (self.turns_on_carrier, self.turns_on_province):
            self.turns_on_carrier, self.turns_on_province = on_carrier, on_province
            self.by_place.clear()  # those so far lie under less than what matters now
        place: Hashable = carrier if self.turns_on_carrier else None
        if self.turns_on_province:
            place = (place, province)
        spans = self.by_place.setdefault(place, [])
        spans.insert(0, standing)
        del spans[SPANS:]


class Answers:
    """Cells by asking and by way, a bounded number of both; `asked` is for reading, without another call."""

    def __init__(self, limit: int = KEPT) -> None:
        """`limit`: how many standings, and how many askings, are remembered."""
        self._limit = limit
        self._kept = 0
        self.asked: dict[Hashable, Cell] = {}
        self._ways: dict[Hashable, Cell] = {}

    def recall_way(self, way: Hashable, carrier: str | None, province: str | None, t: int) -> Standing | None:
        """The standing for any asking that comes to `way`, if it was looked up before."""
        cell = self._ways.get(way)
        return None if cell is None else cell.recall(carrier, province, t)

    def keep_way(self, way: Hashable, carrier: str | None, province: str | None, standing: Standing) -> None:
        self._make_room()
        self._ways.setdefault(way, Cell()).keep(carrier, province, standing)
        self._kept += 1

    def join(self, asked: Hashable, way: Hashable) -> None:
        """From now on whatever is kept for `way` answers `asked` too."""
        self._make_room()
        self.asked[asked] = self._ways.setdefault(way, Cell())

    def keep(self, asked: Hashable, carrier: str | None, province: str | None, standing: Standing) -> None:
        """Remember an answer that is for `asked` alone."""
        self._make_room()
        self.asked.setdefault(asked, Cell()).keep(carrier, province, standing)
        self._kept += 1

    def forget(self) -> None:
        """Start anew: a registry has changed, or it is too much."""
        if self.asked or self._ways:
            self.asked.clear()
            self._ways.clear()
            self._kept = 0

    def _make_room(self) -> None:
        if self._kept >= self._limit or len(self.asked) >= self._limit:
            self.forget()
