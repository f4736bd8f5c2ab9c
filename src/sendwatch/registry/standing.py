"""The registries' whole answer about one way of sending, and the span of time over which it stays the same.

Belongs here: the shape of the answer, the choice of signature, putting the parts together.
Not here: who remembers it (`answers.py`), what a rule makes of it (`rules/`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from sendwatch.registry.filings import (
    EVERY_TYPE,
    Fit,
    fit,
    fitting_uses,
    nearest,
    own_filing_owner,
    sole_owner,
)
from sendwatch.registry.letters import Chain, Graph, find_chain, find_unread_chain
from sendwatch.registry.ports import find_port
from sendwatch.registry.rows import Index, Span

if TYPE_CHECKING:
    from sendwatch.events import Filing, Port

HOLDS = frozenset({"approved", "revoked"})
"""Of these a filing holds until its `valid_until`; a revoked one must have one."""


class Standing(Struct, frozen=True, gc=False):
    """What the registries say of a send; the same for `since` <= t < `until`.

    `signature`: the one chosen of the candidates, folded; None: there is none, or the text is not at hand.
    `filings`: those of it that are approved or revoked (pending where graced), whatever their validity;
    `began`: those of them that began by `t`; `valid`: those valid at `t`; `unapproved`: its other filings.
    `fits`: the valid ones against port, SP, carrier and province; `uses`: of those that cover all four.
    `owner`: None where undecided, `owner_reason` is then `no_filing`, `several_owners`, `carrier_unknown` or
    `province_unknown`. `ports`: every row whose prefix the port begins with, nearest first; `port`: the one
    that holds at `t`. `chain`: None where no port is valid. `turns_on_…`: whether another carrier or province
    might change the answer.
    """

    since: int
    until: int
    signature: str | None
    filings: tuple[Filing, ...]
    began: tuple[Filing, ...]
    valid: tuple[Filing, ...]
    unapproved: tuple[Filing, ...]
    fits: tuple[Fit, ...]
    uses: frozenset[str]
    owner: str | None
    owner_reason: str
    port: Port | None
    ports: tuple[Port, ...]
    chain: Chain | None
    turns_on_carrier: bool
    turns_on_province: bool

    def covered(self, kind: str | None) -> bool | None:
        """Whether a valid filing covers port, SP, carrier, province and type together; None: that is open.

        `kind` None: the type is not known.
        """
        uses = self.uses
        if kind in uses or (uses >= EVERY_TYPE if kind is None else _under(kind, uses)):
            return True
        open_to = any(not each.with_type(kind).fails for each in self.fits)
        return None if open_to else False

    def nearest(self, kind: str | None) -> Fit | None:
        """The valid filing that comes nearest to covering the send, and what fails; None: none is valid."""
        return nearest(self.fits, kind)


def _under(kind: str, uses: frozenset[str]) -> bool:
    parent, dot, _ = kind.rpartition(".")
    return bool(dot) and (parent in uses or _under(parent, uses))


class Indexes(NamedTuple):
    """Where a standing is looked up.

    Names are folded; `filings_by_way` is by (port prefix, SP), SP None: every SP. `accepted`: the statuses of
    filings that G2 to G4 take for filings.
    """

    filings_by_name: Index[Filing]
    filings_by_way: Index[Filing]
    ports_by_prefix: Index[Port]
    graph: Graph
    accepted: frozenset[str]


class Way(Struct, frozen=True, gc=False):
    """How a send was sent, as far as the registries can tell.

    `head`, `tail`: the candidate signatures. `prefixes`: those that the port begins with and some row names,
    longest first; so the first one matches the same rows as the port itself.
    """

    head: str | None
    tail: str | None
    prefixes: tuple[str, ...]
    sp: str
    text_known: bool


def find_standing(indexes: Indexes, way: Way, carrier: str | None, province: str | None, t: int) -> Standing:
    """Look everything up as of `t`."""
    span = Span(t)
    sp, port = way.sp, way.prefixes[0] if way.prefixes else ""
    signature = _choose_signature(indexes.filings_by_name, way.head, way.tail, span)
    filings, began, valid, unapproved = _filings_of(indexes, signature, span)
    fits = tuple(fit(each, port, sp, carrier, province) for each in valid)
    own = [each for each in fits if each.filing.status in HOLDS]
    if own:  # a filing that is only graced makes nobody the owner yet
        owner, reason = own_filing_owner(own, carrier, province)
    else:
        owner, reason = _owner_by_port(indexes.filings_by_way, way, span)
    rows, row = find_port(indexes.ports_by_prefix, way.prefixes, span)
    if row is None:
        chain = None
    elif way.text_known:
        chain = find_chain(indexes.graph, port, signature, row.holder, sp, span)
    else:
        chain = find_unread_chain(indexes.graph, port, row.holder, sp, span)
    return Standing(
        since=span.since,
        until=span.until,
        signature=signature,
        filings=filings,
        began=began,
        valid=valid,
        unapproved=unapproved,
        fits=fits,
        uses=fitting_uses(fits),
        owner=owner,
        owner_reason=reason,
        port=row,
        ports=rows,
        chain=chain,
        turns_on_carrier=any(each.carriers is not None for each in valid),
        turns_on_province=any(each.provinces is not None for each in valid),
    )


def _choose_signature(by_name: Index[Filing], head: str | None, tail: str | None, span: Span) -> str | None:
    """One candidate: it. Two: the one that any filing names; if both or neither, the head one."""
    if head is None or tail is None:
        return tail if head is None else head
    return tail if _is_named(by_name, tail, span) and not _is_named(by_name, head, span) else head


def _is_named(by_name: Index[Filing], name: str, span: Span) -> bool:
    return any(span.within(version.since, version.until) for version in by_name.under(name))


def _filings_of(indexes: Indexes, signature: str | None, span: Span) -> tuple[tuple[Filing, ...], ...]:
    """Its accepted filings, those of them that began, those valid; and its others; in order of id."""
    filings, began, valid, unapproved = [], [], [], []
    for version in sorted(indexes.filings_by_name.under(signature), key=lambda version: version.id):
        if not span.within(version.since, version.until):
            continue
        row = version.row
        if row.status not in indexes.accepted:
            unapproved.append(row)
            continue
        filings.append(row)
        if span.after(row.valid_from):
            began.append(row)
            if span.within(version.valid_since, version.valid_until):
                valid.append(row)
    return tuple(filings), tuple(began), tuple(valid), tuple(unapproved)


def _owner_by_port(by_way: Index[Filing], way: Way, span: Span) -> tuple[str | None, str]:
    """The third step: by filings of any signature for that port and SP; (None, reason) where undecided."""
    owners: set[str] = set()
    for prefix in way.prefixes:
        for sp in (way.sp, None):
            for version in by_way.under((prefix, sp)):
                if version.row.status in HOLDS and span.within(version.valid_since, version.valid_until):
                    owners.add(version.row.owner)
                    if len(owners) > 1:
                        return None, "several_owners"
    owner = sole_owner(owners)
    return owner, "" if owner else "no_filing"
