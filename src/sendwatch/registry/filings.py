"""What filings say of a send: which covers it, which comes nearest, and whose send it is.

Belongs here: one filing against port, SP, carrier, province and type; the three steps to the owner.
Not here: which filings count or are valid (`standing.py` hands them over).

A carrier or province that is not known is None: then a filing that limits it neither fits nor fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.history import covers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sendwatch.events import Filing

EVERY_TYPE = frozenset({"otp", "service", "marketing"})
ELSEWHERE = "\0elsewhere"  # a carrier or province that no filing names


class Fit(Struct, frozen=True, gc=False):
    """How one valid filing stands to a send.

    `prefix`: the longest of its ports that the send's port begins with. `fails`, `unknown`: of `port`, `sp`,
    `carrier`, `province`, `type`, those that the filing doesn't cover, and those of which the send tells too
    little to say.
    """

    filing: Filing
    prefix: str | None
    fails: tuple[str, ...]
    unknown: tuple[str, ...]

    def with_type(self, kind: str | None) -> Fit:
        """The same, with what the filing says of the send's type; None: type not known."""
        if kind is None:
            if self.filing.uses:
                return Fit(self.filing, self.prefix, self.fails, (*self.unknown, "type"))
        elif covers(self.filing.uses, kind):
            return self
        return Fit(self.filing, self.prefix, (*self.fails, "type"), self.unknown)


def fit(filing: Filing, port: str, sp: str, carrier: str | None, province: str | None) -> Fit:
    """How the filing stands to a send, its type left aside."""
    prefix = max((each for each in filing.ports if port.startswith(each)), key=len, default=None)
    fails: list[str] = []
    unknown: list[str] = []
    if prefix is None:
        fails.append("port")
    if filing.sps is not None and sp not in filing.sps:
        fails.append("sp")
    for name, allowed, value in (
        ("carrier", filing.carriers, carrier),
        ("province", filing.provinces, province),
    ):
        if allowed is None or value in allowed:
            continue
        # An empty list allows nothing, whatever the send's would turn out to be.
        (unknown if value is None and allowed else fails).append(name)
    return Fit(filing, prefix, tuple(fails), tuple(unknown))


def fitting_uses(fits: Iterable[Fit]) -> frozenset[str]:
    """The uses of the filings that cover all but the type."""
    return frozenset(use for each in fits if not each.fails and not each.unknown for use in each.filing.uses)


def nearest(fits: Iterable[Fit], kind: str | None) -> Fit | None:
    """The filing that comes nearest: fewest failing dimensions, then the longest port, then the lesser id."""
    return min(
        (each.with_type(kind) for each in fits),
        key=lambda each: (len(each.fails), -len(each.prefix or ""), each.filing.id),
        default=None,
    )


def own_filing_owner(fits: Sequence[Fit], carrier: str | None, province: str | None) -> tuple[str | None, str]:
    """The owner by the signature's own valid filings (the first two steps); (None, reason) where undecided.

    A carrier or province that isn't known is tried as each that the filings name, and as none of them: they
    must all name one owner.
    """
    anywhere = {each.filing.owner for each in fits}
    if len(anywhere) == 1:  # whichever step finds any, finds these
        return sole_owner(anywhere), ""
    near = [each.filing for each in fits if "port" not in each.fails and "sp" not in each.fails]
    tried = {
        (one, other): sole_owner({each.owner for each in near if _allows(each, one, other)} or anywhere)
        for one in _possible(carrier, (each.carriers for each in near))
        for other in _possible(province, (each.provinces for each in near))
    }
    answers = set(tried.values())
    if len(answers) == 1:
        owner = answers.pop()
        return owner, "" if owner else "several_owners"
    turns_on_carrier = any(
        answer != other for place, answer in tried.items() for there, other in tried.items() if place[1] == there[1]
    )
    return None, "carrier_unknown" if turns_on_carrier else "province_unknown"


def sole_owner(owners: Collection[str]) -> str | None:
    """The one owner of several filings; None where there are several or none."""
    return next(iter(owners)) if len(owners) == 1 else None


def _possible(value: str | None, limits: Iterable[Iterable[str] | None]) -> list[str]:
    if value is not None:
        return [value]
    return sorted({each for limit in limits for each in limit or ()} | {ELSEWHERE})


def _allows(filing: Filing, carrier: str, province: str) -> bool:
    return (filing.carriers is None or carrier in filing.carriers) and (
        filing.provinces is None or province in filing.provinces
    )
