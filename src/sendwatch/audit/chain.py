"""Chains of letters from a port's holder to the SP, by trying every way; and the link that is broken.

Belongs here: G5's part of a standing. Not here: who holds the port (`standing.py`).

The broken link is the least repair: of all ways from the holder down to the SP, over letters whatever they lack, the
one with the fewest lacking letters (then the fewest lacks, the fewest letters, the lesser names), and on it the first
lacking letter from the holder's end. Where there is no such way, no letter joins what the holder reaches furthest
with what reaches the SP from furthest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.audit.tables import valid
from sendwatch.registry import Broken, Chain
from sendwatch.text import fold_name

if TYPE_CHECKING:
    from sendwatch.audit.tables import Tables
    from sendwatch.events import Letter

Party = tuple[str, ...]
Link = tuple[str, str, str, tuple[str, ...]]
Way = tuple[tuple[int, int, int], tuple[Link, ...]]


def find_chain(tables: Tables, port: str, signature: str | None, holder: str, sp: str, t: int) -> Chain:
    """The chain for a text that bears `signature` (folded; None: none)."""
    letters = Letters(tables, port, signature, t)
    return Chain(True) if letters.lead(holder, sp) else Chain(False, (), letters.broken(holder, sp))


def find_unread_chain(tables: Tables, port: str, holder: str, sp: str, t: int) -> Chain:
    """The chain for a text that is not at hand: undecided where it turns on what the text bears."""
    unsigned, anything = Letters(tables, port, None, t), Letters(tables, port, None, t, any_signature=True)
    if unsigned.lead(holder, sp):
        return Chain(True)
    if not anything.lead(holder, sp):
        return Chain(False, (), anything.broken(holder, sp))
    if any(Letters(tables, port, name, t).lead(holder, sp) for name in anything.names_above(sp)):
        return Chain(None)
    return Chain(False, (), unsigned.broken(holder, sp))


class Letters:
    """The letters as they count for one send."""

    def __init__(
        self, tables: Tables, port: str, signature: str | None, t: int, *, any_signature: bool = False
    ) -> None:
        """`any_signature`: take every letter for one that covers the send's."""
        self._tables = tables
        self._port = port
        self._signature = signature
        self._t = t
        self._any_signature = any_signature

    def lead(self, holder: str, sp: str) -> bool:
        """Whether letters that lack nothing lead from the holder to the SP."""
        goal, parties = self._party(holder), [self._party(sp)]
        for party in parties:
            if party == goal:
                return True
            above = (self._party(letter.grantor) for letter in self._sound(party, "grantee"))
            parties += [each for each in dict.fromkeys(above) if each not in parties]
        return False

    def names_above(self, sp: str) -> set[str]:
        """Every signature that a letter on a way to the SP names."""
        names: set[str] = set()
        parties = [self._party(sp)]
        for party in parties:
            for letter in self._sound(party, "grantee"):
                names.update(fold_name(each) for each in letter.signatures or ())
                above = self._party(letter.grantor)
                parties += [above] if above not in parties else []
        return names

    def broken(self, holder: str, sp: str) -> Broken:
        """The link to repair where nothing leads from the holder to the SP."""
        ways: dict[Party, Way] = {self._party(sp): ((0, 0, 0), ())}
        waiting = [self._party(sp)]
        while waiting:
            party = waiting.pop(0)
            (lacking, lacks, count), path = ways[party]
            for letter in self._all(party, "grantee"):
                fails = self._lacks(letter)
                link = (letter.grantor, letter.grantee, letter.id, fails)
                way = ((lacking + bool(fails), lacks + len(fails), count + 1), (link, *path))
                above = self._party(letter.grantor)
                if above not in ways or way < ways[above]:
                    ways[above] = way
                    waiting.append(above)
        if (found := ways.get(self._party(holder))) is not None:
            return next(Broken(*link) for link in found[1] if link[3])
        return Broken(self._furthest(holder, "grantor", "grantee"), self._furthest(sp, "grantee", "grantor"))

    def _furthest(self, start: str, near: str, far: str) -> str:
        """The party that sound letters reach last from `start`; itself where several are reached at once."""
        level = {self._party(start): start}
        seen = list(level)
        while True:
            beyond: dict[Party, str] = {}
            for letter in (letter for party in level for letter in self._sound(party, near)):
                party = self._party(getattr(letter, far))
                if party not in seen:
                    beyond.setdefault(party, getattr(letter, far))  # of two names of a party the first
            if not beyond:
                return next(iter(level.values())) if len(level) == 1 else start
            seen += beyond
            level = beyond

    def _party(self, name: str) -> Party:
        """An owner and its own SP account are one party, and so on."""
        names = [name]
        for each in names:
            owner = self._tables.truth("owners", each, self._t)
            own = [owner.sp] if owner is not None and owner.sp is not None else []
            for other in [*own, *(row.id for row in self._tables.under("owners", ("sp", each), self._t))]:
                names += [other] if other not in names else []
        return tuple(sorted(names))

    def _all(self, party: Party, end: str) -> list[Letter]:
        found = (letter for name in party for letter in self._tables.under("letters", (end, name), self._t))
        return sorted(found, key=lambda letter: letter.id)

    def _sound(self, party: Party, end: str) -> list[Letter]:
        return [letter for letter in self._all(party, end) if not self._lacks(letter)]

    def _lacks(self, letter: Letter) -> tuple[str, ...]:
        lacks = []
        if not valid(letter, self._t):
            lacks.append("not_begun" if letter.valid_from > self._t else "lapsed")
        if letter.ports is not None and not any(self._port.startswith(prefix) for prefix in letter.ports):
            lacks.append("port")
        named = None if letter.signatures is None or self._any_signature else set(map(fold_name, letter.signatures))
        if named is not None and self._signature not in named:
            lacks.append("signature")
        return tuple(lacks)
