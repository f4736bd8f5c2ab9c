"""The registries' answers by brute force, from every record, as the contract says them; no speed, no spans.

It shares the row types with the project and nothing else.
"""

from __future__ import annotations

from itertools import chain, product
from typing import Any, NamedTuple

from sendwatch.events import Filing, Letter, Owner, Port

SOMEWHERE = "somewhere else"
STATUSES = ("approved", "revoked")
TYPES = ("otp", "service", "marketing", "marketing.retail")


class Record(NamedTuple):
    kind: str
    id: str
    offset: int
    arrived: int
    row: Any


class Asked(NamedTuple):
    head: str | None
    tail: str | None
    port: str
    sp: str
    carrier: str | None
    province: str | None
    t: int
    text_known: bool


class Oracle:
    """What holds for one send."""

    def __init__(self, records: list[Record], asked: Asked, window: int, *, pending_grace: bool) -> None:
        self.asked = asked
        self.t = asked.t
        counting = [each for each in records if each.arrived <= self.t + window]
        rows = [
            each.row
            for each in counting
            if each.row is not None
            and not any((o.kind, o.id) == (each.kind, each.id) and o.offset > each.offset for o in counting)
        ]
        rows = list({(type(row), row.id): row for row in rows}.values())  # a repeated record is one
        self.all_filings = sorted((r for r in rows if isinstance(r, Filing)), key=lambda r: r.id)
        self.ports = [r for r in rows if isinstance(r, Port)]
        self.letters = [r for r in rows if isinstance(r, Letter)]
        self.owners = [r for r in rows if isinstance(r, Owner)]
        self.accepted = (*STATUSES, "pending") if pending_grace else STATUSES

    def valid(self, row: Filing | Port | Letter) -> bool:
        return row.valid_from <= self.t and (row.valid_until is None or self.t < row.valid_until)

    def signature(self) -> str | None:
        candidates = [each for each in (self.asked.head, self.asked.tail) if each is not None]
        if not candidates or not self.asked.text_known:
            return None
        named = [each for each in candidates if any(f.signature == each for f in self.all_filings)]
        return named[0] if len(named) == 1 else candidates[0]

    def filings(self) -> list[Filing]:
        return [f for f in self.all_filings if f.signature == self.signature() and f.status in self.accepted]

    def owner(self) -> str | None:
        answers = {self._owner(carrier, province) for carrier, province in self._places()}
        return answers.pop() if len(answers) == 1 else None

    def covered(self, kind: str | None) -> bool | None:
        answers = {
            any(
                self._by_way(f) and _allows(f, c, p) and any(k == use or k.startswith(use + ".") for use in f.uses)
                for f in self.filings()
                if self.valid(f)
            )
            for c, p in self._places()
            for k in ((kind,) if kind else (*TYPES, "otp.some", "service.some", "marketing.some"))
        }
        return answers.pop() if len(answers) == 1 else None

    def port(self) -> Port | None:
        rows = [p for p in self.ports if self.valid(p) and self.asked.port.startswith(p.port)]
        return max(rows, key=lambda p: (len(p.port), p.valid_from, p.id), default=None)

    def chain(self) -> tuple[bool | None, int]:
        """Whether it is whole, and the fewest letters."""
        port = self.port()
        assert port is not None
        if self.asked.text_known:
            steps = self._steps(port.holder, self.signature())
            return steps is not None, steps or 0
        names = chain.from_iterable(each.signatures or () for each in self.letters)
        answers = {self._steps(port.holder, name) is not None for name in (None, *names)}
        whole = answers.pop() if len(answers) == 1 else None
        return whole, (self._steps(port.holder, None) or 0) if whole else 0

    def owners_on_port(self) -> set[str]:
        return {
            f.owner
            for f in self.all_filings
            if f.status in STATUSES and self.valid(f) and any(self.asked.port.startswith(p) for p in f.ports)
        }

    def _owner(self, carrier: str, province: str) -> str | None:
        standing = [f for f in self.all_filings if f.status in STATUSES and self.valid(f)]
        own = [f for f in standing if f.signature == self.signature()]
        first = [f for f in own if self._by_way(f) and _allows(f, carrier, province)]
        found = first or own or [f for f in standing if self._by_way(f)]
        owners = {f.owner for f in found}
        return owners.pop() if len(owners) == 1 else None

    def _by_way(self, filing: Filing) -> bool:
        by_sp = filing.sps is None or self.asked.sp in filing.sps
        return by_sp and any(self.asked.port.startswith(prefix) for prefix in filing.ports)

    def _places(self) -> list[tuple[str, str]]:
        carriers = {c for f in self.all_filings for c in f.carriers or ()} | {SOMEWHERE}
        provinces = {p for f in self.all_filings for p in f.provinces or ()} | {SOMEWHERE}
        return list(
            product(
                [self.asked.carrier] if self.asked.carrier else carriers,
                [self.asked.province] if self.asked.province else provinces,
            )
        )

    def _steps(self, holder: str, signature: str | None) -> int | None:
        reached, steps = self._joined({holder}), 0
        while self.asked.sp not in reached:
            beyond = self._joined(
                reached
                | {
                    each.grantee
                    for each in self.letters
                    if each.grantor in reached
                    and self.valid(each)
                    and (each.ports is None or any(self.asked.port.startswith(p) for p in each.ports))
                    and (each.signatures is None or signature in each.signatures)
                }
            )
            if beyond == reached:
                return None
            reached, steps = beyond, steps + 1
        return steps

    def _joined(self, names: set[str]) -> set[str]:
        while True:
            more = (
                names
                | {o.sp for o in self.owners if o.id in names and o.sp}
                | {o.id for o in self.owners if o.sp in names}
            )
            if more == names:
                return names
            names = more


def _allows(filing: Filing, carrier: str, province: str) -> bool:
    return (filing.carriers is None or carrier in filing.carriers) and (
        filing.provinces is None or province in filing.provinces
    )
