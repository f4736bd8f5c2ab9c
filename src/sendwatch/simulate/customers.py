"""Who receives: recipients, the owners whose customers they are, and the consents that make sends to them
clean.

Recipients are numbers 0 … count-1; those above are *strangers*, made for one planted case each and met
nowhere else. What is wrong with a consent on purpose is in refusals.py.
"""

from __future__ import annotations

from array import array
from random import Random
from typing import TYPE_CHECKING, Any, Final

from sendwatch.simulate.truth import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.carrier import Carrier

EXPLICIT: Final = ("opt_in_form", "sms_reply", "written", "voice", "mo_request")
IMPLICIT: Final = ("pre_ticked", "registration", "silence", "terms_bundle")
AHEAD: Final = 4 * DAY  # how far past the week something must hold to hold for every send, scheduled ones included
MOST_A_DAY: Final = 6  # commercial sends of one owner to one recipient that clean traffic never exceeds
_SEGMENT: Final = "154"  # mobile numbers that begin so have been given to nobody, so far as public lists tell

Act = dict[str, Any]


class Recipients:
    """Names of recipients: numbers scattered over an unassigned segment, or opaque tokens. Any seed is a
    bijection.
    """

    def __init__(self, seed: object, form: str, count: int, named: str | None = None) -> None:
        random = Random(f"{seed}/recipients")
        self.count, self.form = count, form
        self.named = named  # a given number to be planted; it is the first stranger
        self.next_stranger = count + 1
        self._offset = random.randrange(10**8)
        self._salt = random.getrandbits(64)

    def name(self, index: int) -> str:
        if index == self.count and self.named is not None:
            return self.named
        if self.form == "number":
            return f"{_SEGMENT}{(index * 48_271 + self._offset) % 10**8:08d}"
        return f"r{(index * 0x9E3779B97F4A7C15 + self._salt) % 2**64:016x}"

    def stranger(self) -> int:
        self.next_stranger += 1
        return self.next_stranger - 1


class Customers:
    """Good pairs of recipient and owner. The i-th recipient's are `owners[first[i]:first[i + 1]]`; bit 0 of
    an entry tells whether the consent is to plain `marketing` (so that a send may declare no more).
    """

    def __init__(self, carrier: Carrier, count: int, wanted: dict[int, int]) -> None:
        self.carrier, self.count = carrier, count
        random = Random(f"{carrier.seed}/customers")
        traders, many = carrier.traders, len(carrier.traders)
        draw = random.random
        owners, first = array("I"), array("I", [0])
        for _ in range(count):
            chosen = draw()
            times = 1 if chosen < 0.65 else 2 if chosen < 0.9 else 3
            drawn = {traders[int(many * draw() ** 2)] for _ in range(times)}
            owners.extend(owner << 1 | (draw() < 0.7) for owner in sorted(drawn))
            first.append(len(owners))
        self.owners, self.first = owners, first
        self.extra: dict[int, list[int]] = {}  # owner -> recipients that became customers for its faulty lines
        self._extra_of: dict[int, list[int]] = {}
        for owner, times in sorted(wanted.items()):
            some = sorted({int(count * draw()) for _ in range(times)})
            self.extra[owner] = [index for index in some if owner not in self.of(index)]
            for index in self.extra[owner]:
                self._extra_of.setdefault(index, []).append(owner)

    @property
    def size(self) -> int:
        return len(self.owners) + sum(map(len, self.extra.values()))

    def of(self, index: int) -> list[int]:
        """The owners that have this recipient's good consent."""
        entries = self.owners[self.first[index] : self.first[index + 1]]
        return [entry >> 1 for entry in entries] + self._extra_of.get(index, [])

    def acts(self, recipients: Recipients) -> Iterator[Act]:
        """The consent acts of all good pairs, in the order of recipients, then the extra ones."""
        random = Random(f"{self.carrier.seed}/consents")
        first, owners = self.first, self.owners
        for index in range(self.count):
            name = recipients.name(index)
            for entry in owners[first[index] : first[index + 1]]:
                yield from self._consented(random, name, entry >> 1, bool(entry & 1))
        for owner, extra in self.extra.items():
            for index in extra:
                yield from self._consented(random, recipients.name(index), owner, plain=True)

    def _consented(self, random: Random, recipient: str, owner: int, plain: bool) -> Iterator[Act]:
        """One good grant; now and then an older story before it that no longer matters."""
        start_at = self.carrier.start_at
        who = self.carrier.owners[owner]
        age = int((1 + random.random() * 500) * DAY)
        draw = random.random()
        if draw < 0.03:
            yield withdrawal(random, recipient, who.id, start_at - age - 9 * DAY)
        elif draw < 0.05:
            yield grant(
                random,
                recipient,
                who.id,
                start_at - age - 3 * HOUR,
                method=random.choice(IMPLICIT),
                proof=None,
            )
        act = grant(random, recipient, who.id, start_at - age)
        if not plain:
            act["types"] = list(who.commercial)
        elif draw > 0.7:
            act["types"] = ["marketing"]
        if draw > 0.9:
            act["expires_at"] = self.carrier.end_at + AHEAD + int(random.random() * 300 * DAY)
        elif draw < 0.1:
            act["max_per_day"] = MOST_A_DAY + int(draw * 100)
        yield act
        if draw > 0.98:  # takes back something that nobody had granted: covers no type that is sent
            yield withdrawal(random, recipient, who.id, start_at - age // 2, types=["marketing.events"])


def grant(random: Random, recipient: str, owner: str, at: int, **facts: Any) -> Act:
    """An explicit grant with its proof, captured shortly before; a None among `facts` leaves a field out."""
    act: Act = {
        "id": f"c{random.getrandbits(56):014x}", "recipient": recipient, "owner": owner, "action": "grant",
        "effective_at": at, "method": EXPLICIT[int(random.random() * len(EXPLICIT))],
        "proof": {
            "id": f"proof-{random.getrandbits(48):012x}", "sha256": f"{random.getrandbits(256):064x}",
            "captured_at": at - int(random.random() * HOUR),
        },
    }  # fmt: skip
    if not facts:
        return act
    return {name: value for name, value in (act | facts).items() if value is not None}


def withdrawal(random: Random, recipient: str, owner: str, at: int, **facts: Any) -> Act:
    act: Act = {
        "id": f"w{random.getrandbits(56):014x}", "recipient": recipient, "owner": owner, "action": "withdraw",
        "effective_at": at,
    }  # fmt: skip
    return act | facts
