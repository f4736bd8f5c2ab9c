"""What the registries say of one send, each answer from the contract's words, with nothing remembered.

Belongs here: signature, filings, owner, port. Not here: as-of lookups (`tables.py`), letters (`chain.py`).

A carrier or province that is not known is tried as every one that a filing names, and as one that none names.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from sendwatch.audit.chain import find_chain, find_unread_chain
from sendwatch.audit.tables import valid
from sendwatch.history import covers
from sendwatch.registry import Fit, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sendwatch.audit.tables import Tables
    from sendwatch.events import Filing, Port, Send
    from sendwatch.text import Reading

APPROVED = ("approved", "revoked")
ELSEWHERE = "\0"
ANY_TYPE = ("otp", "service", "marketing")


class Told(Standing, frozen=True, gc=False, kw_only=True):
    """A standing that answers G4 by trying."""

    send: Send

    def covered(self, kind: str | None) -> bool | None:
        """Whether a valid filing covers all of the send together; None: it turns on what is not known."""
        uses = {use for filing in self.valid for use in filing.uses}
        kinds = {*ANY_TYPE, *uses} if kind is None else {kind}
        places = product(_carriers(self.send, self.valid), _provinces(self.send, self.valid))
        answers = {
            any(by_way(each, self.send) and _there(each, *place) and covers(each.uses, one) for each in self.valid)
            for place in places
            for one in kinds
        }
        return answers.pop() if len(answers) == 1 else None

    def nearest(self, kind: str | None) -> Fit | None:
        """The filing with the fewest fails, then the longest prefix, then the least id."""
        fits = [_fit(each, self.send, kind) for each in self.valid]
        order = [(len(each.fails), -len(each.prefix or ""), each.filing.id) for each in fits]
        return fits[order.index(min(order))] if fits else None


def standing_of(tables: Tables, send: Send, reading: Reading | None, *, pending_grace: bool, t: int) -> Told:
    """The standing of a send at `t`; `reading` None: its text is absent or incomplete."""
    signature = None if reading is None else _signature(tables, reading, t)
    named = [] if signature is None else tables.under("signatures", ("name", signature), t)
    accepted = (*APPROVED, "pending") if pending_grace else APPROVED
    filings = [each for each in named if each.status in accepted]
    living = [each for each in filings if valid(each, t)]
    owner, reason = _owner(tables, send, [each for each in living if each.status in APPROVED], t)
    port = port_row(tables, send.port, t)
    chain = None
    if port is not None and reading is None:
        chain = find_unread_chain(tables, send.port, port.holder, send.sp, t)
    elif port is not None:
        chain = find_chain(tables, send.port, signature, port.holder, send.sp, t)
    return Told(
        since=t,
        until=t + 1,
        signature=signature,
        filings=tuple(filings),
        began=tuple(each for each in filings if each.valid_from <= t),
        valid=tuple(living),
        unapproved=tuple(each for each in named if each.status not in accepted),
        fits=tuple(_fit(each, send, None) for each in living),
        uses=frozenset(),
        owner=owner,
        owner_reason=reason,
        port=port,
        ports=() if port is None else (port,),
        chain=chain,
        turns_on_carrier=False,
        turns_on_province=False,
        send=send,
    )


def port_row(tables: Tables, port: str, t: int) -> Port | None:
    """The allotment that holds for `port`: the longest prefix, then the later begin, then the greater id."""
    rows = [row for row in tables.on_port("ports", port, t) if valid(row, t)]
    return max(rows, key=lambda row: (len(row.port), row.valid_from, row.id), default=None)


def owners_on_port(tables: Tables, port: str, t: int) -> tuple[str, ...]:
    """Every owner with an approved filing on `port` that is valid at `t`."""
    rows = tables.on_port("signatures", port, t)
    return tuple(sorted({row.owner for row in rows if row.status in APPROVED and valid(row, t)}))


def group_of(tables: Tables, owner: str, t: int) -> tuple[str, ...]:
    """The other owners of the owner's brand group."""
    row = tables.truth("owners", owner, t)
    if row is None or row.group is None:
        return ()
    return tuple(each.id for each in tables.under("owners", ("group", row.group), t) if each.id != owner)


def by_way(filing: Filing, send: Send) -> bool:
    """Whether the filing covers the send's port and SP."""
    return any(map(send.port.startswith, filing.ports)) and (filing.sps is None or send.sp in filing.sps)


def _signature(tables: Tables, reading: Reading, t: int) -> str | None:
    candidates = [each for each in (reading.head, reading.tail) if each is not None]
    filed = [each for each in candidates if tables.under("signatures", ("name", each), t)]
    if len(filed) == 1:
        return filed[0]
    return candidates[0] if candidates else None


def _owner(tables: Tables, send: Send, own: Sequence[Filing], t: int) -> tuple[str | None, str]:
    """The owner, or None and why: by the signature's own filings, else by those for that port and SP."""
    if not own:
        others = [
            each
            for each in tables.on_port("signatures", send.port, t)
            if each.status in APPROVED and valid(each, t) and by_way(each, send)
        ]
        return _one({each.owner for each in others})
    near = [each for each in own if by_way(each, send)]
    carriers, provinces = _carriers(send, near), _provinces(send, near)
    anywhere = {each.owner for each in own}
    answers = {
        place: _one({each.owner for each in near if _there(each, *place)} or anywhere)
        for place in product(carriers, provinces)
    }
    if len(set(answers.values())) == 1:
        return next(iter(answers.values()))
    by_carrier = any(len({answers[carrier, province] for carrier in carriers}) > 1 for province in provinces)
    return None, "carrier_unknown" if by_carrier else "province_unknown"


def _one(owners: set[str]) -> tuple[str | None, str]:
    if len(owners) == 1:
        return next(iter(owners)), ""
    return None, "several_owners" if owners else "no_filing"


def _carriers(send: Send, filings: Iterable[Filing]) -> list[str]:
    if send.carrier is not None:
        return [send.carrier]
    return sorted({ELSEWHERE}.union(*(each.carriers or () for each in filings)))


def _provinces(send: Send, filings: Iterable[Filing]) -> list[str]:
    if send.province is not None:
        return [send.province]
    return sorted({ELSEWHERE}.union(*(each.provinces or () for each in filings)))


def _there(filing: Filing, carrier: str, province: str) -> bool:
    in_carrier = filing.carriers is None or carrier in filing.carriers
    return in_carrier and (filing.provinces is None or province in filing.provinces)


def _fit(filing: Filing, send: Send, kind: str | None) -> Fit:
    """What of the send the filing does not cover, and what cannot be said."""
    prefixes = [prefix for prefix in filing.ports if send.port.startswith(prefix)]
    limits: list[tuple[str, Sequence[str] | None, str | None]] = [
        ("sp", filing.sps, send.sp),
        ("carrier", filing.carriers, send.carrier),
        ("province", filing.provinces, send.province),
    ]
    fails = [] if prefixes else ["port"]
    unknown: list[str] = []
    for name, allowed, value in limits:
        if allowed is not None and value not in allowed:
            (unknown if value is None and allowed else fails).append(name)
    if kind is None and filing.uses:
        unknown.append("type")
    elif kind is None or not covers(filing.uses, kind):
        fails.append("type")
    return Fit(filing, max(prefixes, key=len, default=None), tuple(fails), tuple(unknown))
