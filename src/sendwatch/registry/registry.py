"""The registry: records of five topics in, answers as of a time out. One per worker, in memory.

Belongs here: taking in records, and the questions that may be asked. The answers' own logic is beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from sendwatch.events import Filing, Letter, Owner, Port, Template
from sendwatch.registry.answers import Answers
from sendwatch.registry.letters import Graph
from sendwatch.registry.ports import Prefixes, find_port
from sendwatch.registry.rows import Index, Rows, Span
from sendwatch.registry.standing import HOLDS, Indexes, Standing, Way, find_standing
from sendwatch.text.fold import fold_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WINDOW = 72 * 3_600_000
UNNAMED = " "  # stands for any name that no row mentions: all are answered alike. No folded name has a blank


_Asked: TypeAlias = tuple[str | None, str | None, str, str, bool]


class OnPort(Struct, frozen=True, gc=False):
    """The owners with a filing on a port; the same for `since` <= t < `until`."""

    since: int
    until: int
    owners: tuple[str, ...]


class Registry:
    """Filings, ports, letters, templates and owners, as they count for a send at `t`.

    `generation` grows with every put. Times are ms since 1970 UTC; names are folded as `fold_name` does.
    """

    def __init__(self, window: int = WINDOW, *, pending_grace: bool = False) -> None:
        """Start empty. `pending_grace`: a pending filing is as good as an approved one for G2, G3 and G4."""
        self.generation = 0
        filings_by_name: Index[Filing] = Index(lambda row: (fold_name(row.signature),))
        filings_by_way: Index[Filing] = Index(_ways)
        self._filings_by_prefix: Index[Filing] = Index(lambda row: set(row.ports))
        self._filings = Rows(window, filings_by_name, filings_by_way, self._filings_by_prefix)
        self._ports_by_prefix: Index[Port] = Index(lambda row: (row.port,))
        self._ports = Rows(window, self._ports_by_prefix)
        by_grantor: Index[Letter] = Index(lambda row: (row.grantor,))
        by_grantee: Index[Letter] = Index(lambda row: (row.grantee,))
        self._letters = Rows(window, by_grantor, by_grantee)
        self._templates: Rows[Template] = Rows(window)
        by_sp: Index[Owner] = Index(lambda row: () if row.sp is None else (row.sp,))
        self._owners_by_group: Index[Owner] = Index(lambda row: () if row.group is None else (row.group,))
        self._owners = Rows(window, by_sp, self._owners_by_group)
        graph = Graph(by_grantor, by_grantee, self._owners, by_sp)
        accepted = HOLDS | {"pending"} if pending_grace else HOLDS
        self._indexes = Indexes(filings_by_name, filings_by_way, self._ports_by_prefix, graph, accepted)
        self._prefixes = Prefixes()
        self._names: set[str] = set()
        self._answers = Answers()
        self._on_port: dict[str, OnPort] = {}

    def put(
        self,
        kind: str,
        id: str,  # noqa: A002 - the field's name
        offset: int,
        arrived: int,
        row: Filing | Port | Letter | Template | Owner | None,
    ) -> Sequence[Filing | Port | Letter | Template | Owner]:
        """Take in a record of topic `kind`, in any order; `row` None: recorded in error, never was.

        `arrived` as the contract has it, `offset` the record's in its topic. Returns the rows that were the truth at
        some time at which they no longer are.
        """
        self.generation += 1
        self._answers.forget()
        self._on_port.clear()
        match kind, row:
            case "signatures", Filing() | None:
                if row is not None:
                    self._names.add(fold_name(row.signature))
                    self._prefixes.add(row.ports)
                return self._filings.put(id, offset, arrived, row)
            case "ports", Port() | None:
                if row is not None:
                    self._prefixes.add((row.port,))
                return self._ports.put(id, offset, arrived, row)
            case "letters", Letter() | None:
                if row is not None:
                    row = self._with_folded_names(row)
                    self._prefixes.add(row.ports or ())
                return self._letters.put(id, offset, arrived, row)
            case "templates", Template() | None:
                return self._templates.put(id, offset, arrived, row)
            case "owners", Owner() | None:
                return self._owners.put(id, offset, arrived, row)
            case _:
                raise ValueError(f"no registry {kind!r} has a {type(row).__name__}")

    def standing(
        self,
        head: str | None,
        tail: str | None,
        port: str,
        sp: str,
        carrier: str | None,
        province: str | None,
        t: int,
        *,
        text_known: bool = True,
    ) -> Standing:
        """What the registries say of a send at `t`; `head`, `tail`: its candidate signatures, folded.

        `text_known` False: its text is absent or incomplete, so whatever it bears is not known.
        """
        asked = (head, tail, port, sp, text_known)
        cell = self._answers.asked.get(asked)
        if cell is not None:
            standing = cell.recall(carrier, province, t)
            if standing is not None:
                return standing
        return self._find(asked, carrier, province, t)

    def template(self, id: str, t: int) -> Template | None:  # noqa: A002 - the field's name
        """The template, if it is valid at `t`."""
        return self._templates.valid(id, Span(t))

    def template_known(self, id: str, t: int) -> bool:  # noqa: A002 - the field's name
        """Whether there is such a template for a send at `t`, valid or not."""
        return self._templates.truth(id, Span(t)) is not None

    def owner_row(self, id: str, t: int) -> Owner | None:  # noqa: A002 - the field's name
        """The owner's row as it counts for a send at `t`."""
        return self._owners.truth(id, Span(t))

    def group_members(self, owner: str, t: int) -> tuple[str, ...]:
        """The other owners of the owner's brand group, in order of id; empty where it has none."""
        span = Span(t)
        row = self._owners.truth(owner, span)
        if row is None or row.group is None:
            return ()
        members = self._owners_by_group.under(row.group)
        return tuple(sorted(each.id for each in members if each.id != owner and span.within(each.since, each.until)))

    def prefix_of(self, port: str) -> str:
        """The longest prefix that any row names and the port begins with: the registries answer alike for both."""
        prefixes = self._prefixes.of(port)
        return prefixes[0] if prefixes else ""

    def port_row(self, port: str, t: int) -> Port | None:
        """The row of `sms.ports` that holds for `port` at `t`."""
        return find_port(self._ports_by_prefix, self._prefixes.of(port), Span(t))[1]

    def owners_on_port(self, port: str, t: int) -> tuple[str, ...]:
        """Every owner with an approved filing on `port` that is valid at `t`, in order of id."""
        prefixes = self._prefixes.of(port)
        known = self._on_port.get(prefixes[0]) if prefixes else OnPort(t, t + 1, ())
        if known is None or not known.since <= t < known.until:
            span = Span(t)
            owners = {
                version.row.owner
                for prefix in prefixes
                for version in self._filings_by_prefix.under(prefix)
                if version.row.status in HOLDS and span.within(version.valid_since, version.valid_until)
            }
            known = self._on_port[prefixes[0]] = OnPort(span.since, span.until, tuple(sorted(owners)))
        return known.owners

    def _find(self, asked: _Asked, carrier: str | None, province: str | None, t: int) -> Standing:
        """Look up what is not remembered by the send's own fields."""
        head, tail, port, sp, text_known = asked
        way, name = self._way_of(head, tail, port, sp, text_known=text_known)
        standing = self._answers.recall_way(way, carrier, province, t)
        if standing is None:
            standing = find_standing(self._indexes, way, carrier, province, t)
            self._answers.keep_way(way, carrier, province, standing)
        if way.head != UNNAMED:
            self._answers.join(asked, way)
            return standing
        if standing.signature == UNNAMED:
            standing = replace(standing, signature=name)
        self._answers.keep(asked, carrier, province, standing)
        return standing

    def _way_of(
        self, head: str | None, tail: str | None, port: str, sp: str, *, text_known: bool
    ) -> tuple[Way, str | None]:
        """The way of a send, and the name that `UNNAMED` stands for in it.

        Of two candidates, one that no row mentions is never chosen over the head.
        """
        first, second = (head, tail) if text_known else (None, None)
        if first is None or second not in self._names:
            first, second = first or second, None
        prefixes = self._prefixes.of(port)
        known = first if first is None or first in self._names else UNNAMED
        return Way(known, second, prefixes, sp, text_known), first

    def _with_folded_names(self, letter: Letter) -> Letter:
        if letter.signatures is None:
            return letter
        names = tuple(fold_name(each) for each in letter.signatures)
        self._names.update(names)
        return replace(letter, signatures=names)


def _ways(filing: Filing) -> Iterator[tuple[str, str | None]]:
    """What the third step to the owner looks up: each port prefix with each SP, None for every SP."""
    for prefix in filing.ports:
        for sp in (None,) if filing.sps is None else filing.sps:
            yield prefix, sp
