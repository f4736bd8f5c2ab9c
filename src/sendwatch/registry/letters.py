"""The chain of letters from the holder of a port to the SP that submits, or where it breaks.

Belongs here: parties (an owner and its own SP account are one), the search for a chain, the broken link.
Not here: what a broken chain means (`rules/g5_sublease.py`).

The search goes upwards from the SP, since an SP has few grantors where a holder has many grantees. Every
party is visited once, so cycles end; a chain of more than `LINKS` letters counts as broken.

The broken link is the least repair: letters are followed whatever they lack, fewest lacking ones first, and
the first lacking one from the holder's end is named. Where not even those lead to the holder, the link is
missing that would join the party furthest from the holder to the one furthest above the SP.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.events import Letter, Owner
    from sendwatch.registry.rows import Index, Rows, Span

LINKS = 64
PARTIES = 1000  # visited at most, where it is for evidence only

Party = tuple[str, ...]  # every name of one party, in order


class Broken(Struct, frozen=True, gc=False):
    """The link to repair: a letter and what it lacks, or, with `letter` None, one that doesn't exist.

    `fails`: of `not_begun`, `lapsed`, `port`, `signature`; `too_long` where the chain has too many links.
    """

    grantor: str
    grantee: str
    letter: str | None = None
    fails: tuple[str, ...] = ()


class Chain(Struct, frozen=True, gc=False):
    """Whether letters lead from the port's holder to the SP; None where that turns on a text not at hand.

    `path`: the letters' ids from the holder on; empty where both are one party, or no chain is known.
    """

    whole: bool | None
    path: tuple[str, ...] = ()
    broken: Broken | None = None


class _Link(NamedTuple):
    grantor: str
    grantee: str
    letter: str
    fails: tuple[str, ...]


class Graph(NamedTuple):
    """The letters, their `signatures` folded, and the owners that a chain is looked for in."""

    by_grantor: Index[Letter]
    by_grantee: Index[Letter]
    owners: Rows[Owner]
    owners_by_sp: Index[Owner]


def find_chain(graph: Graph, port: str, signature: str | None, holder: str, sp: str, span: Span) -> Chain:
    """Whether and how letters lead from `holder` to `sp`; `signature` folded, None: the text bears none."""
    search = Search(graph, port, signature, span)
    path = search.path(holder, sp)
    return Chain(False, (), search.broken(holder, sp)) if path is None else Chain(True, path)


def find_unread_chain(graph: Graph, port: str, holder: str, sp: str, span: Span) -> Chain:
    """The same for a text that is not at hand: decided where any signature, or none, gives one answer."""
    unsigned = Search(graph, port, None, span)
    path = unsigned.path(holder, sp)
    if path is not None:
        return Chain(True, path)
    widest = Search(graph, port, None, span, any_signature=True)
    if widest.path(holder, sp) is None:
        return Chain(False, (), widest.broken(holder, sp))
    for name in sorted(widest.names_above(sp)):
        if Search(graph, port, name, span).path(holder, sp) is not None:
            return Chain(None)
    return Chain(False, (), unsigned.broken(holder, sp))


class Search:
    """One question: who may pass the port on, for the signature, as of the span's time."""

    def __init__(
        self, graph: Graph, port: str, signature: str | None, span: Span, *, any_signature: bool = False
    ) -> None:
        """`signature` None: only letters for every signature cover it. `any_signature`: each letter does."""
        self._graph = graph
        self._port = port
        self._signature = signature
        self._any_signature = any_signature
        self._span = span
        self._parties: dict[str, Party] = {}

    def path(self, holder: str, sp: str) -> tuple[str, ...] | None:
        """The ids of the fewest valid, covering letters that lead from `holder` to `sp`; None: no chain."""
        goal, start = self._party(holder), self._party(sp)
        paths: dict[Party, tuple[str, ...]] = {start: ()}
        level = [start]
        for _ in range(LINKS):
            if goal in paths or not level:
                break
            above: list[Party] = []
            for party in level:
                for letter in self._letters(party, self._graph.by_grantee):
                    grantor = self._party(letter.grantor)
                    if grantor not in paths:
                        paths[grantor] = (letter.id, *paths[party])
                        above.append(grantor)
            level = above
        return paths.get(goal)

    def names_above(self, sp: str) -> set[str]:
        """Every signature that a letter above `sp` names, of those that cover the port."""
        names: set[str] = set()
        parties = [self._party(sp)]
        for party in parties:
            for letter in self._letters(party, self._graph.by_grantee):
                names.update(letter.signatures or ())
                grantor = self._party(letter.grantor)
                if grantor not in parties:
                    parties.append(grantor)
        return names

    def broken(self, holder: str, sp: str) -> Broken:
        """The link to repair, where `path` finds none."""
        goal = self._party(holder)
        # The cost is: lacking letters, all that they lack, letters. What follows it makes the order certain.
        heap: list[tuple[tuple[int, int, int], Party, tuple[_Link, ...]]] = [((0, 0, 0), self._party(sp), ())]
        settled: set[Party] = set()
        while heap and len(settled) < PARTIES:
            (lacking, lacks, links), party, path = heappop(heap)
            if party in settled:
                continue
            if party == goal:
                return _first_lacking(path)
            settled.add(party)
            for letter, fails in self._whatever_it_lacks(party):
                cost = (lacking + bool(fails), lacks + len(fails), links + 1)
                link = _Link(letter.grantor, letter.grantee, letter.id, fails)
                heappush(heap, (cost, self._party(letter.grantor), (link, *path)))
        return Broken(self._furthest(holder, downwards=True), self._furthest(sp, downwards=False))

    def _furthest(self, start: str, *, downwards: bool) -> str:
        """The party most letters away from `start`; `start` itself where several are."""
        index = self._graph.by_grantor if downwards else self._graph.by_grantee
        level = {self._party(start): start}
        seen = set(level)
        while True:
            beyond: dict[Party, str] = {}
            for letter in (letter for party in level for letter in self._letters(party, index)):
                name = letter.grantee if downwards else letter.grantor
                party = self._party(name)
                if party not in seen:
                    seen.add(party)
                    beyond[party] = name
            if not beyond or len(seen) > PARTIES:
                return next(iter(level.values())) if len(level) == 1 else start
            level = beyond

    def _party(self, name: str) -> Party:
        """All names of one party: an owner and its own SP account, in both directions and onwards."""
        party = self._parties.get(name)
        if party is None:
            names = [name]
            for each in names:
                owner = self._graph.owners.truth(each, self._span)
                if owner is not None and owner.sp is not None and owner.sp not in names:
                    names.append(owner.sp)
                for version in self._graph.owners_by_sp.under(each):
                    if version.id not in names and self._span.within(version.since, version.until):
                        names.append(version.id)
            party = tuple(sorted(names))
            self._parties.update(dict.fromkeys(party, party))
        return party

    def _letters(self, party: Party, index: Index[Letter]) -> list[Letter]:
        """The letters found under the party that are valid and cover port and signature, in order of id."""
        found = [
            version.row
            for name in party
            for version in index.under(name)
            if self._covers_port(version.row)
            and self._covers_signature(version.row)
            and self._span.within(version.valid_since, version.valid_until)
        ]
        found.sort(key=lambda letter: letter.id)
        return found

    def _whatever_it_lacks(self, party: Party) -> Iterator[tuple[Letter, tuple[str, ...]]]:
        for name in party:
            for version in self._graph.by_grantee.under(name):
                if self._span.within(version.since, version.until):
                    yield version.row, tuple(self._lacks(version.row))

    def _lacks(self, letter: Letter) -> Iterator[str]:
        if not self._span.after(letter.valid_from):
            yield "not_begun"
        elif letter.valid_until is not None and self._span.after(letter.valid_until):
            yield "lapsed"
        if not self._covers_port(letter):
            yield "port"
        if not self._covers_signature(letter):
            yield "signature"

    def _covers_port(self, letter: Letter) -> bool:
        return letter.ports is None or self._port.startswith(letter.ports)

    def _covers_signature(self, letter: Letter) -> bool:
        return self._any_signature or letter.signatures is None or self._signature in letter.signatures


def _first_lacking(path: tuple[_Link, ...]) -> Broken:
    for link in path:
        if link.fails:
            return Broken(*link)
    return Broken(*path[LINKS]._replace(fails=("too_long",)))
