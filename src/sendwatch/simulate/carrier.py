"""The simulated carrier: owners, SP accounts, ports, filings, letters, templates, and the lines on which
owners rightly send. What is wrong on purpose is built on top of it in misfilings.py.

A *line* is one way to send: a signature, a port and an SP that the registries allow together. Port space is
laid out so that the owner behind a port is known by construction: every owner's sub-port is its own, except
on the *shared* ports, where several owners file the whole port.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from sendwatch.simulate import wording
from sendwatch.simulate.phrases import COMMERCIAL, FINANCE, OTP, RETAIL, SERVICE, Phrases, Skeleton
from sendwatch.simulate.truth import CLEAN, DAY, Course

if TYPE_CHECKING:
    from collections.abc import Sequence

CARRIERS: Final = ("CMCC", "CUCC", "CTCC")
PROVINCES: Final = (
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41",
    "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65",
)  # fmt: skip
YEAR: Final = 365 * DAY
CLASSES: Final = {
    "retail": (OTP, SERVICE, RETAIL),
    "finance": (OTP, SERVICE, FINANCE),
    "platform": (OTP, SERVICE, RETAIL, FINANCE),
    "life": (OTP, SERVICE),
}
_SECTORS: Final = ("retail",) * 11 + ("finance",) * 4 + ("platform",) + ("life",) * 4


class Row(NamedTuple):
    """A registry record in the order written; no value: recorded in error and never was."""

    kind: str
    id: str
    value: dict[str, Any] | None


class Owner(msgspec.Struct, frozen=True, gc=False):
    """A content owner; `signature` is the main one, `group` the brand group, `sp` its own SP account."""

    number: int
    id: str
    sector: str
    signature: str
    group: str | None
    sp: str | None

    @property
    def commercial(self) -> tuple[str, ...]:
        return tuple(klass for klass in CLASSES[self.sector] if klass in COMMERCIAL)


class Template(msgspec.Struct, frozen=True, gc=False):
    """A filed template and how to fill it rightly; `link` is the only link that its texts carry."""

    id: str
    skeleton: Skeleton
    link: str | None


class Line(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One way to send. `flags` is what every send on it is flagged with, whoever gets it; `owned` tells
    whether the contract finds the owner of a signed text, `alone` whether it also does without any
    signature.
    """

    owner: int
    signature: str
    prefix: str
    sp: str
    classes: tuple[str, ...]
    carriers: tuple[str, ...] = CARRIERS
    provinces: tuple[str, ...] = PROVINCES
    coarse: bool = False  # filed for plain `marketing`, so a send may declare no more than that
    templates: dict[str, Template] = {}
    flags: Course = CLEAN
    owned: bool = True
    alone: bool = True

    @property
    def open(self) -> bool:
        """Whether a send may leave out its carrier and province and still be clean."""
        return self.carriers is CARRIERS and self.provinces is PROVINCES


class Carrier:
    """Everything registered, as `rows`; the lines of each owner, as `lines`."""

    def __init__(self, seed: object, owners: int, start_at: int, end_at: int, phrases: Phrases) -> None:
        self.seed, self.random = seed, Random(f"{seed}/carrier")
        self.phrases = phrases
        self.start_at, self.end_at = start_at, end_at
        self.rows: list[Row] = []
        self._counts: Counter[str] = Counter()
        self._mains = iter(self.random.sample(range(1000, 10_000), 9000))
        self.agents = [self.fresh_sp() for _ in range(max(4, owners // 25))]
        self._berths = [(self.fresh_main(sp), sp) for sp in self.agents for _ in range(2)]
        self._shared = [(self.fresh_main(sp), sp) for sp in self.agents[: max(2, len(self.agents) // 4)]]
        self.owners = [self._found(number) for number in range(owners)]
        self.lines: list[tuple[Line, ...]] = [
            tuple(self._settle(owner) for _ in range(1 if self.random.random() < 0.8 else 2)) for owner in self.owners
        ]
        self.traders = [owner.number for owner in self.owners if owner.commercial]

    def kin(self, owner: Owner) -> Owner | None:
        """Another owner of the same brand group: groups are three in a row."""
        if owner.group is None:
            return None
        near = self.owners[owner.number - owner.number % 3 :][:3]
        return next((other for other in near if other is not owner), None)

    def fresh_id(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}-{self._counts[kind]:06d}"

    def fresh_sp(self) -> str:
        self._counts["sp"] += 1
        return f"SP{900_000 + self._counts['sp']}"

    def fresh_main(self, holder: str, **limits: Any) -> str:
        """A whole port, eight digits, allotted to `holder`; numbers below 1000 are never allotted."""
        main = f"{self.random.choice(('1069', '1069', '1068'))}{next(self._mains)}"
        self.allot(main, holder, **limits)
        return main

    def fresh_berth(self) -> tuple[str, str]:
        """A sub-port, twelve digits, that nobody has filed yet on an agent's port, and that agent."""
        main, agent = self.random.choice(self._berths)
        self._counts[main] += 1
        return f"{main}{self._counts[main]:04d}", agent

    def fresh_signature(self, sector: str) -> str:
        """A name that nobody else has. Numbers stride through the words, so that neighbours differ."""
        self._counts[sector] += 1
        firsts, middles, lasts = wording.BRAND_FIRST, wording.BRAND_MIDDLE, wording.BRAND_LAST[sector]
        rest, last = divmod(self._counts[sector], len(lasts))
        again, place = divmod(rest, len(firsts) * len(middles))
        first, middle = divmod(place * 1009 % (len(firsts) * len(middles)), len(middles))
        return f"{firsts[first]}{middles[middle]}{again or ''}{lasts[last]}"

    def put(self, kind: str, row: dict[str, Any]) -> str:
        self.rows.append(Row(kind, row["id"], row))
        return str(row["id"])

    def erase(self, kind: str, row_id: str) -> None:
        self.rows.append(Row(kind, row_id, None))

    def allot(self, port: str, holder: str, **limits: Any) -> str:
        row = {
            "id": self.fresh_id("P"),
            "port": port,
            "holder": holder,
            "valid_from": self.start_at - 4 * YEAR,
        }
        return self.put("ports", row | limits)

    def file(self, owner: Owner, signature: str, uses: Sequence[str], ports: Sequence[str], **limits: Any) -> str:
        row = {
            "id": self.fresh_id("F"), "signature": signature, "owner": owner.id, "uses": list(uses),
            "ports": list(ports), "valid_from": self.start_at - self.random.randint(30, 1000) * DAY,
        }  # fmt: skip
        return self.put("signatures", row | limits)

    def entrust(self, grantor: str, grantee: str, **limits: Any) -> str:
        row = {
            "id": self.fresh_id("L"),
            "grantor": grantor,
            "grantee": grantee,
            "valid_from": self.start_at - YEAR,
        }
        return self.put("letters", row | {"valid_until": self.start_at + YEAR} | limits)

    def file_template(self, owner: Owner, signature: str, klass: str, **limits: Any) -> Template:
        """A template with or without its one link, which the pattern spells out or `urls` lists."""
        link = f"https://s.t{owner.number}.example/11" if klass in COMMERCIAL and self.random.random() < 0.6 else None
        skeleton = self.phrases.template(klass, self.random, link)
        row: dict[str, Any] = {
            "id": self.fresh_id("T"), "signature": signature, "use": klass, "pattern": skeleton.pattern,
            "valid_from": self.start_at - YEAR,
        }  # fmt: skip
        if link is not None:
            row["urls"] = [link]
        return Template(self.put("templates", row | limits), skeleton, link)

    def _found(self, number: int) -> Owner:
        random = self.random
        sector = _SECTORS[number % len(_SECTORS)]
        signature = self.fresh_signature(sector)
        group = f"group-{number // 3:05d}" if number % 30 < 3 * 4 else None  # four families of three in thirty owners
        sp = self.fresh_sp() if random.random() < 0.2 else None
        row: dict[str, Any] = {"id": uscc(number, random), "name": f"{signature}（虚构）有限公司"}
        row |= {"group": group} if group else {}
        row |= {"sp": sp} if sp else {}
        return Owner(number, self.put("owners", row), sector, signature, group, sp)

    def _settle(self, owner: Owner) -> Line:
        """A clean line of one of the kinds that real carriers have."""
        random = self.random
        draw = random.random()
        self._counts[owner.id] += 1
        signature = owner.signature if self._counts[owner.id] == 1 else self.fresh_signature(owner.sector)
        alone = True
        if draw < 0.15:
            prefix, sp = random.choice(self._shared)
            alone = False
        elif draw < 0.3 and owner.sp is not None:
            sp = owner.sp
            prefix = self.fresh_main(sp)
        elif draw < 0.45:
            prefix, sp = self._entrusted(owner, signature)
        else:
            prefix, sp = self.fresh_berth()
        return self._file_line(owner, signature, prefix, sp, alone)

    def _file_line(self, owner: Owner, signature: str, prefix: str, sp: str, alone: bool) -> Line:
        random = self.random
        limits: dict[str, Any] = {}
        if random.random() < 0.2:
            limits["sps"] = [sp]
        if random.random() < 0.1:
            limits["carriers"] = sorted(random.sample(CARRIERS, 2))
        if random.random() < 0.1:
            limits["provinces"] = sorted(random.sample(PROVINCES, random.randint(3, 20)))
        if random.random() < 0.3:
            limits |= {"status": "approved", "valid_until": self.end_at + random.randint(10, 700) * DAY}
        elif random.random() < 0.05:  # revoked, but not yet: holds until then as approved does
            limits |= {"status": "revoked", "valid_until": self.end_at + 10 * DAY}
        plain, exact = ["otp", "service"], list(owner.commercial)
        coarse = bool(exact) and random.random() < 0.6
        wanted = ["marketing"] if coarse else exact
        if random.random() < 0.15 and exact:
            self.file(owner, signature, plain, [prefix], **limits)
            self.file(owner, signature, wanted, [prefix], **limits)
        else:
            self.file(owner, signature, plain + wanted, [prefix], **limits)
        classes = CLASSES[owner.sector]
        filed = [klass for klass in classes if random.random() < 0.25]
        return Line(
            owner=owner.number, signature=signature, prefix=prefix, sp=sp, classes=classes, alone=alone, coarse=coarse,
            carriers=tuple(limits.get("carriers", CARRIERS)), provinces=tuple(limits.get("provinces", PROVINCES)),
            templates={klass: self.file_template(owner, signature, klass) for klass in filed},
        )  # fmt: skip

    def _entrusted(self, owner: Owner, signature: str) -> tuple[str, str]:
        """A sub-port that its holder has lawfully passed on, by one letter, by two, or by way of the owner."""
        prefix, holder = self.fresh_berth()
        draw = self.random.random()
        if draw < 0.4:
            sp = self.fresh_sp()
            self.entrust(holder, sp, **({"signatures": [signature]} if draw < 0.2 else {}))
        elif draw < 0.7 or owner.sp is None:
            middle, sp = self.fresh_sp(), self.fresh_sp()
            self.entrust(holder, middle, ports=[prefix[:8]])
            self.entrust(middle, sp, ports=[prefix], signatures=[signature])
        else:
            sp = owner.sp  # an owner and its account are one party
            self.entrust(holder, owner.id, ports=[prefix])
        return prefix, sp


_USCC: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(number: int, random: Random) -> str:
    """An id formed like a unified social credit code (GB 32100-2015) with its check character, for a region
    that does not exist (990000).
    """
    body = f"91990000MA{number:05d}" + "".join(random.choices(_USCC, k=2))
    total = sum(_USCC.index(sign) * pow(3, place, 31) for place, sign in enumerate(body))
    return body + _USCC[-total % 31]
